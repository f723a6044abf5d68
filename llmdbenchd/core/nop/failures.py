"""Tracebacks in a log -> the exception that a start failed of.

The root is the last line of the first traceback of the deepest process: a worker's before an
engine's, an engine's before a front end's, for each only repeats what the one below it said.
"""

import re
from dataclasses import dataclass, replace

from llmdbenchd.core.nop.records import Process, Record

BEGIN = "Traceback (most recent call last)"
_EXCEPTION = re.compile(
    r"(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|Group|Failure)?"
    r"(?:: .*)?\Z",
    re.DOTALL,
)
_UNTOLD = re.compile(r"validation errors? for \S+\Z")  # of what, the next line tells
_DEEPEST = 2
_LONGEST = 1000
_MOST_OPEN = 64
_EXPLICIT = ("Engine core initialization failed", "Engine process failed to start")


@dataclass(frozen=True, slots=True)
class Cause:
    """An exception that ended a traceback.

    Attributes:
        line: of its text.
        process: whose.
        text: type and message, the first line of it.
        is_logged: whether a record told it, or the interpreter.
    """

    line: int
    process: Process | None
    text: str
    is_logged: bool

    @property
    def depth(self) -> int:
        """2 of a worker, 1 of an engine, 0 of anything else."""
        name = self.process.name if self.process else ""
        if "Worker" in name:
            return _DEEPEST
        return 1 if name.startswith("EngineCore") else 0

    @property
    def is_explicit(self) -> bool:
        """Whether it is the front end's own word that the engine failed."""
        return any(words in self.text for words in _EXPLICIT)


class Tracebacks:
    """Follows the tracebacks of all processes of one start."""

    def __init__(self) -> None:
        self.root: Cause | None = None
        self._open: dict[tuple[str, int], Cause | None] = {}

    @property
    def is_inside(self) -> bool:
        """Whether one has begun whose exception has not come yet."""
        return bool(self._open)

    def take(self, record: Record) -> Cause | None:
        """Read a line that may be a traceback's; the exception, if it ends one."""
        speaker = record.speaker
        who = (record.source, speaker.pid if speaker else 0)
        text = record.text.rstrip()
        if text.endswith(f"{BEGIN}):") or BEGIN in text:
            if record.level not in {"DEBUG", "INFO", "WARNING"} and len(self._open) < _MOST_OPEN:
                self._open[who] = None
            return None
        if who not in self._open or not text:
            return None
        if told := self._open[who]:
            del self._open[who]
            return self._told_more(told, text) if text[0] == " " else None
        if text[0] in " \t^~|+" or not _EXCEPTION.match(text):
            return None
        del self._open[who]
        cause = Cause(record.line, speaker, text[:_LONGEST], record.headed)
        if _UNTOLD.search(text):
            self._open[who] = cause
        if self.root is None or cause.depth > self.root.depth:
            self.root = cause
        return cause

    def _told_more(self, cause: Cause, text: str) -> Cause:
        whole = replace(cause, text=f"{cause.text}: {text.strip()}"[:_LONGEST])
        if self.root == cause:
            self.root = whole
        return whole

    def forget(self) -> None:
        """The start went on: what was raised was caught."""
        self.root = None
        self._open.clear()
