"""One start of a server, as far as its log tells: what was read, what was reached, how it ended."""

from dataclasses import dataclass, field

import msgspec

from llmdbenchd.core.nop.failures import Cause, Tracebacks
from llmdbenchd.core.nop.phrases import Found
from llmdbenchd.core.nop.records import Process, Record

MOST_READINGS = 4096
"""Of one name in one start; what comes later is counted and not kept."""
MOST_MARKS = 512
READY_BY_ENGINE, READY_BY_ROUTES, READY_BY_SERVER = 1, 2, 3
_FRONT_ENDS = ("APIServer", "ApiServer", "MainProcess")
_STARTING = frozenset({"load_begin", "load_end", "weights_read", "compile_end", "kv_room",
                       "graphs_end", "engine_end", "listening", "routes"})  # fmt: skip
_OF_IMPORTS = frozenset({"platform", "no_plugins", "plugins"})
_LATER = frozenset({"stopping", "wake_asked", "sleep_asked", "asleep_already"})
_OF_A_PART = frozenset({"dynamo_s", "torch_compile_s", "first_run_s"})


class Reading(msgspec.Struct, frozen=True):
    """A value, and where it stands.

    Attributes:
        name: of `names.NAMES`, which has the unit.
        at: seconds since 1970, None if the line has no stamp.
    """

    name: str
    value: float
    line: int
    process: Process | None
    tag: str
    at: float | None


class Mark(msgspec.Struct, frozen=True):
    """A moment.

    Attributes:
        at: seconds since 1970, None if the line has no stamp.
        grain_s: how exact that is.
        word: what else the line says, such as the level of a sleep that is asked for.
    """

    kind: str
    line: int
    process: Process | None
    at: float | None
    grain_s: float
    word: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """When it could serve.

    Attributes:
        by: the wording that says so.
        strength: which of several signs it is; a better one takes the place of a weaker.
    """

    line: int
    by: str
    strength: int
    at: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """Why it never could.

    Attributes:
        line: where the failure is told first.
        reason_line: where the reason stands; 0 if nothing tells it.
    """

    line: int
    process: Process | None
    reason: str
    reason_line: int


