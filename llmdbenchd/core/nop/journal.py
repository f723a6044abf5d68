"""Messages in their order -> starts: which start a message belongs to, and where a new one begins.

A start begins with the version, the arguments or an engine of a front end that has had its own
already, never with a process id alone, for those come again after a restart. Processes that were
seen keep their start, so that two servers may share a stream.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from llmdbenchd.core.nop.attempt import (
    READY_BY_ENGINE,
    READY_BY_ROUTES,
    READY_BY_SERVER,
    Attempt,
    Failed,
    Mark,
    Reading,
    Ready,
)
from llmdbenchd.core.nop.phrases import Found
from llmdbenchd.core.nop.records import Record
from llmdbenchd.core.nop.stamps import Calendar, Source

MOST_ATTEMPTS = 1000
"""That are kept; of more, those in the middle are left out."""
_MOST_PIDS = 4096
_PRELUDE = frozenset({"platform", "no_plugins", "plugins", "architecture", "model_facts"})
_ENGINES = frozenset({"engine_v0", "engine_v1"})
_NEVER_FIRST = frozenset({"startup_complete", "uvicorn_begin", "stopping", "failed"})
_FIRST_OF_PLAIN = frozenset({"version", "args", *_ENGINES})
_INTERRUPTED = ("KeyboardInterrupt", "SystemExit")
_DATA_PARALLEL = re.compile(r"(?:DP|EngineCore_)(\d+)")
_BY = {
    "engine_end": ("init engine", READY_BY_ENGINE),
    "routes": ("Available routes are:", READY_BY_ROUTES),
    "startup_complete": ("Application startup complete.", READY_BY_SERVER),
}


@dataclass(frozen=True, slots=True)
class Began:
    """A start began."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """It was asked to end, or ended orderly."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines are missing here."""


@dataclass(frozen=True, slots=True)
class Event:
    """News of one start; a later one of the same line and name takes an earlier one's place."""

    attempt: int
    line: int
    what: Began | Reading | Mark | Ready | Failed | Stopped | Gap


