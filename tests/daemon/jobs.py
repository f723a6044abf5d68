"""Job files for the fake harness."""

from collections.abc import Mapping
from typing import Any

NOWHERE = "http://127.0.0.1:9"  # the fake harness never asks it


def job(
    *, seconds: float = 0.05, fake: Mapping[str, object] | None = None, **fields: object
) -> dict[str, Any]:
    """A job file for the fake harness; `harness__x` is the field `harness.x`."""
    told = {"FAKE_HARNESS_SECONDS": seconds, "FAKE_HARNESS_REQUESTS": 5, **(fake or {})}
    harness = {
        name.removeprefix("harness__"): fields.pop(name)
        for name in list(fields)
        if name.startswith("harness__")
    }
    return {
        "endpoint": NOWHERE,
        "workload": "sanity_fixed",
        "share_target": True,
        "harness": {
            "name": "inference-perf",
            "env": {name: str(value) for name, value in told.items()},
            **harness,
        },
        **fields,
    }
