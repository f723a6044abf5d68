"""Voices that are not ours (libraries, asyncio, Python's warnings), in the same log."""

import asyncio
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog

log = structlog.get_logger()

_LEVELS = (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)


def route_asyncio(loop: asyncio.AbstractEventLoop) -> None:
    """Let what nobody awaited become an event of the log instead of text on stderr."""
    loop.set_exception_handler(_asyncio_failed)


@contextmanager
def libraries_heard(level: int) -> Iterator[None]:
    """Hear the standard library's loggers and warnings for the length of the block.

    Args:
        level: our own least level. Libraries are heard from WARNING on, and from INFO when
            we debug: their DEBUG may hold what goes over a connection.
    """
    root, handler = logging.getLogger(), _Library()
    before, shown = root.level, warnings.showwarning
    root.addHandler(handler)
    root.setLevel(logging.INFO if level <= logging.DEBUG else max(level, logging.WARNING))
    warnings.showwarning = _python_warned
    try:
        yield
    finally:
        warnings.showwarning = shown
        root.setLevel(before)
        root.removeHandler(handler)


class _Library(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        level = next((one for one in _LEVELS if record.levelno >= one), logging.DEBUG)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # the library's arguments do not fit its own text
            message = str(record.msg)
        log.log(
            level,
            "library.message",
            library=record.name,
            message=message,
            exc_info=record.exc_info or None,
        )


def _asyncio_failed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    task = context.get("task") or context.get("future")
    log.error(
        "asyncio.failed",
        message=context.get("message", ""),
        task=task.get_name() if isinstance(task, asyncio.Task) else None,
        exc_info=context.get("exception"),
    )


def _python_warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 -- as in warnings.showwarning
    line: str | None = None,  # noqa: ARG001 -- likewise
) -> None:
    log.warning(
        "python.warned",
        category=category.__name__,
        message=str(message),
        where=f"{filename}:{lineno}",
    )
