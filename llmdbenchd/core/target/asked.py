"""The room of targets: what is asked for, and the three answers that there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

AUTO = "auto"  # the model that is served
_NAMED = 8  # candidates that a sentence names


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run says about its target.

    Attributes:
        endpoint: a URL that needs no look-up; empty where the method says how to look.
        method: `standalone`, `modelservice`, or part of a service's or a pod's name.
        namespace: where the stack is; of no interest without a cluster.
        near: where launchers are, for short names in URLs.
        model: the model under test, or `AUTO`.
        shared: no lease is taken on what is found.
        keyed: launchers have a key for it, and we do not.
        loading: it need not serve yet: how it comes to serve is what the run is about.
    """

    endpoint: str = ""
    method: str = ""
    namespace: str = ""
    near: str = ""
    model: str
    shared: bool = False
    loading: bool = False
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """Where the API server's proxy reaches a target.

    Attributes:
        kind: `services` or `pods`.
        port: its number, for a Service also its name.
        scheme: `http` or `https`.
        path: what stands before `/v1`, without a slash at its end.
    """

    kind: Literal["services", "pods"]
    namespace: str
    name: str
    port: str
    scheme: str = "http"
    path: str = ""

    def url(self, path: str) -> str:
        """The path on the API server; `path` is the target's own, with its leading slash."""
        scheme = "https:" if self.scheme == "https" else ""
        base = f"/api/v1/namespaces/{self.namespace}/{self.kind}/{scheme}{self.name}:{self.port}"
        return f"{base}/proxy{self.path}{path}"


@dataclass(frozen=True, slots=True)
class Server:
    """A pod behind a target, and the node that it runs on (empty if nobody says)."""

    namespace: str
    pod: str
    node: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.pod}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Where the pods behind a target are to be found: Services, and pools of servers."""

    services: tuple[str, ...] = ()
    pools: tuple[tuple[str, str], ...] = ()  # group and name


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One target.

    Attributes:
        endpoint: its URL.
        what: the chosen object, for people.
        door: the way to it through the API server; None where there is none.
        namespace: of the backends.
        servers: pods that are known already.
    """

    endpoint: str
    what: str
    door: Door | None = None
    namespace: str = ""
    backends: Backends = Backends()
    servers: tuple[Server, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """It is none, or more than one; asking again will not help. Says what to do."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """It is there and not ready; it may be soon."""

    reason: str


Answer = Chosen | Refusal | NotYet


def listed(names: Iterable[str]) -> str:
    """The names as part of a sentence; of many, the first."""
    everyone = sorted(names)
    more = len(everyone) - _NAMED
    shown = ", ".join(everyone[:_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown or "none"
