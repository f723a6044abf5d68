"""Old logins for real: an OIDC issuer behind TLS that gives each refresh token once."""

import base64
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import ScriptedApi, answer, failure, kubeconfig
from tests.fakes.faults import FaultProxy

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

ANYTHING = "/{path...}"
DISCOVERY = "/.well-known/openid-configuration"
HOUR_S = 3600.0


def _jwt(name: str, life_s: float = HOUR_S) -> str:
    """A token that ends in so many seconds; its base64 has a `_`, as half of all real ones."""
    claims = msgspec.json.encode({"exp": int(time.time() + life_s), "sub": name, "x": "???"})
    middle = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    if "_" not in middle:  # where the `?` fell between two groups of six bits
        return _jwt(f"{name}.", life_s)
    return f"head.{middle}.signed"


def _signed_itself(folder: Path) -> Path:
    """A certificate for 127.0.0.1; its key lies beside it."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-nodes", "-days", "2", "-subj", "/CN=issuer", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [*new, "-keyout", "issuer.key", "-out", "issuer.crt"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "issuer.crt"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the issuer's certificate and key."""
    return _signed_itself(tmp_path_factory.mktemp("issuer")).parent


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the same name that is not the issuer's."""
    return _signed_itself(tmp_path_factory.mktemp("stranger"))


class Issuer:
    """A token server: each refresh token is good once, and brings the next one.

    Attributes:
        url: of the issuer, with TLS.
        rotates: whether answers bring a new refresh token.
        life_s: of the tokens that it gives.
    """

    def __init__(self, url: str, api: ScriptedApi) -> None:
        self.url = url
        self.rotates = True
        self.life_s = HOUR_S
        self.given: list[str] = []
        self.requests = api.requests
        self._next = "r0"
        api.give("GET", DISCOVERY, {"token_endpoint": f"{url}/token"})
        api.on("POST", "/token", self._token)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if form["refresh_token"] != self._next:
            return answer({"error": "invalid_grant"}, status=400)
        self.given.append(_jwt(f"t{len(self.given)}", self.life_s))
        said = {"id_token": self.given[-1]}
        if self.rotates:
            self._next = f"r{len(self.given)}"
            said["refresh_token"] = self._next
        return answer(said)


@pytest.fixture
async def backend() -> AsyncIterator[ScriptedApi]:
    """What answers behind the issuer's TLS."""
    async with ScriptedApi() as started:
        yield started


