"""The door of the room: bytes of a log go in as they come, news of its starts come out.

Most lines of a long log are about requests; they are told from others by the first word behind
their header, and cost no more than that. Memory is held for the starts, not for the log.
"""

import re
from dataclasses import dataclass, replace

from llmdbenchd.core.nop.attempt import Reading
from llmdbenchd.core.nop.events import Event
from llmdbenchd.core.nop.journal import Journal
from llmdbenchd.core.nop.lines import Lines
from llmdbenchd.core.nop.phrases import Found, may_be_told, may_begin, read, search
from llmdbenchd.core.nop.records import ANSI, HEADER, Record, header, records
from llmdbenchd.core.nop.row import Wording
from llmdbenchd.core.nop.stamps import Calendar

_LOGO = re.compile(r"\u2588.*? version (?P<version>\S+)\s*\Z|\u2588.*? model +(?P<model>\S.*)")
_BLOCKS = (b"\xe2\x96\x80", b"\xe2\x96\x84", b"\xe2\x96\x88", b"   ", b"  \xe2", b" \xe2\x96")
_ENOUGH = 160
_HINTS = re.compile(
    b"|".join(
        re.escape(one)
        for one in (
            b" took ", b" takes ", b"inished ", b"emory", b"KV cache size", b" blocks: ",
            b" concurrency for ", b" version ", b"Initializing a", b"args: ", b"load model",
            b"vLLM", b"vllm", b" routes are", b"startup complete", b"server process [",
            b"Traceback (", b"tream ", b'"message"', b'"msg"', b'"log"', b"Shutting down",
            b"died", b"[shutdown]", b"Deserialized ",
        )
    )
)  # fmt: skip
_SPEAKS = re.compile(
    rb"\([A-Za-z][^)]{0,80}pid=\d|(?:INFO|WARNING|ERROR|DEBUG):|\{\"|\[?\d{4}-\d\d-\d\d[ T]"
    rb"|\[pod/|[\w./-]{1,128} +\| |Traceback \("
)
_WIDEST = 512  # bytes; a longer line was not cut by a terminal
_LONGEST_CUT = 64 * 1024
_CUT = b"##### ["
_GAP = b"llmdbenchd: log gap"
_VERSION = Wording("(logo) version {text:version}", "0.15..0.32", "version")
_MODEL = Wording("(logo) model {text:model}", "0.15..0.32")


@dataclass(frozen=True, slots=True)
class _Open:
    """A record that may go on in the next line.

    Attributes:
        line: its last one so far.
    """

    line: int
    raw: bytes
    record: Record
    found: Found | None
    readings: list[Reading]


