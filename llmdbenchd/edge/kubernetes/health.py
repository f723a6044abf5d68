"""How the API server and we get on: what `status` shows, and what a benchmark counts."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A look at a session.

    Attributes:
        server: its address.
        answered_s_ago: since an answer that was none of a failing server; None = never.
        succeeded_s_ago: since an answer that was a success; None = never.
        trouble: of the last request; empty when it was answered.
        requests: how many were sent, by kind: `create pods`, `watch pods`, `get pods/log` ...
    """

    server: str
    answered_s_ago: float | None
    succeeded_s_ago: float | None
    trouble: str
    requests: Mapping[str, int]


@dataclass(slots=True)
class Pulse:
    """Keeps what a `Health` says; `now` gives seconds of a clock that never goes back."""

    server: str
    now: Callable[[], float]
    trouble: str = ""
    _answered_at: float | None = None
    _succeeded_at: float | None = None
    _requests: Counter[str] = field(default_factory=Counter)

    def sent(self, kind: str) -> None:
        """A request goes out."""
        self._requests[kind] += 1

    def answered(self, status: int) -> None:
        """An answer came, with this HTTP status."""
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self.trouble, self._answered_at = "", self.now()
        if status < HTTPStatus.MULTIPLE_CHOICES:
            self._succeeded_at = self.now()

    def look(self) -> Health:
        """As it is now."""
        return Health(
            server=self.server,
            answered_s_ago=self._since(self._answered_at),
            succeeded_s_ago=self._since(self._succeeded_at),
            trouble=self.trouble,
            requests=dict(self._requests),
        )

    def _since(self, moment: float | None) -> float | None:
        return None if moment is None else self.now() - moment


_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def kind_of(method: str, path: str, query: Mapping[str, str]) -> str:
    """What a request is, in the words of Kubernetes: verb, resource and subresource.

    Args:
        method: of HTTP, in capitals.
        path: below the server's address, as in `/api/v1/namespaces/bench/pods/p/log`.
        query: `watch` in it makes a watch.
    """
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if len(parts) > 2 and parts[0] == "namespaces":  # noqa: PLR2004 -- something within a namespace
        parts = parts[2:]
    if not parts:
        return f"get {path}"
    resource = "/".join([parts[0], *parts[2:3]])
    if method != "GET":
        return f"{_VERBS.get(method, method.lower())} {resource}"
    if len(parts) > 1:
        return f"get {resource}"
    return f"watch {resource}" if query.get("watch") in {"1", "true"} else f"list {resource}"


def spoken(method: str, path: str) -> str:
    """A request for a message; what lies behind a proxy is left out, as a secret may be in it."""
    head, proxy, _ = path.partition("/proxy/")
    return f"{method} {head}{proxy.rstrip('/')}"
