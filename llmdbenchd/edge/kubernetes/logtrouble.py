"""The Kubernetes room's scribe: what is in the way of a log, and for how long that is borne."""

import asyncio
import math
from dataclasses import dataclass, replace
from http import HTTPStatus

from llmdbenchd.edge.kubernetes.errors import BadRequest, Failed, Forbidden, NotFound, Throttled
from llmdbenchd.ports import Refused, Unavailable

UNBEGUN_S = 2.0  # between looks at a log that is not begun: when it is, the watch says so sooner
SOON_S, LATE_S = 10.0, 600.0  # for how long a last read is tried again, by what is in its way


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an answer was not a whole one, and for how long a last read is tried again for it."""

    what: str
    patience_s: float
    pause_s: float = 0.0
    loses: bool = True  # also where nothing was read yet

    def briefly(self) -> "Trouble":
        """The same, where nobody can wait for long."""
        return replace(self, patience_s=min(self.patience_s, SOON_S))


def passing(what: str) -> Trouble:
    """What is likely to be over soon."""
    return Trouble(what, SOON_S)


def trouble_of(error: Refused | Unavailable, pod: str) -> Trouble:
    """What an error means for the log of a pod."""
    match error:
        case BadRequest():  # it never started, and now never will
            return Trouble(str(error), 0, UNBEGUN_S, loses=False)
        case NotFound() if f'pods "{pod}" not found' in str(error):  # the API server itself
            return Trouble(str(error), 0)
        case Forbidden() | Failed(status=HTTPStatus.INTERNAL_SERVER_ERROR):
            return Trouble(str(error), LATE_S)  # somebody mends it, or the kubelet comes back
        case Refused():  # a kubelet that just started knows no pods yet
            return passing(str(error))
        case Throttled():
            return Trouble(str(error), math.inf, error.retry_after_s)
        case _:  # nobody answers: that says nothing about the log
            return Trouble(str(error), math.inf)


@dataclass(slots=True)
class Patience:
    """For how long the same kind of trouble has been in the way of the last read."""

    patience_s: float = math.nan
    since: float = 0

    def is_at_end(self, trouble: Trouble) -> bool:
        """Whether it was long enough by now."""
        now = asyncio.get_running_loop().time()
        if trouble.patience_s != self.patience_s:
            self.patience_s, self.since = trouble.patience_s, now
        return now - self.since >= self.patience_s