class Recorder:
    """Follows one log."""

    def __init__(self, year: int | None = None) -> None:
        """Start at the first byte.

        Args:
            year: in which the first line was written, if it is known.
        """
        self.journal = Journal(Calendar(year))
        self._lines = Lines()
        self._open: _Open | None = None

    @property
    def lines(self) -> int:
        """How many lines have ended."""
        return self._lines.ended

    def feed(self, data: bytes) -> list[Event]:
        """Read on.

        Args:
            data: the next bytes, cut anywhere.

        Returns:
            What the lines that they complete tell, in their order.
        """
        events: list[Event] = []
        for line, raw in self._lines.feed(data):
            self._fragment(line, raw, events)
        return events

    def restarted(self) -> None:
        """The container was started again: what comes next is another start's."""
        self._open = None
        self.journal.restarted()

    def gap(self) -> list[Event]:
        """What comes next does not follow what came last."""
        self._open = None
        return self.journal.gap(self._lines.ended + 1)

    def finish(self) -> list[Event]:
        """The log has ended, maybe in the middle of a line."""
        events: list[Event] = []
        for line, raw in self._lines.finish():
            self._fragment(line, raw, events)
        return events + self.journal.finish()

    def _fragment(self, line: int, raw: bytes, events: list[Event]) -> None:
        if b"\x1b" in raw:
            raw = ANSI.sub(b"", raw)
        found = HEADER.search(raw)
        if found is None or raw.startswith(_CUT):
            self._without_header(line, raw, events)
            return
        self._open = None
        if self._is_of_interest(raw, found):
            for record in records(line, raw):
                self._record(record, raw, events)
            if len(raw) > _WIDEST:
                self._open = None

    def _is_of_interest(self, raw: bytes, found: "re.Match[bytes]") -> bool:
        """Whether the line can be in the table; most are not, and this is all they cost."""
        journal = self.journal
        attempt = journal.latest
        if attempt is None or journal.awaits(attempt) or journal.is_inside:
            return True
        level = raw[found.start() : found.start() + 1].decode()
        if level not in attempt.levels:
            return True
        if level in "EC":
            return True
        at = found.end()
        message = raw[at : at + _ENOUGH]
        return message[:3] in _BLOCKS or may_be_told(message) or header(raw, at) is not None

    def _record(self, record: Record, raw: bytes, events: list[Event]) -> None:
        if not record.headed:
            self._bare(record, raw, events)
            return
        if record.level in {"ERROR", "CRITICAL"} or record.text.startswith("Traceback"):
            events += self.journal.trouble(record)
        found = read(record.text) or _logo(record)
        if found is not None:
            self._take(record, raw, found, events)
        else:
            if record.placed:
                events += self.journal.see(record)
            if may_begin(record.text) or not record.placed:
                self._open = _Open(record.line, raw, record, None, [])
        if record.level and (attempt := self.journal.owner(record)):
            attempt.levels.add(record.level[0])

    def _take(self, record: Record, raw: bytes, found: Found, events: list[Event]) -> None:
        new = self.journal.take(record, found)
        events += new
        self._keep_open(record, raw, found, new)

    def _keep_open(self, record: Record, raw: bytes, found: Found, new: list[Event]) -> None:
        """Wait for a further line, unless nothing that is read could stand in it."""
        is_whole = found.wording.literal.endswith("{...}") and not _is_endless(found)
        if not is_whole and self.journal.owner(record):
            kept = [one.what for one in new if isinstance(one.what, Reading)]
            self._open = _Open(record.line, raw, record, found, kept)

    def _without_header(self, line: int, raw: bytes, events: list[Event]) -> None:
        if raw.startswith(_CUT) or _GAP in raw:
            self._open = None
            events += self.journal.gap(line)
            return
        if self._open and self._goes_on(self._open, line, raw, events):
            return
        if _HINTS.search(raw) or self.journal.is_inside:
            for record in records(line, raw):
                self._record(record, raw, events)

    def _bare(self, record: Record, raw: bytes, events: list[Event]) -> None:
        events += self.journal.trouble(record)
        found = read(record.text) or search(record.text)
        if found is not None:
            self._take(record, raw, found, events)

    def _goes_on(self, was: "_Open", line: int, raw: bytes, events: list[Event]) -> bool:
        """Whether the line is the rest of a record that the terminal's width cut."""
        self._open = None
        if line != was.line + 1 or _SPEAKS.match(raw) or len(was.raw) > _LONGEST_CUT:
            return False
        whole = was.raw + raw
        record = records(was.record.line, whole)[-1]
        found = read(record.text)
        if was.found is not None:
            if found is None or not _says_more(was.found, found):
                return False
            if _is_endless(found) and read(raw.decode("utf-8", "replace")):
                return False
            new = self.journal.amend(record, found, was.found, was.readings)
            events += new
            self._keep_open(record, whole, found, new)
        elif found is not None:
            self._take(record, whole, found, events)
        elif may_begin(record.text):
            self._open = _Open(line, whole, record, None, [])
        else:
            return False
        if self._open is not None:
            self._open = replace(self._open, line=line)
        return True


def _is_endless(found: Found) -> bool:
    """Whether anything may follow, as a configuration does; it is kept as it stands."""
    return "config" in found.wording.literal


def _says_more(before: Found, now: Found) -> bool:
    longer = any(len(now.text[key]) > len(before.text.get(key, "")) for key in now.text)
    unfinished = any(one.count("{") > one.count("}") or one.count("(") > one.count(")")
                     for one in before.text.values())  # fmt: skip
    return now.readings != before.readings or _is_endless(now) or (longer and unfinished)


def _logo(record: Record) -> Found | None:
    """The version and the model, which stand beside a picture of the name."""
    found = _LOGO.search(record.text) if "\u2588" in record.text else None
    if found is None:
        return None
    if found["version"]:
        return Found(_VERSION, text={"version": found["version"]})
    return Found(_MODEL, text={"model": found["model"].strip()})
