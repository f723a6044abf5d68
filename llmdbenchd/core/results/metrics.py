"""What a run measured, in fixed units, and how several parts of it add up.

`None` means that the harness did not measure it, or that it cannot be known. It is
never written as zero: a latency of zero would be a perfect one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor

SPREADS = ("ttft_ms", "itl_ms", "tpot_ms", "ntpot_ms", "request_latency_s")


@dataclass(frozen=True, slots=True)
class Spread:
    """One latency's distribution over the requests that succeeded (or over their gaps)."""

    mean: float | None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `ordered` lies, between neighbours by distance."""
    place = share * (len(ordered) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread_of(values: Sequence[float]) -> Spread | None:
    """The distribution of single values; None when there are none."""
    if not values:
        return None
    ordered = sorted(values)
    p50, p90, p99 = (quantile(ordered, share) for share in (0.5, 0.9, 0.99))
    return Spread(sum(ordered) / len(ordered), p50, p90, p99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What one launcher, one stage or one run measured.

    Attributes:
        requests: requests that succeeded or failed; `failures` of them failed. Requests that
            were cut off when the time was up are neither, and are named in `notes`.
        duration_s: seconds of load, by the harness's own clock and definition.
        requests_per_s: successful requests per second, as the harness says. Never recomputed:
            harnesses differ in what they divide by. So are the two rates of tokens.
        ttft_ms: time to first token, milliseconds.
        itl_ms: gap between two tokens, milliseconds.
        tpot_ms: time per output token without the first, milliseconds.
        ntpot_ms: request latency divided by output tokens, milliseconds.
        request_latency_s: from sending a request to its last byte, seconds.
        notes: what a reader must know about these figures.
    """

    requests: int
    failures: int
    duration_s: float | None = None
    requests_per_s: float | None = None
    input_tokens_per_s: float | None = None
    output_tokens_per_s: float | None = None
    ttft_ms: Spread | None = None
    itl_ms: Spread | None = None
    tpot_ms: Spread | None = None
    ntpot_ms: Spread | None = None
    request_latency_s: Spread | None = None
    notes: tuple[str, ...] = ()

    @property
    def successes(self) -> int:
        """How many requests succeeded."""
        return self.requests - self.failures

    @property
    def failure_rate(self) -> float | None:
        """Share of failed requests, 0 to 1, or None when there were no requests."""
        return self.failures / self.requests if self.requests else None


def combine(launchers: Sequence[Metrics]) -> Metrics | None:
    """The run as a whole, from what its launchers measured side by side; None for no launcher.

    Counts and rates add up. The duration is the longest. Means are weighted by successful
    requests: exact for what is measured once per request, and as good as exact for gaps between
    tokens, since all launchers run the same workload. Percentiles of a whole cannot be known
    from percentiles of its parts, so they are None, and a note says so; the launchers' own stay
    in their native files.
    """
    return _together(launchers, "launchers", rate=_sum, duration=_longest)


def join_stages(stages: Sequence[Metrics]) -> Metrics | None:
    """One launcher's figures, from those of its stages one after another; None for no stage.

    As `combine`, but durations add up and rates are weighted by duration. Pauses between stages
    are in neither.
    """
    return _together(stages, "stages", rate=_by_duration, duration=_sum)


_Figures = Sequence[float | None]


def _together(
    parts: Sequence[Metrics],
    what: str,
    *,
    rate: Callable[[_Figures, _Figures], float | None],
    duration: Callable[[_Figures, _Figures], float | None],
) -> Metrics | None:
    if len(parts) < 2:  # noqa: PLR2004  # one part is the whole, percentiles and all
        return parts[0] if parts else None
    seconds = [part.duration_s for part in parts]

    def rated(name: str) -> float | None:
        return rate([getattr(part, name) for part in parts], seconds)

    return Metrics(
        requests=sum(part.requests for part in parts),
        failures=sum(part.failures for part in parts),
        duration_s=duration(seconds, seconds),
        requests_per_s=rated("requests_per_s"),
        input_tokens_per_s=rated("input_tokens_per_s"),
        output_tokens_per_s=rated("output_tokens_per_s"),
        ttft_ms=_spread(parts, "ttft_ms"),
        itl_ms=_spread(parts, "itl_ms"),
        tpot_ms=_spread(parts, "tpot_ms"),
        ntpot_ms=_spread(parts, "ntpot_ms"),
        request_latency_s=_spread(parts, "request_latency_s"),
        notes=_notes(parts, what),
    )


def _sum(figures: _Figures, _: _Figures) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None


def _longest(figures: _Figures, _: _Figures) -> float | None:
    return max((figure for figure in figures if figure is not None), default=None)


def _by_duration(figures: _Figures, seconds: _Figures) -> float | None:
    total, weighted = 0.0, 0.0
    for figure, length in zip(figures, seconds, strict=True):
        if figure is None or length is None:
            return None
        total, weighted = total + length, weighted + figure * length
    return weighted / total if total > 0 else None


def _measured(parts: Sequence[Metrics], name: str) -> list[tuple[int, float]]:
    """Successful requests and mean of each part that measured `name`."""
    spreads = [(part.successes, getattr(part, name)) for part in parts]
    return [
        (successes, spread.mean)
        for successes, spread in spreads
        if successes and spread is not None and spread.mean is not None
    ]


def _spread(parts: Sequence[Metrics], name: str) -> Spread | None:
    measured = _measured(parts, name)
    weight = sum(successes for successes, _ in measured)
    if not weight:
        return None
    return Spread(mean=sum(successes * mean for successes, mean in measured) / weight)


def unknown_percentiles(count: int, what: str) -> str:
    """The note that percentiles are missing, for what `combine` and `join_stages` add up."""
    return f"percentiles of {count} {what} together are not known, only those of each"


def _notes(parts: Sequence[Metrics], what: str) -> tuple[str, ...]:
    notes = [unknown_percentiles(len(parts), what)]
    useful = [part for part in parts if part.successes]
    for name in SPREADS:
        measured = len(_measured(parts, name))
        if 0 < measured < len(useful):
            notes.append(f"{name} is that of {measured} of {len(useful)} {what}")
    for part in parts:
        notes += [note for note in part.notes if note not in notes]
    return tuple(notes)
