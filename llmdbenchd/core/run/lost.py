"""Decisions about a run whose place says no to each look: nobody can see its launchers.

A namespace that was deleted takes our rights with it, so that "it is gone" is told as "you
may not". Some of that passes (a right is given back), and so there is a patience. Whoever is
not answered at all learns nothing: nothing is ever declared lost for that.
"""

from dataclasses import replace

from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.record import End, Failure, Record
from llmdbenchd.core.run.sight import Cause, Ended

_UNSEEN = Ended(Cause.LOST, detail="nobody may look at it any more")


def refusal_noted(record: Record, refused: str | None, now: Moment, limits: Limits) -> Record:
    """Begin, keep or end the patience with a place that says no.

    Args:
        record: of a run that has launchers, or is about to have some.
        refused: what it says; empty: it lets us look; None: it does not answer.
        now: this moment.
        limits: `lost_s` is the patience.
    """
    if refused:
        return record if record.lost_at else replace(record, lost_at=now.after(limits.lost_s))
    if refused is None and not now.reached(record.lost_at):
        return record
    return replace(record, lost_at=None)  # what ended while nobody answered is begun anew


def is_lost(record: Record, refused: str | None, now: Moment) -> bool:
    """Whether the patience is at an end, and it still says no."""
    return bool(refused) and now.reached(record.lost_at)


def lost(record: Record, refused: str | None, limits: Limits) -> Record:
    """The run's launchers have ended as far as anybody can tell, and why."""
    ended = {end.index for end in record.ends}
    ends = tuple(End(index, _UNSEEN) for index in record.seen if index not in ended)
    detail = (
        f"namespace deleted or rights withdrawn: no look was allowed for {limits.lost_s:g} s; "
        f"last said: {refused}"
    )
    failure = record.failure
    if failure is None and not record.cancels:
        failure = Failure("lost", detail)
    return replace(record, ends=(*record.ends, *ends), failure=failure)
