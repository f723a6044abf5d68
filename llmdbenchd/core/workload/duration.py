"""The room of workloads: how long a rendered one says that its load lasts."""

from collections.abc import Mapping, Sequence

import yaml

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_COUNTS = ("num-prompts", "request-count")  # of vLLM's benchmark and of aiperf
_RATE = "request-rate"
_LONGEST = 1e9  # nobody means more; and it keeps infinity out


def load_s(text: str) -> float:
    """Seconds, or 0 where the workload does not say: many end when all requests were answered."""
    workload = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one; rendering proved it YAML
    return _stages_s(workload) or _strategies_s(workload) or _requests_s(workload)


def patience_s(longest_s: float) -> int:
    """How long to wait for a load of `longest_s`: the last answers and the reports take time."""
    return int(longest_s * 1.2) + 60


def _stages_s(workload: object) -> float:
    """inference-perf: one stage after the other."""
    return sum(_number(_at(one, "duration")) for one in _items(_at(workload, "load", "stages")))


def _strategies_s(workload: object) -> float:
    """guidellm: one rate, or number of streams, after the other, each for so long at most."""
    profile = _at(workload, "spec", "profile")
    limits = _items(_at(workload, "spec", "constraints"))
    each = [_number(_at(one, "seconds")) for one in limits if _at(one, "kind") == "max_duration"]
    lists = [_items(_at(profile, name)) for name in ("rate", "streams")]
    return max(each, default=0) * max(1, *map(len, lists))


def _requests_s(workload: object) -> float:
    """So many requests, so many of them each second."""
    rate = _number(_at(workload, _RATE))
    count = max(_number(_at(workload, name)) for name in _COUNTS)
    return count / rate if rate else 0.0


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < _LONGEST else 0.0