class Journal:
    """All starts of one log; grows by what is told of them, not by the log."""

    def __init__(self, calendar: Calendar) -> None:
        self.attempts: list[Attempt] = []
        self.left_out = 0
        self.calendar = calendar
        self.time: Source | None = None
        self._count = 0
        self._current: dict[str, Attempt] = {}
        self._owners: dict[tuple[str, int], Attempt] = {}
        self._must_begin: set[str] = set()
        self._after_end: dict[int, int] = {}
        self._inside: set[int] = set()

    @property
    def latest(self) -> Attempt | None:
        """The start that began last."""
        return self.attempts[-1] if self.attempts else None

    @property
    def is_inside(self) -> bool:
        """Whether a traceback has begun that has not ended yet."""
        return bool(self._inside)

    def awaits(self, attempt: Attempt) -> bool:
        """Whether any record, whatever it says, may be the first of the start after this one."""
        return attempt.is_over and attempt.number not in self._after_end

    def restarted(self, source: str = "") -> None:
        """The container was started again: the next message is another start's."""
        self._must_begin.add(source)

    def gap(self, line: int) -> list[Event]:
        """Lines are missing before this one."""
        events = []
        for attempt in self._current.values():
            attempt.gaps.append(line)
            events.append(Event(attempt.number, line, Gap()))
        return events

    def take(self, record: Record, found: Found) -> list[Event]:
        """Note what a message says."""
        kind = found.wording.mark
        attempt = self.owner(record, found)
        if attempt is None and not self._may_be_first(record, kind):
            return []
        events: list[Event] = []
        if attempt is None or self._is_new(record, found, attempt):
            attempt = self._begin(record, attempt, steal=kind not in _PRELUDE)
            events.append(Event(attempt.number, attempt.first_line, Began()))
        self._meet(record, attempt)
        attempt.text |= _kept(found)
        at, grain = self._moment(record)
        events += [
            Event(attempt.number, record.line, one) for one in attempt.read(record, found, at)
        ]
        if kind not in _PRELUDE:
            attempt.prelude = []
        if kind:
            word = found.text.get("level", "")
            mark = Mark(kind, record.line, record.speaker, at, grain, word)
            attempt.mark(mark)
            if kind in _PRELUDE:
                attempt.prelude.append(mark)
            events.append(Event(attempt.number, record.line, mark))
            events += self._reached(attempt, mark, record, found)
        return events

    def amend(self, record: Record, found: Found, before: list[Reading]) -> list[Event]:
        """A message goes on in a further line, and says more than its first part did."""
        attempt = self.owner(record)
        assert attempt is not None  # noqa: S101 - its first part was taken
        attempt.take_back(before)
        at, _ = self._moment(record)
        if "config" in attempt.text and found.wording.mark in _ENGINES:
            attempt.text["config"] = record.text
        attempt.text |= _kept(found)
        return [Event(attempt.number, record.line, one) for one in attempt.read(record, found, at)]

    def see(self, record: Record) -> list[Event]:
        """A record of vLLM's that says nothing of the table: whose it is, and that it began."""
        attempt = self.owner(record)
        if attempt is None or record.source in self._must_begin:
            attempt = self._begin(record, attempt, steal=False)
            self._meet(record, attempt)
            return [Event(attempt.number, record.line, Began())]
        if attempt.is_over and not self._is_known(record):
            self._after_end.setdefault(attempt.number, record.line)
        self._meet(record, attempt)
        return []

    def trouble(self, record: Record) -> list[Event]:
        """A line that may belong to a traceback."""
        attempt = self.owner(record)
        if attempt is None:
            return []
        cause = attempt.tracebacks.take(record)
        if attempt.tracebacks.is_inside:
            self._inside.add(attempt.number)
        else:
            self._inside.discard(attempt.number)
        if cause is None or attempt.stopped_line:
            return []
        if cause.text.startswith(_INTERRUPTED) and not attempt.failed:
            attempt.stopped_line = record.line
            return [Event(attempt.number, record.line, Stopped())]
        if attempt.ready:
            attempt.trouble(cause)
            return []
        attempt.last_line = max(attempt.last_line, record.line)
        if not attempt.failed and not cause.is_explicit:
            return []
        attempt.failed = self._failed(attempt, attempt.failed or cause.line)
        return [Event(attempt.number, attempt.failed.line, attempt.failed)]

    def owner(self, record: Record, found: Found | None = None) -> Attempt | None:
        """Whose message it is."""
        for process in record.processes:
            if attempt := self._owners.get((record.source, process.pid)):
                return attempt
        if found and found.wording.mark in {"startup_complete", "uvicorn_begin"}:
            for attempt in self._waiting(record):
                return attempt
        return self._current.get(record.source)

    def finish(self) -> list[Event]:
        """The log has ended: what never became ready, and was followed by another, failed."""
        events = []
        for attempt in self.attempts:
            if attempt.ready or attempt.is_over:
                continue
            later = any(one.source == attempt.source and one.first_line > attempt.last_line
                        for one in self.attempts)  # fmt: skip
            if cause := attempt.tracebacks.root:
                attempt.failed = self._failed(attempt, cause.line)
            elif later and attempt.has("version", "args", "engine_v0", "engine_v1"):
                reason = "its log ends without a word, and another start follows"
                attempt.failed = Failed(attempt.last_line, None, reason, 0)
            else:
                continue
            events.append(Event(attempt.number, attempt.failed.line, attempt.failed))
        return events

    @staticmethod
    def _may_be_first(record: Record, kind: str) -> bool:
        """Whether a start may begin with this line: not with a web server's, or a mere quote."""
        if kind in _NEVER_FIRST:
            return False
        return record.headed or record.own is not None or kind in _FIRST_OF_PLAIN

    def _waiting(self, record: Record) -> Iterator[Attempt]:
        for attempt in self._current.values():
            if attempt.source == record.source and attempt.started_pids & attempt.front_pids:
                yield attempt

    def _is_known(self, record: Record) -> bool:
        return any((record.source, one.pid) in self._owners for one in record.processes)

    def _is_new(self, record: Record, found: Found, attempt: Attempt) -> bool:
        kind = found.wording.mark
        if record.source in self._must_begin:
            return True
        if kind == "version":
            return attempt.has("version", "args", *_ENGINES) or attempt.is_over
        if kind == "args":
            again = attempt.has("args") and attempt.text.get("args") != found.text["args"]
            return again or attempt.has(*_ENGINES) or attempt.is_over
        if kind not in _ENGINES:
            return False
        if attempt.is_over or attempt.ready:
            return attempt.has(*_ENGINES) or attempt.is_over
        return any(self._is_same_engine(record, one) for k in _ENGINES
                   for one in attempt.marks.get(k, ()))  # fmt: skip

    def _is_same_engine(self, record: Record, mark: Mark) -> bool:
        """Whether two engines of one start could not be: data parallel ones have other numbers."""
        names = [one.name if one else "" for one in (record.speaker, mark.process)]
        ranks = [found[1] if (found := _DATA_PARALLEL.search(name)) else "" for name in names]
        return ranks[0] == ranks[1]

    def _begin(self, record: Record, before: Attempt | None, *, steal: bool) -> Attempt:
        self._count += 1
        first = record.line
        attempt = Attempt(self._count, first, record.source)
        if before is not None:
            first = min(first, self._after_end.pop(before.number, first))
            if steal:
                for mark in before.prelude:
                    before.marks[mark.kind].remove(mark)
                    if not before.marks[mark.kind]:
                        del before.marks[mark.kind]
                    attempt.mark(mark)
                    first = min(first, mark.line)
        attempt.first_line = first
        if before is not None and before.is_over:
            before.last_line = min(before.last_line, first - 1)
        self._must_begin.discard(record.source)
        self._current[record.source] = attempt
        self.attempts.append(attempt)
        for process in record.processes:
            self._owners.pop((record.source, process.pid), None)
        pids = {one.pid for one in record.processes}
        if before is not None and (not pids or before.is_over or pids & before.front_pids):
            self._forget(before)
        if len(self.attempts) > MOST_ATTEMPTS:
            self._forget(self.attempts.pop(MOST_ATTEMPTS // 2))
            self.left_out += 1
        return attempt

    def _forget(self, attempt: Attempt) -> None:
        self._owners = {key: one for key, one in self._owners.items() if one is not attempt}

    def _meet(self, record: Record, attempt: Attempt) -> None:
        attempt.meet(record)
        for process in record.processes:
            if len(self._owners) < _MOST_PIDS:
                self._owners.setdefault((record.source, process.pid), attempt)

    def _moment(self, record: Record) -> tuple[float | None, float]:
        stamp = record.cluster or record.own
        if stamp is None:
            return None, 0.0
        if record.cluster and record.own:
            self.calendar.learn_zone(record.cluster, record.own)
        self.time = Source.CLUSTER if record.cluster else self.time or Source.LOG
        return self.calendar.seconds(stamp), stamp.grain_s

    def _reached(self, attempt: Attempt, mark: Mark, record: Record, found: Found) -> list[Event]:
        match mark.kind:
            case "engine_v0" | "engine_v1":
                attempt.text["engine"] = mark.kind[-2:].upper()
                attempt.text["config"] = record.text
            case "part":
                attempt.compiles(record.speaker, found.text["part"])
            case "uvicorn_begin" if found.text["pid"].isdecimal():
                attempt.started_pids.add(int(found.text["pid"]))
            case "listening":
                attempt.started_pids.clear()
                if record.speaker:
                    attempt.front_pids.add(record.speaker.pid)
            case "failed" if not (attempt.ready or attempt.stopped_line or attempt.failed):
                attempt.failed = self._failed(
                    attempt, Failed(record.line, record.speaker, record.text.strip(), 0)
                )
                return [Event(attempt.number, record.line, attempt.failed)]
            case "stopping" if not attempt.stopped_line and (attempt.ready or record.processes):
                attempt.stopped_line = record.line
                return [Event(attempt.number, record.line, Stopped())]
            case "startup_complete" if not self._is_ours(attempt, record):
                return []
            case _:
                pass
        return self._became_ready(attempt, mark)

    def _became_ready(self, attempt: Attempt, mark: Mark) -> list[Event]:
        before = attempt.ready
        if mark.kind == "listening" and before and before.strength == READY_BY_ENGINE:
            attempt.ready = None
        if mark.kind not in _BY or (mark.kind == "engine_end" and attempt.is_server):
            return []
        by, strength = _BY[mark.kind]
        if attempt.is_over or (attempt.ready and attempt.ready.strength >= strength):
            return []
        attempt.ready = Ready(mark.line, by, strength, mark.at)
        return [Event(attempt.number, mark.line, attempt.ready)]

    @staticmethod
    def _is_ours(attempt: Attempt, record: Record) -> bool:
        """Whether it is vLLM's own web server that is up, and not another one beside it."""
        if any(one.pid in attempt.front_pids for one in record.processes):
            return True
        is_told = bool(attempt.levels & {"I", "D"})
        if is_told and not attempt.has("listening", "routes"):
            return False
        ours = attempt.started_pids & attempt.front_pids
        return bool(ours or not attempt.started_pids or not attempt.front_pids)

    @staticmethod
    def _failed(attempt: Attempt, sign: Failed | int) -> Failed:
        root = attempt.tracebacks.root
        if isinstance(sign, int):
            assert root is not None  # noqa: S101 - the sign is a traceback's line
            sign = Failed(sign, root.process, root.text, root.line)
        if root is None:
            return sign
        return replace(sign, process=root.process or sign.process,
                       reason=root.text, reason_line=root.line)  # fmt: skip


def _kept(found: Found) -> dict[str, str]:
    return {key: one for key, one in found.text.items() if key not in {"part", "pid", "level"}}
