"""One report for all launchers of a run, made outside this process as the single ones are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmdbenchd.core.results.metrics import SPREADS, Metrics, Spread
from llmdbenchd.edge.reports import ReportContext, about, environment, outcomes_of

_PATIENCE = 5  # times what one report may take: figures of single requests are large files


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of it.

    Attributes:
        made: the report's name, or empty.
        problem: why there is none, or empty.
        metrics: of the whole, with percentiles of what could be pooled; None = not known better
            than by `combine`.
    """

    made: str = ""
    problem: str = ""
    metrics: Metrics | None = None


async def merge(
    launchers: Sequence[tuple[Path, Path]], harness: str, *, into: Path, context: ReportContext
) -> Merged:
    """Merge two or more launchers. May be repeated: the report is made anew, by rename.

    Args:
        launchers: of each its results and its reports; only read.
        harness: whose results they are.
        into: folder for the report; it is there.
        context: what the report is about.

    Raises:
        Unavailable: there is no room for the report, or no process can be started.
    """
    folders = [
        {"results": str(results.absolute()), "reports": str(reports.absolute())}
        for results, reports in launchers
    ]
    order = about(harness, into, context) | {"launchers": folders}
    patient = replace(context, timeout_s=context.timeout_s * _PATIENCE)
    env = environment(launchers[0][0], context)
    (outcome,) = await outcomes_of(order, 1, env, patient)
    return Merged(
        next(iter(outcome.get("made", ())), ""),
        outcome["problem"],
        _metrics(outcome.get("metrics")),
    )


def _metrics(said: Mapping[str, Any] | None) -> Metrics | None:
    """The figures as the child wrote them, as what they are."""
    if said is None:
        return None
    spreads = {name: Spread(**said[name]) for name in SPREADS if said[name] is not None}
    return Metrics(**(dict(said) | spreads | {"notes": tuple(said["notes"])}))
