"""A load that is to be written: whose wording, how long each part takes, how it fails."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.simulate.wordings import UnknownVersion, Wordings

_SHARES = {
    "front_end_begin": 0.10,
    "weights_load_s": 0.27,
    "post_load": 0.03,
    "dynamo_s": 0.08,
    "graph_compile_s": 0.22,
    "first_run_s": 0.05,
    "memory_profiling_s": 0.03,
    "graph_capture_s": 0.12,
    "front_end": 0.10,
}
"""How the seconds of a load are shared out where nothing else is asked for."""
_DEFAULTS = {
    "model_load_size_gib": 1.25,
    "initial_free_gib": 23.5,
    "free_after_profiling_gib": 21.75,
    "kv_cache_available_gib": 18.5,
    "kv_cache_tokens": 1212416.0,
    "graph_capture_gib": 0.46,
    "sleep_s": 0.2,
    "sleep_in_use_gib": 0.75,
    "wake_s": 0.1,
}
_FURTHER = frozenset({"weights_download_s", "graph_cache_load_s"})
_TELLABLE = frozenset((_SHARES.keys() & NAMES.keys()) | _DEFAULTS.keys() | _FURTHER)
_STAGES = frozenset(_SHARES) | _FURTHER
_DIGITS = 2


class Failure(StrEnum):
    """How a start fails on purpose."""

    MODEL = "model"  # no such model: before any engine is made
    MEMORY = "memory"  # not enough for the weights
    KV_CACHE = "kv-cache"  # nothing is left for the KV cache
    KILLED = "killed"  # the log simply ends in the middle of loading, as by the kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the stand-in writes before it serves.

    Attributes:
        version: whose wording, such as `0.19` or `0.19.1`.
        seconds: from the first line until it serves.
        values: by name of `core.nop.names`, in its unit; stages that are not named share what
            is left of `seconds`, sizes have defaults.
        debug: write what vLLM writes at level DEBUG too, with milliseconds in its stamps.
        sleep_mode: whether a sleep frees memory.
        fail: None = it comes up.
    """

    version: str
    seconds: float = 3.0
    values: Mapping[str, float] = field(default_factory=dict)
    debug: bool = False
    sleep_mode: bool = False
    fail: Failure | None = None

    def problems(self) -> list[str]:
        """What makes no sense in it, one sentence each."""
        found = []
        try:
            Wordings(self.version)
        except UnknownVersion as error:
            found.append(f"load-log: {error}")
        if not (math.isfinite(self.seconds) and self.seconds >= 0):
            found.append(f"load-seconds is {self.seconds}: must be 0 or more")
        for name, value in self.values.items():
            if name not in _TELLABLE:
                found.append(f"load-value {name}: can be {', '.join(sorted(_TELLABLE))}")
            elif not (math.isfinite(value) and value >= 0):
                found.append(f"load-value {name} is {value}: must be 0 or more")
        if {"graph_compile_s", "graph_cache_load_s"} <= self.values.keys():
            found.append("load-value: graphs are compiled or come from the cache, not both")
        named = sum(self.values.get(name, 0.0) for name in _STAGES)
        if not found and named > self.seconds:
            found.append(f"load-value: {named} s in all, more than load-seconds, {self.seconds}")
        return found

    @property
    def is_warm(self) -> bool:
        """Whether compiled graphs come from the cache."""
        return "graph_cache_load_s" in self.values

    def complete(self) -> dict[str, float]:
        """Every stage's seconds and every size; of stages, their sum is `seconds`."""
        open_ = {name: share for name, share in _SHARES.items() if name not in self.values}
        if self.is_warm:
            open_.pop("graph_compile_s", None)
        left = self.seconds - sum(self.values.get(name, 0.0) for name in _STAGES)
        whole = sum(open_.values())
        shares = {name: round(left * share / whole, _DIGITS) for name, share in open_.items()}
        rest = {name: 0.0 for name in _SHARES if name not in shares}
        return _DEFAULTS | rest | shares | dict(self.values)
