"""What repetitions of one cell say together: mean and standard deviation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

_CELL = ("job", "harness", "model", "method", "treatment")
_FIGURES = (
    "ttft_ms", "itl_ms", "tpot_ms", "ntpot_ms", "request_latency_s",
    "output_tokens_per_s", "input_tokens_per_s", "requests_per_s", "duration_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repeated:
    """One cell of a job, measured more than once.

    Attributes:
        cell: job, harness, model, method and treatment by name.
        runs: how many repetitions SUCCEEDED; only those count.
        figures: name to mean and sample standard deviation over them (of a latency: of its
            mean); a figure that one of them lacks is left out.
    """

    cell: Mapping[str, str]
    runs: int
    figures: Mapping[str, tuple[float, float]]


def repeated(rows: Iterable[Mapping[str, Any]]) -> tuple[Repeated, ...]:
    """All cells with two or more repetitions that SUCCEEDED, in the order of `rows`.

    Args:
        rows: of `results --json`.
    """
    cells: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["phase"] == "SUCCEEDED":
            cells.setdefault(tuple(row[name] for name in _CELL), []).append(row)
    return tuple(
        Repeated(dict(zip(_CELL, cell, strict=True)), len(runs), _figures(runs))
        for cell, runs in cells.items()
        if len(runs) > 1
    )


def _figures(runs: list[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    found = {name: [_figure(run[name]) for run in runs] for name in _FIGURES}
    known = {
        name: [value for value in values if value is not None] for name, values in found.items()
    }
    return {
        name: (mean(values), stdev(values))
        for name, values in known.items()
        if len(values) == len(runs)
    }


def _figure(value: object) -> float | None:
    number = value.get("mean") if isinstance(value, Mapping) else value
    return float(number) if isinstance(number, int | float) else None
