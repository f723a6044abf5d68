"""What was last seen of a launcher: a closed set of shapes.

`Unknown` is not `Absent`: it is what we say until a complete list was read, and
after our own write until that is confirmed. It never leads to an action.
"""

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why a launcher ended, as far as its engine can tell."""

    EXITED = "exited"  # by itself, with the exit code
    STOPPED = "stopped"  # because we asked it to
    KILLED = "killed"  # by a signal that we did not send
    NOT_STARTED = "not started"  # its program could not be executed
    OOM = "out of memory"
    EVICTED = "evicted"  # its node needed the room, or was drained
    DEADLINE = "deadline exceeded"  # its own, set on the pod
    LOST = "lost"  # what held it is gone, and nobody wrote down how it ended


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody has looked yet, or our own last write is not confirmed."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A complete look found no such launcher."""


@dataclass(frozen=True, slots=True)
class Pending:
    """It exists and does not run yet.

    Attributes:
        reason: what it waits for, for people.
        waits: the time-out that measures this wait: `bind` (a volume), `pull` (an
            image), or empty where only `start` does.
        hopeless: it will not start unless somebody mends something.
    """

    reason: str = ""
    waits: str = ""
    hopeless: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """Its harness container (or process) runs."""


@dataclass(frozen=True, slots=True)
class Ended:
    """It will never run again.

    Attributes:
        cause: why.
        code: exit code, or None when there is none (a signal, not started, lost).
        signal: number of the signal that ended it, or None.
        detail: one sentence for people; may be empty.
        began: whether its program may have run; if not, it left no results.
    """

    cause: Cause
    code: int | None = None
    signal: int | None = None
    detail: str = ""
    began: bool = True

    @property
    def ok(self) -> bool:
        """Whether it ended by itself and said that all is well."""
        return self.cause is Cause.EXITED and self.code == 0


Sight = Unknown | Absent | Pending | Running | Ended
