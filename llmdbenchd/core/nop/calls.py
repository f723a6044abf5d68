"""Sleep and wake as they are asked for: which calls, in which order, and what came of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LEVELS = (1, 2)
RELOAD = "reload_weights"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the server, with its query and its body."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    query: Mapping[str, str]
    body: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One sleep and the waking after it, by our clock.

    Attributes:
        server: the pod's name; of what its launcher started with the port, as `pod:8002`.
        begun: seconds since 1970.
        sleep_s: from the request until the server says that it sleeps; None if it never did.
        wake_s: likewise until it is awake; after level 2 with the reload of its weights.
        reload_s: of the weights, of `wake_s`.
        first_token_s: of the first request afterwards.
        trouble: why something is not known.
    """

    server: str
    level: int
    begun: float
    sleep_s: float | None = None
    wake_s: float | None = None
    reload_s: float | None = None
    first_token_s: float | None = None
    trouble: str = ""


def sleep(level: int) -> Call:
    """Fall asleep."""
    return Call("sleep", "POST", "/sleep", {"level": str(level)})


def wakes(level: int) -> tuple[Call, ...]:
    """Wake up. What level 2 discarded is loaded anew, or the server would talk nonsense."""
    if level == 1:
        return (Call("wake_up", "POST", "/wake_up", {}),)
    return (
        Call("wake_up", "POST", "/wake_up", {"tags": "weights"}),
        Call(RELOAD, "POST", "/collective_rpc", {}, {"method": RELOAD}),
        Call("wake_up", "POST", "/wake_up", {"tags": "kv_cache"}),
    )


def first_token(model: str) -> Call:
    """A request for one token."""
    body = {"model": model, "prompt": "Once upon a time,", "max_tokens": 1}
    return Call("first token", "POST", "/v1/completions", {}, body)
