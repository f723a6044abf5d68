"""The way to an API server, as it was read: its address, whom to trust, and what proves us."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An API server.

    Attributes:
        url: without a slash at its end; may have a path.
        source: where that is written, for people: "context `lab` of /home/x/.kube/config".
        namespace: what the source says, or empty.
        tls_name: the name in its certificate where it is not that of the address.
        proxy: URL of an HTTP proxy.
    """

    url: str
    source: str
    namespace: str = ""
    tls_name: str | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a TLS context is made of, in PEM.

    Attributes:
        authorities: whom to trust; None = whom this machine trusts.
        certificate: ours, and `key`; both or none.
        verified: whether the server must prove who it is.
    """

    authorities: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Spoken:
    """A value for the `Authorization` header, or none at all."""

    authorization: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file with a token that somebody else renews."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A program that logs us in (`exec` of a kubeconfig).

    Attributes:
        command: a name to be looked up in PATH, or a path.
        environment: its whole environment, without what it is asked.
        version: of the question and the answer (`client.authentication.k8s.io/...`).
        cluster: what it wants to know about the cluster, or None.
        hint: how to install it, for people.
    """

    command: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    version: str
    cluster: Mapping[str, object] | None
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provided:
    """An `auth-provider` of an old kubeconfig.

    Attributes:
        name: `oidc` or `gcp`.
        settings: its `config`, all texts.
        folder: where paths in the settings begin.
        environment: for a program that the settings name.
        source: where it is written, for people.
    """

    name: str
    settings: Mapping[str, str] = field(repr=False)
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    source: str


Proof = Spoken | TokenFile | Plugin | Provided


@dataclass(frozen=True, slots=True)
class Way:
    """All three."""

    server: Server
    material: Material
    proof: Proof
