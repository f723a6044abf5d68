"""Messages in their order -> starts: which start a message belongs to, and where a new one begins.

A start begins with the version, the arguments or an engine of a front end that has had its own
already, never with a process id alone, for those come again after a restart. Processes that were
seen keep their start, so that two servers may share a stream.
"""

import re
from collections.abc import Iterator

from llmdbenchd.core.nop.attempt import Attempt, Mark, Reading
from llmdbenchd.core.nop.ends import ended_unready, raised, reached
from llmdbenchd.core.nop.events import Began, Event, Gap
from llmdbenchd.core.nop.phrases import Found
from llmdbenchd.core.nop.records import Record
from llmdbenchd.core.nop.stamps import Calendar, Source

MOST_ATTEMPTS = 1000
"""That are kept; of more, those in the middle are left out."""
_CHILDREN = ("Worker", "VllmWorker", "EngineCore")
_MOST_PIDS = 4096
_MOST_AT_ONCE = 8
_PRELUDE = frozenset({"platform", "no_plugins", "plugins", "architecture", "model_facts"})
_ENGINES = frozenset({"engine_v0", "engine_v1"})
_NEVER_FIRST = frozenset({"startup_complete", "uvicorn_begin", "stopping", "failed"})
_FIRST_OF_PLAIN = frozenset({"version", "args", *_ENGINES})
_DATA_PARALLEL = re.compile(r"(?:DP|EngineCore_)(\d+)")
_NOT_KEPT = frozenset({"part", "pid", "level"})


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
            attempt.gap(line)
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
            attempt.prelude.clear()
        if kind:
            word = found.text.get("level", "")
            mark = Mark(kind, record.line, record.speaker, at, grain, word)
            attempt.mark(mark, is_prelude=kind in _PRELUDE)
            events.append(Event(attempt.number, record.line, mark))
            if end := reached(attempt, mark, record, found):
                events.append(Event(attempt.number, record.line, end))
        return events

    def amend(
        self, record: Record, found: Found, before: Found, readings: list[Reading]
    ) -> list[Event]:
        """A message goes on in a further line, and says more than its first part did.

        Args:
            record: the whole.
            found: what it says.
            before: what its first part said.
            readings: that were taken from it then.
        """
        attempt = self.owner(record)
        assert attempt is not None  # noqa: S101 - its first part was taken
        attempt.take_back(readings)
        at, grain = self._moment(record)
        kind = found.wording.mark
        if kind != before.wording.mark:
            attempt.mark_again(Mark(kind, record.line, record.speaker, at, grain), before)
        if kind in _ENGINES:
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
        if attempt.is_over and self._may_begin_another(record):
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
        end = raised(attempt, cause) if cause else None
        return [Event(attempt.number, record.line, end)] if end else []

    def owner(self, record: Record, found: Found | None = None) -> Attempt | None:
        """Whose message it is."""
        for process in record.processes:
            if attempt := self._owners.get((record.source, process.pid)):
                return attempt
        current = self._current.get(record.source)
        kind = found.wording.mark if found else ""
        if found and kind == "uvicorn_begin" and found.text["pid"].isdecimal():
            return self._owners.get((record.source, int(found.text["pid"])), current)
        if kind == "startup_complete":
            up = (one for one in self._alive(record) if one.started_pids & one.front_pids)
            return next(up, current)
        if kind in _ENGINES and current and record.processes:
            return next((one for one in self._alive(record) if one.lacks_engine(current)), current)
        return current

    def finish(self) -> list[Event]:
        """The log has ended: what never became ready, and was followed by another, failed."""
        events = []
        for attempt in self.attempts:
            if attempt.is_decided:
                continue
            followed = any(
                one.source == attempt.source and one.first_line > attempt.last_line
                for one in self.attempts
            )
            if end := ended_unready(attempt, followed=followed):
                events.append(Event(attempt.number, end.line, end))
        return events

    @staticmethod
    def _may_be_first(record: Record, kind: str) -> bool:
        """Whether a start may begin with this line: not with a web server's, or a mere quote."""
        if kind in _NEVER_FIRST:
            return False
        return record.headed or record.own is not None or kind in _FIRST_OF_PLAIN

    def _alive(self, record: Record) -> Iterator[Attempt]:
        """The last starts of a stream that have not ended, the oldest first."""
        for attempt in self.attempts[-_MOST_AT_ONCE:]:
            if attempt.source == record.source and not attempt.is_over:
                yield attempt

    def _may_begin_another(self, record: Record) -> bool:
        """Whether a start may begin with it: not with a worker that was silent until the end."""
        return not any(
            (record.source, one.pid) in self._owners or one.name.startswith(_CHILDREN)
            for one in record.processes
        )

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
        attempt = Attempt(self._count, record.line, record.source)
        if before is not None:
            self._take_over(record, before, attempt, steal=steal)
        self._must_begin.discard(record.source)
        self._current[record.source] = attempt
        self.attempts.append(attempt)
        for process in record.processes:
            self._owners.pop((record.source, process.pid), None)
        if len(self.attempts) > MOST_ATTEMPTS:
            self._forget(self.attempts.pop(MOST_ATTEMPTS // 2))
            self.left_out += 1
        return attempt

    def _take_over(self, record: Record, before: Attempt, attempt: Attempt, *, steal: bool) -> None:
        """What was said before the new start's first own word belongs to it."""
        begun = self._after_end.pop(before.number, record.line)
        stolen = before.give_prelude() if steal else []
        for mark in stolen:
            attempt.mark(mark)
        attempt.first_line = min([begun, record.line, *(one.line for one in stolen)])
        if before.is_over:
            before.last_line = min(before.last_line, attempt.first_line - 1)
        pids = {one.pid for one in record.processes}
        if not pids or before.is_over or pids & before.front_pids:
            self._forget(before)

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


def _kept(found: Found) -> dict[str, str]:
    return {key: one for key, one in found.text.items() if key not in _NOT_KEPT}
