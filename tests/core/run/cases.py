"""All small cases of a run: records, sights and moments, few and finite on purpose."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.decide import Look
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import FINAL, Phase
from llmdbenchd.core.run.record import Collected, End, Failure, Record, Target
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Pending, Running, Sight, Unknown

NOW = Moment(datetime(2026, 11, 24, 12, 0, tzinfo=UTC), 1000.0, "boot")
GOOD = Ended(Cause.EXITED, code=0)
BAD = Ended(Cause.EXITED, code=3)
NEVER = Ended(Cause.NOT_STARTED, began=False)
STUCK = Pending("no such image", waits="pull", hopeless=True)
WAITING = Pending("a claim", waits="bind")
SIGHTS: tuple[Sight, ...] = (Unknown(), Absent(), WAITING, STUCK, Running(), GOOD, BAD)
LIMITS = Limits(launchers=2, attempts=2)
HOME = Collected(files=3, size=10, manifest="launcher", native_files=1, requests=5, failures=0)
TARGET = Target("http://127.0.0.1:1", ("127.0.0.1:1",))
PAST, AHEAD = NOW.after(-1), NOW.after(60)


def record(phase: Phase = Phase.QUEUED, **facts: object) -> Record:
    """A record of run `j/r001` in `phase`, with these facts."""
    fields: dict[str, object] = {"job": "j", "run": "r001", "submitted": NOW.utc, "since": NOW.utc}
    if phase not in {Phase.QUEUED, Phase.RESOLVING}:
        fields["target"] = TARGET
    if phase in {Phase.REPORTING, Phase.CLEANING}:
        fields["verdict"] = Verdict(Outcome.SUCCEEDED, "good", "5 requests")
    return Record(**{**fields, "phase": phase, **facts})  # type: ignore[arg-type]  # a table of facts


def records() -> Iterator[Record]:
    """Every combination of the facts that decisions look at (two launchers)."""
    for phase, attempt, cancels, deadline, seen in product(
        Phase, (1, 2), (0, 1, 2), (None, PAST, AHEAD), ((), (1,), (1, 2))
    ):
        for failure, home, ends in product(
            (None, Failure("launcher", "x"), Failure("refused", "x")),
            (None, HOME),
            ((), (End(1, GOOD), End(2, GOOD)), (End(1, BAD),), (End(1, NEVER),)),
        ):
            if (ends and not seen) or (phase in FINAL and (failure or home or ends or deadline)):
                continue  # impossible, or the same answer many times over
            if attempt > 1 and (cancels or deadline):
                continue
            yield record(
                phase,
                attempt=attempt,
                cancels=cancels,
                deadline=deadline,
                stopping=deadline,
                seen=seen,
                failure=failure,
                collected=home,
                logs_done=seen if home else (),
                ends=ends,
                sealed=home is not None,
                uncollected="" if home or phase is not Phase.CLEANING else "disk",
            )


def looks(limits: Limits = LIMITS) -> list[Look]:
    """Every pair of sights, with and without a turn."""
    return [
        Look(sights, NOW, limits, turn=turn)
        for sights in product(SIGHTS, repeat=2)
        for turn in (True, False)
    ]


def refusals(limits: Limits = LIMITS) -> list[Look]:
    """Every pair of sights, where the place says no to each look, and where it does not answer."""
    return [
        Look(sights, NOW, limits, refused=said)
        for sights in product(SIGHTS, repeat=2)
        for said in ("forbidden", None)
    ]
