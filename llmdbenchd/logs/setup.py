"""Opens the log: decides by the stream's kind how lines look, and who writes them."""

import atexit
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TextIO

import structlog
from structlog.typing import Processor

from llmdbenchd.logs.foreign import libraries_heard
from llmdbenchd.logs.render import blank_secrets, one_line, shorten, to_console, to_json
from llmdbenchd.logs.writer import LineWriter, to_stream

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["json", "console", "auto"]

FLUSH_S = 2.0  # at the end: a stalled journal may cost the last lines, never the shutdown


@dataclass(slots=True)
class OpenLog:
    """The log while it is open; closes at the end of the block, or of the process."""

    _writer: LineWriter
    _heard: ExitStack

    def set_level(self, level: Level) -> None:
        """Write from `level` on, from now on (after a reload)."""
        number = _number(level)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(number))
        self._heard.close()
        self._heard.enter_context(libraries_heard(number))

    def close(self, within_s: float = FLUSH_S) -> bool:
        """Write what is waiting, for at most `within_s`; says whether all was. May be repeated."""
        atexit.unregister(self.close)
        self._heard.close()
        structlog.reset_defaults()
        return self._writer.close(within_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def configure(
    level: Level, form: Form, *, stream: TextIO, environment: Mapping[str, str]
) -> OpenLog:
    """Open the log.

    Args:
        level: the least level that is written.
        form: `json`, `console`, or `auto`: console where `stream` is a terminal.
        stream: where lines go; its descriptor is written directly, from a thread.
        environment: JOURNAL_STREAM says whether `stream` is the journal (then each line gets
            its `<priority>`), NO_COLOR whether colours are wanted.
    """
    terminal = stream.isatty()
    if form == "json" or (form == "auto" and not terminal):
        render: Processor = to_json
    else:
        render = to_console(colours=terminal and not environment.get("NO_COLOR"))
    finish = one_line(render, syslog=_is_journal(stream, environment.get("JOURNAL_STREAM")))
    writer = LineWriter(to_stream(stream), _lost(finish))
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_FACTS, finish],
        logger_factory=lambda *_names: _Lines(writer),
        cache_logger_on_first_use=False,  # set_level reaches loggers that were used before
    )
    opened = OpenLog(writer, ExitStack())
    opened.set_level(level)
    atexit.register(opened.close)
    return opened


_FACTS: tuple[Processor, ...] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    blank_secrets,
    shorten,
)


class _Lines:
    """What structlog calls with a finished line, by whatever level's name."""

    def __init__(self, writer: LineWriter) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = writer.write


def _lost(finish: Processor) -> Callable[[int], str]:
    def line(lines: int) -> str:
        event: Any = {"event": "log.dropped", "lines": lines}
        for step in (*_FACTS, finish):
            event = step(None, "warning", event)
        return str(event)

    return line


def _is_journal(stream: TextIO, journal: str | None) -> bool:
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return False
    return journal == f"{status.st_dev}:{status.st_ino}"


def _number(level: Level) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
