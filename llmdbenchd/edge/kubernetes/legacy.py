"""Old logins (`auth-provider` in a kubeconfig), by kubernetes-asyncio. Import it only for them.

Nothing is written to the disk: no kubeconfig, no temporary file. A token that was renewed is
kept here, as the file has the old one and an issuer may take that only once.

Three things are not left to the library (36.1), whose loader has them wrong: without an
authority of its own it renews OIDC tokens with TLS verification off, and with one it fails;
it cannot read a token's end where its base64 has `-` or `_`; a program gets no time limit.
"""

import asyncio
import base64
import binascii
import shlex
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
from kubernetes_asyncio.config import ConfigException
from kubernetes_asyncio.config.kube_config import KubeConfigLoader
from kubernetes_asyncio.config.openid import OpenIDRequestor

from llmdbenchd.edge.kubernetes import tls
from llmdbenchd.edge.kubernetes.errors import world
from llmdbenchd.edge.kubernetes.kubeconfig import read_file
from llmdbenchd.edge.kubernetes.plugin import Pass, answer_of
from llmdbenchd.edge.kubernetes.way import Material, Plugin, Provided
from llmdbenchd.ports import Refused, Unavailable

_WAIT_S = 30.0  # for an issuer, its two answers together
_EARLY_S = 10.0  # a token that ends so soon is not begun with
_NEEDED = ("client-id", "idp-issuer-url", "refresh-token")
_AGAIN = "log in again with the program that wrote the kubeconfig"
_JWT_PARTS = 3


class _Claims(msgspec.Struct):
    exp: float | None = None


class _Credential(msgspec.Struct):
    access_token: str
    token_expiry: str


class _Answer(msgspec.Struct):
    credential: _Credential


@dataclass(slots=True)
class Providers:
    """Logs one user in, again and again: whoever asks again wants a token that is newer."""

    _written: Provided | None = field(default=None, init=False)
    _settings: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _given: str | None = field(default=None, init=False, repr=False)

    async def log_in(self, provided: Provided) -> Pass:
        """A token, and when it ends.

        Raises:
            Refused: the settings cannot be right, or the issuer does not take them.
            Unavailable: the issuer or the program did not answer as it should.
        """
        if self._written != provided:  # somebody logged in anew: that is newer than ours
            self._written, self._settings = provided, dict(provided.settings)
        name = "id-token" if provided.name == "oidc" else "access-token"
        if self._given is not None and self._given == self._settings.get(name):
            del self._settings[name]
        if provided.name == "oidc":
            token, expires = await _oidc(provided, self._settings)
        else:
            token, expires = await _gcp(provided, self._settings)
        self._given = token
        return Pass(token=token, expires=expires)


async def _oidc(provided: Provided, settings: dict[str, str]) -> tuple[str, float | None]:
    token = settings.get("id-token")
    if token:
        expires = _end_of(token, provided.source)
        if expires is None or expires > time.time() + _EARLY_S:
            return token, expires
    renewed = await _renewed(provided, settings)
    settings |= renewed
    return renewed["id-token"], _end_of(renewed["id-token"], provided.source)


async def _renewed(provided: Provided, settings: dict[str, str]) -> dict[str, str]:
    missing = [name for name in _NEEDED if not settings.get(name)]
    if missing:
        lacks = " and ".join(f"`{name}`" for name in missing)
        raise Refused(
            f"{provided.source}: the id-token has ended, and there is no {lacks}; {_AGAIN}"
        )
    issuer = settings["idp-issuer-url"]
    if not issuer.startswith("https://"):
        raise Refused(
            f"{provided.source}: `idp-issuer-url` must be an https URL, and is `{issuer}`"
        )
    trust = await asyncio.to_thread(_trust, provided, settings)
    requester = _Issuer(settings["client-id"], settings.get("client-secret", ""), issuer, trust)
    what = f"{provided.source}: the OIDC issuer {issuer}"
    try:
        with world(what):
            async with asyncio.timeout(_WAIT_S):
                answer = await requester.refresh_token(settings["refresh-token"])
    except ConfigException as error:
        raise _issuer_said(error, what) from error
    except (KeyError, TypeError, ValueError) as error:
        raise Unavailable(f"{what} gave no answer that can be read: {error}") from error
    if not isinstance(answer, dict) or not answer.get("id_token"):
        raise Unavailable(f"{what} gave no id_token; {_AGAIN}")
    return {
        "id-token": answer["id_token"],
        "refresh-token": answer.get("refresh_token") or settings["refresh-token"],
    }