@dataclass(eq=False)
class Attempt:
    """What is known of one start.

    Attributes:
        number: from 1, in the order in which they began.
        source: the pod or service whose stream it is, where several share one.
        text: facts in words, by field: version, engine, model, platform, args, config.
        levels: first letters of the levels that its records have.
        stopped_line: where it began to stop; 0 if it did not.
        is_signalled: whether somebody asked it to stop, so that what it says then is noise.
        troubles: what was raised after it was ready and before it began to stop.
        gaps: lines that stand for others which are lost.
    """

    number: int
    first_line: int
    source: str = ""
    last_line: int = 0
    text: dict[str, str] = field(default_factory=dict)
    readings: dict[str, list[Reading]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    marks: dict[str, list[Mark]] = field(default_factory=dict)
    levels: set[str] = field(default_factory=set)
    tracebacks: Tracebacks = field(default_factory=Tracebacks)
    ready: Ready | None = None
    failed: Failed | None = None
    stopped_line: int = 0
    is_signalled: bool = False
    gaps: list[int] = field(default_factory=list)
    troubles: list[Cause] = field(default_factory=list)
    front_pids: set[int] = field(default_factory=set)
    started_pids: set[int] = field(default_factory=set)
    prelude: list[Mark] = field(default_factory=list)
    _parts: dict[int, str] = field(default_factory=dict)

    @property
    def is_telling(self) -> bool:
        """Whether it tells of a start at all, and not of a server's later life only."""
        return bool(self.readings or self.failed or self.marks.keys() - _LATER)

    def has(self, *kinds: str) -> bool:
        """Whether any of these marks was seen."""
        return any(kind in self.marks for kind in kinds)

    @property
    def is_server(self) -> bool:
        """Whether there is a front end, so that an engine that is up is not all there is."""
        return bool(self.front_pids) or self.has("version", "listening", "routes")

    @property
    def is_over(self) -> bool:
        """Whether it has stopped or failed."""
        return bool(self.stopped_line or self.failed)

    @property
    def is_decided(self) -> bool:
        """Whether nothing that is raised now can be why it failed to start."""
        return bool(self.ready or self.failed or self.is_signalled)

    def lacks_engine(self, current: "Attempt") -> bool:
        """Whether an engine that comes now is this one's: it is alive beside the newest start."""
        is_alive = self is current or self.last_line > current.first_line
        return is_alive and self.has("version", "args") and not self.has("engine_v0", "engine_v1")

    def meet(self, record: Record) -> None:
        """Note who speaks."""
        self.last_line = max(self.last_line, record.line)
        for process in record.processes:
            if process.name.startswith("EngineCore"):
                self.text.setdefault("engine", "V1")
            if process.name.startswith(_FRONT_ENDS) and len(self.front_pids) < MOST_MARKS:
                self.front_pids.add(process.pid)

    def trouble(self, cause: Cause) -> None:
        """Note an exception of a server that was ready."""
        if self.troubles and self.troubles[-1].line == cause.line:
            self.troubles[-1] = cause
        elif len(self.troubles) < MOST_MARKS:
            self.troubles.append(cause)

    def gap(self, line: int) -> None:
        """Note that lines are missing before this one."""
        if len(self.gaps) < MOST_MARKS:
            self.gaps.append(line)

    def web_server(self, pid: str) -> None:
        """Note that a web server, maybe another one, was started by a process."""
        if pid.isdecimal() and len(self.started_pids) < MOST_MARKS:
            self.started_pids.add(int(pid))

    def listens(self, front_end: Process | None) -> None:
        """Note that its front end begins to listen: an engine alone is not all there is."""
        self.started_pids.clear()
        if front_end:
            self.front_pids.add(front_end.pid)
        if self.ready and self.ready.strength == READY_BY_ENGINE:
            self.ready = None

    def mark(self, mark: Mark, *, is_prelude: bool = False) -> None:
        """Note a moment.

        Args:
            mark: the moment.
            is_prelude: it may belong to the start after this one, if one follows at once.
        """
        kept = self.marks.setdefault(mark.kind, [])
        if len(kept) < MOST_MARKS:
            kept.append(mark)
            if is_prelude:
                self.prelude.append(mark)
        if mark.kind in _STARTING and not self.failed and self.tracebacks.root:
            self.tracebacks.forget()

    def mark_again(self, mark: Mark, before: Found) -> None:
        """A moment is another one than the first part of its line said."""
        kept = self.marks.pop(before.wording.mark, [])
        if left := [one for one in kept if one.line != mark.line]:
            self.marks[before.wording.mark] = left
        self.mark(mark)

    def give_prelude(self) -> list[Mark]:
        """The last moments, as the next start's: of this one only after its last exception."""
        root = self.tracebacks.root
        is_done = bool(self.is_over or self.ready)
        given = [
            one
            for one in self.prelude
            if (is_done or one.kind in _OF_IMPORTS) and (root is None or one.line > root.line)
        ]
        for mark in given:
            self.marks[mark.kind].remove(mark)
        self.marks = {kind: kept for kind, kept in self.marks.items() if kept}
        return given

    def read(self, record: Record, found: Found, at: float | None) -> list[Reading]:
        """Keep the values of a message."""
        speaker = record.speaker
        pid = speaker.pid if speaker else 0
        part = ""
        if _OF_A_PART & found.readings.keys():
            part = found.part or self._parts.get(pid, "")
        elif "weights_load_s" in found.readings and self._loads_drafter(speaker):
            part = "drafter"
        new = [
            Reading(name, value, record.line, speaker, found.tag or part, at)
            for name, value in found.readings.items()
        ]
        for reading in new:
            kept = self.readings.setdefault(reading.name, [])
            if len(kept) < MOST_READINGS:
                kept.append(reading)
            else:
                self.left_out[reading.name] = self.left_out.get(reading.name, 0) + 1
        return new

    def take_back(self, readings: list[Reading]) -> None:
        """The line that these were read from goes on in the next one, and says more."""
        self.readings = {
            name: left
            for name, kept in self.readings.items()
            if (left := [one for one in kept if one not in readings])
        }

    def compiles(self, process: Process | None, cache: str) -> None:
        """Which part of a model a process compiles now, as its cache folder is named."""
        last = cache.rstrip("/").rpartition("/")[2]
        if len(self._parts) < MOST_MARKS:
            named = "" if last.startswith("rank_") or "/" not in cache else last
            self._parts[process.pid if process else 0] = named

    def _loads_drafter(self, speaker: Process | None) -> bool:
        return any(
            (one.process.pid if one.process else 0) == (speaker.pid if speaker else 0)
            for one in self.marks.get("drafter", ())
        ) and not self.has("kv_room")
