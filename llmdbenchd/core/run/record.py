"""What only the daemon knows about a run: a frozen value, saved before every action."""

from dataclasses import dataclass, replace
from datetime import datetime

from llmdbenchd.core.results.verdict import Verdict
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.sight import Ended

VERSION = 1


@dataclass(frozen=True, slots=True)
class Target:
    """The resolved endpoint (a URL) and the servers behind it, by name.

    Two runs whose `servers` share a name never load at the same time.

    Attributes:
        found: the object that was chosen, for people; empty for a URL that was given.
        model: what is served, where the job leaves that open; otherwise empty.
        nodes: where the servers run, as far as it is known.
        note: what could not be looked up or checked, or empty.
    """

    endpoint: str
    servers: tuple[str, ...]
    found: str = ""
    model: str = ""
    nodes: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """How launcher `index` ended; kept here because the launcher itself goes away."""

    index: int
    how: Ended


@dataclass(frozen=True, slots=True)
class Failure:
    """The first thing that went wrong in an attempt.

    Attributes:
        kind: a short name that never changes (`refused`, `target`, `launcher`, `timeout:run`,
            `lost`, `collect`, `cancelled`, `verdict`).
        detail: one sentence that names who and what.
    """

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wait with a time-out of its own: `name` (`bind`, `pull`, `target`), and its end.

    Attributes:
        restarts: how often a server of the target had been restarted when the wait began.
    """

    name: str
    until: Moment
    restarts: int | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What was brought home of one attempt, proven byte by byte.

    Attributes:
        files: number of files; `size` is their sum in bytes.
        manifest: `launcher` when it was made where the data was made, `late` when we made it.
        native_files: how many of them are the harness's own results.
        requests: how many requests were sent, or None when no native file says so.
        failures: how many of those failed.
    """

    files: int
    size: int
    manifest: str
    native_files: int
    requests: int | None = None
    failures: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A results folder that lay on a claim and was brought home without a run of ours.

    Attributes:
        folder: its name on the claim.
        files, size, manifest: as in `Collected`.
    """

    folder: str
    files: int
    size: int
    manifest: str

    @property
    def load(self) -> str:
        """All of its name but the launcher's number: the same for all launchers of one load."""
        load, _, number = self.folder.rpartition("_")
        return load if number.isdigit() else self.folder


@dataclass(frozen=True, slots=True)
class Step:
    """When (UTC) a run came into a phase, and in which attempt."""

    at: datetime
    phase: Phase
    attempt: int


@dataclass(frozen=True, slots=True)
class Past:
    """An attempt that is over and was followed by another."""

    attempt: int
    verdict: Verdict
    ends: tuple[End, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One run, as far as the daemon has come with it. See `architecture.md` section 4.

    Attributes:
        since: when the phase was entered (UTC).
        stop_on_error: that it fails ends the other runs of its job, and theirs this one.
        deadline: when patience with the phase ends.
        wait_until: a back-off or `not_before`; nothing is begun earlier.
        lost_at: its place says no to each look; when patience with that ends.
        unmade: it is launching, and no launcher of this attempt was asked for yet.
        seen: indices of the launchers that were seen to exist in this attempt.
        ran: indices of the launchers that were seen to run while others were waited for.
        waiting: what the launchers wait for before they can start.
        held: this attempt's launchers wait for our word before they begin.
        stopping: we have asked this attempt's launchers to end; since when patience runs.
        cancels: how often people asked to cancel (a second time skips the collecting).
        cancel_request: name of the last request to cancel, so that it counts once.
        logs_done: indices whose log was followed to its last byte.
        gone: why some of the results cannot be had any more, by anybody; nothing waits for them.
        servers: what the servers' logs lack, empty for nothing; None: they are followed still,
            or nobody asked for it.
        found: what a run that only collects brought home; None for one that makes launchers.
        tries: failed tries of the long work of this phase.
        history: every phase that was entered, over all attempts.
    """

    job: str
    run: str
    submitted: datetime
    since: datetime
    phase: Phase = Phase.QUEUED
    priority: int = 0
    stop_on_error: bool = False
    attempt: int = 1
    target: Target | None = None
    deadline: Moment | None = None
    wait_until: Moment | None = None
    unmade: bool = False
    seen: tuple[int, ...] = ()
    ran: tuple[int, ...] = ()
    waiting: Waiting | None = None
    lost_at: Moment | None = None
    stopping: Moment | None = None
    ends: tuple[End, ...] = ()
    failure: Failure | None = None
    cancels: int = 0
    cancel_request: str = ""
    logs_done: tuple[int, ...] = ()
    servers: str | None = None
    collected: Collected | None = None
    found: tuple[Found, ...] | None = None
    uncollected: str = ""
    gone: str = ""
    verdict: Verdict | None = None
    sealed: bool = False
    tries: int = 0
    last_error: str = ""
    past: tuple[Past, ...] = ()
    history: tuple[Step, ...] = ()
    left_behind: str = ""
    collect_asked: bool = False
    held: bool = False
    version: int = VERSION

    @property
    def key(self) -> str:
        """`JOB/RUN`: how people, the log and the work set name it."""
        return f"{self.job}/{self.run}"

    @property
    def launched(self) -> datetime | None:
        """When the launchers of this attempt were first asked for (UTC), or None."""
        launches = (one for one in self.history if one.phase is Phase.LAUNCHING)
        return next((one.at for one in launches if one.attempt == self.attempt), None)

    @property
    def parts(self) -> tuple[int, ...]:
        """Numbers (from 1) of the results folders that this run has, or will have, here."""
        return self.seen if self.found is None else tuple(range(1, len(self.found) + 1))

    @property
    def made_nothing(self) -> bool:
        """Whether it is certain that this attempt has no launcher, whatever can be seen."""
        return self.unmade and not self.seen

    @property
    def begun(self) -> tuple[int, ...]:
        """Launchers that may have left results: all that exist, but those that never began."""
        idle = {end.index for end in self.ends if not end.how.began}
        return tuple(index for index in self.seen if index not in idle)

    @property
    def loads(self) -> frozenset[str]:
        """What loads its folders are of; figures of several are never put together."""
        return frozenset(one.load for one in self.found or ())

    def ended(self, index: int) -> Ended | None:
        """How launcher `index` ended, or None."""
        return next((end.how for end in self.ends if end.index == index), None)

    def enter(self, phase: Phase, now: Moment, *, patience_s: float | None = None) -> "Record":
        """The record on its first moment in `phase`; `patience_s` sets the deadline."""
        return replace(
            self,
            phase=phase,
            since=now.utc,
            history=(*self.history, Step(now.utc, phase, self.attempt)),
            deadline=None if patience_s is None else now.after(patience_s),
            wait_until=None,
            waiting=None,
            lost_at=None,
            tries=0,
            last_error="",
        )