class _Issuer(OpenIDRequestor):
    """The library's requester, which never asks in the clear, wherever it is sent."""

    def _client_session(self) -> aiohttp.ClientSession:
        ours = aiohttp.encode_basic_auth(self._client_id, self._client_secret)
        return aiohttp.ClientSession(
            headers={**self._default_headers, "Authorization": ours},
            connector=aiohttp.TCPConnector(ssl=self._ssl_ca_cert or True),
            raise_for_status=True,
            trust_env=True,
            middlewares=(_only_https,),
        )


async def _only_https(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    if request.url.scheme != "https":
        raise ValueError(f"it wants secrets without TLS, at {request.url}")
    return await handler(request)


def _trust(provided: Provided, settings: dict[str, str]) -> ssl.SSLContext:
    data = settings.get("idp-certificate-authority-data")
    file = settings.get("idp-certificate-authority")
    authorities = read_file(provided.folder / file) if file else None
    if data:
        try:
            authorities = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            name = "idp-certificate-authority-data"
            raise Refused(f"{provided.source}: {name} is not base64") from error
    return tls.context(Material(authorities=authorities), source=provided.source)


def _issuer_said(error: ConfigException, what: str) -> Refused | Unavailable:
    cause = error.__cause__
    status = cause.status if isinstance(cause, aiohttp.ClientResponseError) else 0
    if status in {400, 401, 403}:  # RFC 6749: the refresh token or the client is not good
        return Refused(f"{what} refuses to renew the token ({status}); {_AGAIN}")
    return Unavailable(f"{what}: {error} ({status or cause})")


def _end_of(token: str, source: str) -> float | None:
    """Seconds since 1970 at which a token ends; None if it does not say."""
    parts = token.split(".")
    try:
        if len(parts) != _JWT_PARTS:
            raise ValueError("it has not three parts")  # noqa: TRY301 - the same sentence for all
        claims = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(claims, type=_Claims).exp
    except (ValueError, msgspec.MsgspecError) as error:
        raise Refused(f"{source}: the id-token is no JWT: {error}; {_AGAIN}") from error


async def _gcp(provided: Provided, settings: dict[str, str]) -> tuple[str, float | None]:
    async def program() -> SimpleNamespace:
        return await _google(provided, settings)

    loader = KubeConfigLoader(_alone(settings), "it", get_google_credentials=program)
    try:
        bearer: str = await loader.load_gcp_token()
        expires = _seconds(settings.get("expiry"))
    except (ConfigException, ValueError, TypeError, AttributeError) as error:
        raise Refused(f"{provided.source}: the auth-provider gcp: {error}; {_AGAIN}") from error
    return bearer.removeprefix("Bearer "), expires


def _seconds(expiry: str | None) -> float | None:
    """Since 1970, of a time that is UTC unless it says otherwise."""
    if expiry is None:
        return None
    read = datetime.fromisoformat(expiry)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _alone(settings: dict[str, str]) -> dict[str, Any]:
    """A kubeconfig with this user and nothing else; the library writes into `settings`."""
    provider = {"name": "gcp", "config": settings}
    return {
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {}}],
        "users": [{"name": "it", "user": {"auth-provider": provider}}],
    }


async def _google(provided: Provided, settings: dict[str, str]) -> SimpleNamespace:
    command = settings.get("cmd-path")
    if not command:
        raise Refused(f"{provided.source}: the access-token has ended, and there is no `cmd-path`")
    plugin = Plugin(
        command=str(provided.folder / command) if "/" in command else command,
        arguments=tuple(shlex.split(settings.get("cmd-args", ""))),
        environment=provided.environment,
        version="",
        cluster=None,
        hint="",
    )
    try:
        said = msgspec.json.decode(await answer_of(plugin), type=_Answer).credential
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        what = f"the login program `{plugin.command}` gave no credential that can be read"
        raise Unavailable(f"{what}: {error}") from error
    return SimpleNamespace(token=said.access_token, expiry=said.token_expiry)
