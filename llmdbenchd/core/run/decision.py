"""What `decide` answers with."""

from dataclasses import dataclass

from llmdbenchd.core.run.actions import Action
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.record import Record


@dataclass(frozen=True, slots=True)
class Decision:
    """The record to save, what to do after saving it, and when to look again."""

    record: Record
    actions: tuple[Action, ...] = ()
    wake_at: Moment | None = None


def wait(record: Record, now: Moment, *until: Moment | None) -> Decision:
    """Nothing to do before something moves, or the first of `until` that is still to come.

    A moment that has passed wakes nobody: who waits beyond it waits for something else.
    """
    ahead = [moment for moment in until if moment is not None and not now.reached(moment)]
    return Decision(record, wake_at=min(ahead, key=now.until, default=None))