@pytest.fixture
async def issuer(backend: ScriptedApi, authority: Path) -> AsyncIterator[Issuer]:
    """The issuer."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "issuer.crt", authority / "issuer.key")
    port = int(backend.url.rpartition(":")[2])
    async with FaultProxy("127.0.0.1", port, certificate=context) as proxy:
        yield Issuer(proxy.url, backend)


def _user(issuer: Issuer, authority: Path, **settings: object) -> Mapping[str, object]:
    """A user of the issuer, `_` for `-` in names; None takes a setting away."""
    known: dict[str, object] = {
        "client-id": "bench",
        "client-secret": "hush",
        "idp-issuer-url": issuer.url,
        "idp-certificate-authority": str(authority / "issuer.crt"),
        "refresh-token": "r0",
    }
    known |= {name.replace("_", "-"): value for name, value in settings.items()}
    config = {name: value for name, value in known.items() if value is not None}
    return {"auth-provider": {"name": "oidc", "config": config}}


def _spoken(api: ScriptedApi) -> list[str]:
    return [one.headers["Authorization"].removeprefix("Bearer ") for one in api.requests]


def _takes_only(api: ScriptedApi, *refused: str) -> None:
    """Let everybody in but these tokens."""

    async def handler(request: web.Request) -> web.StreamResponse:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        return failure(401) if token in refused else answer("ok")

    api.on("GET", ANYTHING, handler)


async def test_an_id_token_that_lives_is_used_and_nobody_is_asked(
    api: ScriptedApi, issuer: Issuer, authority: Path
) -> None:
    api.give("GET", ANYTHING, "ok")
    token = _jwt("written")
    session = await api.session(user=_user(issuer, authority, id_token=token))
    await session.ask("GET", "/version")

    assert _spoken(api) == [token]
    assert issuer.requests == []


@pytest.mark.parametrize("written", ["no token", "one that has ended"])
async def test_the_issuer_gives_a_new_token_and_the_kubeconfig_stays_as_it_is(
    api: ScriptedApi, issuer: Issuer, authority: Path, tmp_path: Path, written: str
) -> None:
    api.give("GET", ANYTHING, "ok")
    old = _jwt("old", -5) if written == "one that has ended" else None
    file = tmp_path / "config"
    text = kubeconfig(api.url, user=_user(issuer, authority, id_token=old))
    file.write_text(text)
    async with await Session.open(Access(file)) as session:
        await session.ask("GET", "/version")

    assert _spoken(api) == issuer.given
    client = issuer.requests[-1].headers["Authorization"]
    assert client == f"Basic {base64.b64encode(b'bench:hush').decode()}"
    assert file.read_text() == text


@pytest.mark.parametrize("rotates", [True, False])
async def test_a_token_that_is_refused_is_renewed_with_the_newest_refresh_token(
    api: ScriptedApi,
    issuer: Issuer,
    authority: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    rotates: bool,
) -> None:
    monkeypatch.setattr("llmdbenchd.edge.kubernetes.credentials._AGAIN_S", 0)
    issuer.rotates = rotates
    session = await api.session(user=_user(issuer, authority))
    for number in range(2):
        _takes_only(api, *issuer.given)
        assert await session.ask("GET", "/version") == b"ok"
        assert len(issuer.given) == number + 2


async def test_a_token_is_renewed_before_it_ends(
    api: ScriptedApi, issuer: Issuer, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmdbenchd.edge.kubernetes.login._SHORT_S", 0)
    issuer.life_s = -1  # of the issuer's clock: as soon as it is used it is due
    api.give("GET", ANYTHING, "ok")
    session = await api.session(user=_user(issuer, authority))
    await session.ask("GET", "/version")

    assert len(issuer.given) > 1
    assert _spoken(api) == issuer.given[-1:]


@pytest.mark.parametrize("settings", [{"idp_certificate_authority": None}, {}])
async def test_an_issuer_that_cannot_prove_itself_gets_no_secret(
    api: ScriptedApi,
    issuer: Issuer,
    authority: Path,
    stranger: Path,
    settings: Mapping[str, object],
) -> None:
    changed = settings or {"idp_certificate_authority": str(stranger)}
    with pytest.raises(Unavailable, match=r"context `scripted` .* certificate is not trusted"):
        await api.session(user=_user(issuer, authority, **changed))

    assert issuer.requests == []


async def test_secrets_never_go_in_the_clear_wherever_the_issuer_sends_them(
    api: ScriptedApi, issuer: Issuer, authority: Path, backend: ScriptedApi
) -> None:
    backend.give("GET", DISCOVERY, {"token_endpoint": f"{backend.url}/token"})
    with pytest.raises(Unavailable, match=r"wants secrets without TLS, at http://"):
        await api.session(user=_user(issuer, authority))

    assert backend.asked("POST", ANYTHING) == []


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"refresh_token": None}, "there is no `refresh-token`; log in again"),
        ({"refresh_token": "used"}, r"refuses to renew the token \(400\); log in again"),
        ({"idp_issuer_url": "http://x"}, "must be an https URL, and is `http://x`"),
        ({"idp_certificate_authority_data": "%"}, "authority-data is not base64"),
        ({"id_token": "opaque"}, "the id-token is no JWT"),
    ],
)
async def test_what_cannot_be_right_is_refused_with_where_it_is_written(
    api: ScriptedApi,
    issuer: Issuer,
    authority: Path,
    settings: Mapping[str, object],
    complaint: str,
) -> None:
    with pytest.raises(Refused, match=rf"context `scripted` of .*{complaint}"):
        await api.session(user=_user(issuer, authority, **settings))


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (failure(503), r"\(503\)"),
        (answer({}), "no answer that can be read"),
        (answer("hello"), "well-known"),
    ],
)
async def test_an_issuer_that_is_not_well_is_asked_again_later(
    api: ScriptedApi,
    issuer: Issuer,
    authority: Path,
    backend: ScriptedApi,
    said: web.Response,
    complaint: str,
) -> None:
    backend.give("GET", DISCOVERY, said)
    with pytest.raises(Unavailable, match=rf"the OIDC issuer {issuer.url}.*{complaint}"):
        await api.session(user=_user(issuer, authority))


async def test_azure_is_refused_with_what_to_do(api: ScriptedApi) -> None:
    user = {"auth-provider": {"name": "azure", "config": {"access-token": "t"}}}
    with pytest.raises(Refused, match=r"auth-provider `azure` .*kubelogin convert-kubeconfig"):
        await api.session(user=user)


def test_whoever_has_no_old_login_does_not_pay_for_kubernetes_asyncio() -> None:
    seen = (
        "import sys, llmdbenchd.edge.kubernetes.session; print('kubernetes_asyncio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", seen], check=True, capture_output=True, text=True)

    assert done.stdout == "False\n"
