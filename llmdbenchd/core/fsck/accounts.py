"""The audit's room: the accounts that are kept of the same runs in three places, as values."""

from dataclasses import dataclass
from enum import StrEnum

from llmdbenchd.core.run.record import Record


class Kind(StrEnum):
    """In what two accounts differ. The names are part of `--json`."""

    UNREADABLE = "unreadable record"  # one that was set aside, or that nobody can read
    UNREADABLE_JOB = "unreadable job"
    MISSING = "missing launcher"  # a run that is not over counts on it
    ORPHAN = "orphan"  # an object of ours that belongs to no record
    LEFT_BEHIND = "left behind"  # an object whose run, or whose attempt, is over
    NOT_HOME = "results not home"
    NOT_ARCHIVED = "not archived"
    NO_RECORD = "archive without record"
    EARLY = "archived too early"
    NOT_WHOLE = "archive not whole"
    HALF_MADE = "half made"


class Object(StrEnum):
    """What we make where launchers live, for one run."""

    LAUNCHER = "launcher"
    CONFIG_MAP = "ConfigMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A record, with what its job says.

    Attributes:
        place: where its launchers live; empty when its job cannot be read, and why in `trouble`.
        launchers: names of launchers 1 to N of the record's attempt.
        results: where results lie that were not brought home, for people.
    """

    record: Record
    place: str = ""
    launchers: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that cannot be read: whose it was, and where it lies."""

    job: str
    run: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """An object of ours where launchers live.

    Attributes:
        uid: of this very object, where names may be used again; empty where they are not.
        has_ended: nothing of it runs any more; None when nobody can tell.
    """

    place: str
    kind: Object
    name: str
    uid: str = ""
    has_ended: bool | None = True


@dataclass(frozen=True, slots=True)
class Filed:
    """An archived run, and in what it differs from what was sealed."""

    job: str
    run: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Staged:
    """A folder that was never finished; of no run where `run` is empty."""

    path: str
    job: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """What we know of our runs; `instance` is the daemon's id."""

    instance: str
    runs: tuple[Run, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Objects:
    """What there is in `places`, which were looked at whole."""

    places: frozenset[str] = frozenset()
    things: tuple[Thing, ...] = ()


@dataclass(frozen=True, slots=True)
class Archives:
    """What was filed and what was about to be; `forgets`: old records are tidied away."""

    filed: tuple[Filed, ...] = ()
    staged: tuple[Staged, ...] = ()
    forgets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One way in which two accounts differ.

    Attributes:
        what: `JOB/RUN`, an object's name or a path.
        where: the place where launchers live, or empty.
        remedy: what may be removed to mend it; None when nothing is done by itself.
        left: why nothing is, or what to do; empty beside a remedy.
    """

    kind: Kind
    what: str
    detail: str
    where: str = ""
    remedy: Thing | None = None
    left: str = ""
