"""The queue and the records on a local disk: which dropped files are whole. Pure.

A file is whole when it came by a rename, or its writer closed it and was quiet for a
moment, or, where nobody saw how it came, it looks the same for a while and has no writer.
Hints may be lost; then only the last rule is left, and that is fine.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from fnmatch import fnmatchcase

from llmdbenchd.edge.files.kernel import Writer

_TAKEN = ("*.yaml", "*.yml")
_IGNORED = (".*", "*~", "*.swp", "*.part", "*.tmp", "4913")  # editors, rsync, browsers; vim's probe


class Kind(Enum):
    """What a name in the queue stands for."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"  # a link, a pipe, a device: taken, to be refused with a word why


class Hint(Enum):
    """What the kernel said last about a name."""

    NONE = "none"  # nothing, or what it said is lost
    CREATED = "created"  # made; nobody opened it yet (a link shows no more than this)
    WRITING = "writing"  # opened or written, and not closed since
    CLOSED = "closed"  # its writer closed it
    MOVED_IN = "moved in"  # it was renamed to this name
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one name; `size` in bytes, `mtime_ns` since the epoch."""

    kind: Kind
    size: int
    mtime_ns: int
    inode: int
    writer: Writer = Writer.UNKNOWN

    @property
    def mark(self) -> tuple[int, int, int]:
        """Inode, size and time of the last write: what tells that nothing was written since."""
        return self.inode, self.size, self.mtime_ns


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    Attributes:
        settle_s: after a writer's close; editors and scp may come back at once.
        stable_s: unchanged for so long, where nobody saw how the file came.
    """

    settle_s: float = 0.1
    stable_s: float = 2.0


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one name; times are seconds of one monotonic clock.

    Attributes:
        look: the last look, or None when something happened after it.
        since: when it was first seen to look so.
        hint: the last word of the kernel, heard at `hint_at`.
        offered: it was given out, and nothing happened since.
    """

    look: Look | None = None
    since: float = math.inf
    hint: Hint = Hint.NONE
    hint_at: float = -math.inf
    offered: bool = False


@dataclass(frozen=True, slots=True)
class Take:
    """It is whole."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet: look again at `until` (infinite: when something happens)."""

    until: float


@dataclass(frozen=True, slots=True)
class Ignore:
    """Not for us."""


def is_job_name(name: str) -> bool:
    """Whether a file of this name is meant for the daemon."""
    return any(fnmatchcase(name, like) for like in _TAKEN) and not any(
        fnmatchcase(name, like) for like in _IGNORED
    )


def judge(name: str, history: History, now: float, patience: Patience) -> Take | Wait | Ignore:
    """Say whether the file is whole, `now` being the moment before the last look began."""
    look, hint = history.look, history.hint
    if not is_job_name(name) or hint is Hint.GONE:
        return Ignore()
    if look is None:
        return Wait(_next_look(history, patience))
    if look.kind is Kind.FOLDER:
        return Ignore()
    if look.kind is Kind.OTHER:
        return Take()
    if look.writer is Writer.OPEN:
        return Wait(math.inf)
    if hint is Hint.MOVED_IN:
        return Take()
    if hint is Hint.CLOSED:
        return _at(history.hint_at + patience.settle_s, now)
    if hint is Hint.WRITING and look.writer is Writer.UNKNOWN:
        return Wait(math.inf)
    return _at(history.since + patience.stable_s, now)


def _at(due: float, now: float) -> Take | Wait:
    return Take() if now >= due else Wait(due)


def _next_look(history: History, patience: Patience) -> float:
    """When a name that was touched after the last look is worth another."""
    match history.hint:
        case Hint.MOVED_IN:
            return history.hint_at
        case Hint.CLOSED:
            return history.hint_at + patience.settle_s
        case Hint.WRITING:
            return math.inf  # its close will tell, or the next scan
        case _:
            return history.hint_at


@dataclass(slots=True)
class Tracker:
    """Remembers what was seen of each name. No file, no clock: both are given."""

    patience: Patience = field(default_factory=Patience)
    histories: dict[str, History] = field(default_factory=dict)

    def heard(self, name: str, hint: Hint, now: float) -> None:
        """The kernel said something about `name`; what was seen before it is void."""
        if not is_job_name(name):
            return
        if hint is Hint.GONE:
            self.histories.pop(name, None)
        else:
            self.histories[name] = History(hint=hint, hint_at=now)

    def opened(self, name: str, now: float) -> None:
        """Somebody opened `name`: it is being written if it was only just made.

        An opening after our first look says nothing: it may be a reader's, or our own.
        """
        known = self.histories.get(name)
        if known is not None and known.hint is Hint.CREATED and known.look is None:
            self.heard(name, Hint.WRITING, now)

    def deafened(self) -> None:
        """Hints were lost: believe none of them any more."""
        for name, known in self.histories.items():
            self.histories[name] = replace(known, hint=Hint.NONE)

    def looked(self, looks: Mapping[str, Look | None], now: float, *, complete: bool) -> None:
        """Take in what a look that ended `now` has found; None means gone.

        Args:
            looks: name to look.
            now: seconds.
            complete: names that are not in `looks` do not exist.
        """
        if complete:
            kept = {name: known for name, known in self.histories.items() if name in looks}
            self.histories = kept
        for name, look in looks.items():
            if look is None:
                self.histories.pop(name, None)
            elif is_job_name(name):
                self.histories[name] = self._after(name, look, now, again=complete)

    def _after(self, name: str, look: Look, now: float, *, again: bool) -> History:
        known = self.histories.get(name, History())
        if known.look is not None and known.look.mark == look.mark:
            return replace(known, look=look, offered=known.offered and not again)
        hint = Hint.NONE if known.look is not None else known.hint  # it changed without a word
        return replace(known, look=look, since=now, hint=hint, offered=False)

    def due(self, now: float) -> list[str]:
        """Names that are worth a look now."""
        return [name for name, known in self.histories.items() if self._due_at(name, known) <= now]

    def next_due(self) -> float:
        """When the next name is worth a look; infinite when none is."""
        times = (self._due_at(name, known) for name, known in self.histories.items())
        return min(times, default=math.inf)

    def take(self, names: Iterable[str], now: float) -> list[tuple[str, Look]]:
        """Those of the names just looked at that are whole; each is given out once.

        A name that is still there at the next complete look is given out again.
        """
        ready = []
        for name in names:
            known = self.histories.get(name)
            if known is None or known.look is None or known.offered:
                continue
            if isinstance(judge(name, known, now, self.patience), Take):
                self.histories[name] = replace(known, offered=True)
                ready.append((name, known.look))
        return ready

    def _due_at(self, name: str, known: History) -> float:
        if known.offered:
            return math.inf
        match judge(name, known, -math.inf, self.patience):
            case Wait(until):
                return until
            case _:
                return math.inf
