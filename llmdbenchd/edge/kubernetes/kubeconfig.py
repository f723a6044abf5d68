"""Kubeconfig files: read and merged as kubectl does, and never written.

They are read here and not by kubernetes-asyncio, whose import alone costs a second and 70 MB,
and which takes the last `current-context` of several files where kubectl takes the first,
leaves keys in temporary files, and sets no time limit for login programs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import yaml

from llmdbenchd.ports import Refused, Unavailable

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # where libyaml is, ten times faster


class Extension(msgspec.Struct):
    """Somebody's notes on a cluster."""

    name: str
    extension: Any = None


class Cluster(msgspec.Struct, rename="kebab"):
    """Where an API server is, and whom to trust there."""

    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    extensions: list[Extension] | None = None


class Variable(msgspec.Struct):
    """One of a login program's environment."""

    name: str
    value: str


class Exec(msgspec.Struct, rename="camel"):
    """A login program."""

    command: str
    api_version: str
    args: list[str] | None = None
    env: list[Variable] | None = None
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class AuthProvider(msgspec.Struct):
    """What login programs have replaced."""

    name: str
    config: dict[str, Any] | None = None


class User(msgspec.Struct, rename="kebab"):
    """What proves somebody."""

    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    username: str = ""
    password: str = ""
    plugin: Exec | None = msgspec.field(default=None, name="exec")
    auth_provider: AuthProvider | None = None
    impersonated: str = msgspec.field(default="", name="as")


class Context(msgspec.Struct, rename="kebab"):
    """A cluster, a user, a namespace."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class _NamedCluster(msgspec.Struct):
    name: str
    cluster: Cluster


class _NamedUser(msgspec.Struct):
    name: str
    user: User | None = None


class _NamedContext(msgspec.Struct):
    name: str
    context: Context


class _File(msgspec.Struct, rename="kebab"):
    current_context: str | None = None
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None


_Said = TypeVar("_Said", Cluster, User, Context)


@dataclass(frozen=True, slots=True)
class Entry(Generic[_Said]):
    """What is said, and in which file: paths in it begin at that file's folder."""

    said: _Said
    file: Path


@dataclass(frozen=True, slots=True)
class Choice:
    """One context with its cluster and its user, each from the file that first says it."""

    context: str
    namespace: str
    cluster: Entry[Cluster]
    user: Entry[User]

    @property
    def source(self) -> str:
        """Where it is written, for people."""
        return f"context `{self.context}` of {self.cluster.file}"


def choose(files: Iterable[Path], context: str | None) -> Choice:
    """Read the files and follow one context, or the current one.

    Raises:
        Refused: a file is none, or the context leads nowhere; says where and what to do.
        Unavailable: a file cannot be read.
    """
    read = [(file, _read(file)) for file in files]
    where = " and ".join(str(file) for file, _ in read)
    contexts = _first(
        (one.name, Entry(one.context, at)) for at, f in read for one in f.contexts or ()
    )
    clusters = _first(
        (one.name, Entry(one.cluster, at)) for at, f in read for one in f.clusters or ()
    )
    users = _first(
        (one.name, Entry(one.user or User(), at)) for at, f in read for one in f.users or ()
    )
    name = context or next((f.current_context for _, f in read if f.current_context), None)
    if name is None:
        raise Refused(f"{where}: no current-context; set `context` to {_any_of(contexts)}")
    if name not in contexts:
        raise Refused(f"{where}: no context `{name}`; there is {_any_of(contexts)}")
    chosen = contexts[name]
    cluster, user = chosen.said.cluster, chosen.said.user
    if cluster not in clusters:
        raise Refused(
            f"{chosen.file}: context `{name}` names the cluster `{cluster}`, which is not there"
        )
    if user and user not in users:
        raise Refused(f"{chosen.file}: context `{name}` names the user `{user}`, who is not there")
    nobody = Entry(User(), chosen.file)
    return Choice(name, chosen.said.namespace, clusters[cluster], users.get(user, nobody))


def read_file(file: Path) -> bytes:
    """The bytes of a file.

    Raises:
        Unavailable: it cannot be read; says which.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise Unavailable(f"{file}: cannot be read: {error.strerror}") from error


def _read(file: Path) -> _File:
    text = read_file(file)
    try:
        return msgspec.convert(yaml.load(text, _LOADER) or {}, _File)  # noqa: S506 -- it is a safe loader
    except yaml.MarkedYAMLError as error:
        line = 0 if error.problem_mark is None else error.problem_mark.line + 1
        raise Refused(f"{file}: line {line} is not YAML: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refused(f"{file}: this is not YAML") from error
    except msgspec.ValidationError as error:
        raise Refused(f"{file}: this is no kubeconfig: {error}") from error


def _first(entries: Iterable[tuple[str, Entry[_Said]]]) -> Mapping[str, Entry[_Said]]:
    kept: dict[str, Entry[_Said]] = {}
    for name, entry in entries:
        kept.setdefault(name, entry)
    return kept


def _any_of(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in sorted(names)) or "nothing, as none is in it"
