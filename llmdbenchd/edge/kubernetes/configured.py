"""From one context of a kubeconfig to the way that it means, its files read."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from llmdbenchd.edge.kubernetes.kubeconfig import (
    AuthProvider,
    Choice,
    Cluster,
    Entry,
    Exec,
    User,
    read_file,
)
from llmdbenchd.edge.kubernetes.way import (
    Material,
    Plugin,
    Proof,
    Provided,
    Server,
    Spoken,
    TokenFile,
    Way,
)
from llmdbenchd.ports import Refused

_PROVIDERS = ("oidc", "gcp")  # what kubernetes-asyncio knows; others it passes over in silence
_NOTES = "client.authentication.k8s.io/exec"  # whose extension of a cluster a login program reads


def way_of(choice: Choice, environment: Mapping[str, str]) -> Way:
    """The way that a context means. Reads certificates: call it in a thread.

    Args:
        choice: the context.
        environment: of this process, for login programs.

    Raises:
        Refused: something in it cannot be right, or is not supported; says what to do.
        Unavailable: a file that it names cannot be read.
    """
    cluster, user = choice.cluster, choice.user
    server = _server(choice)
    material = Material(
        authorities=_pem(cluster, "certificate-authority"),
        certificate=_pem(user, "client-certificate"),
        key=_pem(user, "client-key"),
        verified=not cluster.said.insecure_skip_tls_verify,
    )
    if (material.certificate is None) != (material.key is None):
        raise Refused(f"{choice.source}: client-certificate and client-key go together")
    return Way(server, material, _proof(choice, material, environment))


def _server(choice: Choice) -> Server:
    said = choice.cluster.said
    url = said.server.rstrip("/")
    if not url.startswith(("https://", "http://")):
        raise Refused(f"{choice.source}: `server` must be an http(s) URL, and is `{url}`")
    if said.proxy_url and not said.proxy_url.startswith(("http://", "https://")):
        raise Refused(
            f"{choice.source}: proxy-url `{said.proxy_url}`: only HTTP proxies are supported"
        )
    return Server(
        url=url,
        source=choice.source,
        namespace=choice.namespace,
        tls_name=said.tls_server_name or None,
        proxy=said.proxy_url or None,
    )


def _proof(choice: Choice, material: Material, environment: Mapping[str, str]) -> Proof:
    """A file's token before the one that is written down, as kubectl has it."""
    user = choice.user.said
    if user.impersonated:
        raise Refused(f"{choice.source}: `as` (to act as somebody else) is not supported")
    if user.token_file:
        return TokenFile(choice.user.file.parent / user.token_file)
    if user.token:
        return Spoken(f"Bearer {user.token}")
    if user.username:
        pair = f"{user.username}:{user.password}".encode()
        return Spoken(f"Basic {base64.b64encode(pair).decode()}")
    if user.plugin is not None:
        return _plugin(choice, user.plugin, material, environment)
    if user.auth_provider is not None:
        return _provided(choice, user.auth_provider, environment)
    return Spoken(None)


def _provided(choice: Choice, said: AuthProvider, environment: Mapping[str, str]) -> Provided:
    if said.name not in _PROVIDERS:
        raise Refused(
            f"{choice.source}: the auth-provider `{said.name}` is not supported; "
            "use a login program (`exec`): `kubelogin convert-kubeconfig` writes one for Azure"
        )
    if not said.config:
        raise Refused(
            f"{choice.source}: an auth-provider is not supported without its `config`; "
            "use a login program (`exec`), such as kubelogin for OIDC"
        )
    return Provided(
        name=said.name,
        settings={name: str(value) for name, value in said.config.items()},
        folder=choice.user.file.parent,
        environment=environment,
        source=choice.source,
    )


def _plugin(
    choice: Choice, said: Exec, material: Material, environment: Mapping[str, str]
) -> Plugin:
    if said.interactive_mode == "Always":
        raise Refused(
            f"{choice.source}: the login program `{said.command}` wants a terminal "
            "(interactiveMode: Always), and a daemon has none"
        )
    command = said.command
    if "/" in command:
        command = str(choice.user.file.parent / command)
    return Plugin(
        command=command,
        arguments=tuple(said.args or ()),
        environment={**environment, **{one.name: one.value for one in said.env or ()}},
        version=said.api_version,
        cluster=_told(choice.cluster.said, material) if said.provide_cluster_info else None,
        hint=said.install_hint,
    )


def _told(cluster: Cluster, material: Material) -> Mapping[str, object]:
    """What a login program may know about the cluster, in the words of its protocol."""
    authorities = material.authorities
    notes = [one.extension for one in cluster.extensions or () if one.name == _NOTES]
    told: dict[str, object] = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(authorities or b"").decode(),
        "proxy-url": cluster.proxy_url,
        "config": notes[0] if notes else None,
    }
    return {name: value for name, value in told.items() if value}


def _pem(entry: Entry[Cluster] | Entry[User], name: str) -> bytes | None:
    """What is written down (in base64) wins over a file, as kubectl has it."""
    attribute = name.replace("-", "_")
    data, file = getattr(entry.said, f"{attribute}_data"), getattr(entry.said, attribute)
    if data:
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise Refused(f"{entry.file}: {name}-data is not base64") from error
    return read_file(entry.file.parent / Path(file).expanduser()) if file else None
