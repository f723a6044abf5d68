"""The open log, as the daemon and its readers have it."""

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from llmdbenchd.logs import OpenLog, configure, foreign, route_asyncio
from llmdbenchd.logs.setup import Form, Level

ROOT = Path(__file__).parents[2]
log = structlog.get_logger()  # made before the log is opened, as in every room


class Reader:
    """An open log and what it wrote."""

    def __init__(self, level: Level = "info", form: Form = "auto") -> None:
        """Open it."""
        self.stream = StringIO()
        self.opened: OpenLog = configure(level, form, stream=self.stream, environment={})

    def text(self) -> str:
        """Everything, after closing."""
        assert self.opened.close()
        return self.stream.getvalue()

    def events(self) -> list[dict[str, Any]]:
        """Every line, parsed, after closing."""
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.opened.close()


def test_a_line_has_its_name_its_facts_its_context_and_utc(reader: Reader) -> None:
    with bound_contextvars(job="j", run="r1", attempt=2):
        log.info("run.moved", was="READY", now="LAUNCHING")

    (event,) = reader.events()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event.pop("timestamp"))
    assert event == {
        "level": "info",
        "event": "run.moved",
        "was": "READY",
        "now": "LAUNCHING",
        "job": "j",
        "run": "r1",
        "attempt": 2,
    }


def test_a_traceback_is_one_field_of_one_line(reader: Reader) -> None:
    error = ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    log.error("activity.failed", activity="reports", exc_info=error)

    (event,) = reader.events()
    assert event["level"] == "error"
    assert "ValueError: a" in event["exception"]
    assert "exc_info" not in event


def test_a_reload_changes_the_level_of_loggers_in_use(reader: Reader) -> None:
    log.debug("unseen")
    reader.opened.set_level("debug")
    log.debug("seen")
    reader.opened.set_level("error")
    log.warning("unseen again")

    assert [event["event"] for event in reader.events()] == ["seen"]


def test_a_library_speaks_in_the_same_shape(reader: Reader) -> None:
    logging.getLogger("aiohttp.client").warning("closed %s", "early")
    logging.getLogger("aiohttp.client").info("chatter")
    misspelt = {"name": "odd", "levelno": 45, "msg": "%d", "args": ("not a number",)}
    foreign._Library().emit(logging.makeLogRecord(misspelt))

    events = reader.events()
    assert [(e["level"], e["event"], e["library"], e["message"]) for e in events] == [
        ("warning", "library.message", "aiohttp.client", "closed early"),
        ("error", "library.message", "odd", "%d"),
    ]


def test_a_warning_of_python_is_an_event(reader: Reader) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning("old", DeprecationWarning, "x.py", 3)

    (event,) = reader.events()
    assert (event["event"], event["category"], event["message"], event["where"]) == (
        "python.warned",
        "DeprecationWarning",
        "old",
        "x.py:3",
    )


async def test_what_nobody_awaited_is_an_event(reader: Reader) -> None:
    loop = asyncio.get_running_loop()
    route_asyncio(loop)
    loop.call_soon(lambda: 1 // 0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    (event,) = reader.events()
    assert event["event"] == "asyncio.failed"
    assert "ZeroDivisionError" in event["exception"]


def test_for_eyes_the_name_and_the_facts_are_readable_without_colours_in_a_file() -> None:
    text = Reader(form="console").text()
    assert text == ""
    reader = Reader(form="console")
    log.warning("disk.low", free="1 GiB")

    assert re.search(r"\[warning *\] disk\.low +free='1 GiB'\n", reader.text())


def test_after_closing_the_world_is_as_before(reader: Reader) -> None:
    before = logging.getLogger().handlers
    second = Reader()
    second.opened.close()
    second.opened.close()

    assert logging.getLogger().handlers == before
    assert reader.opened.close()
    assert not structlog.is_configured()


PROGRAM = """
import os, sys, structlog
from llmdbenchd.logs import configure
status = os.fstat(1)
journal = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"} if sys.argv[1] == "ours" else {
    "JOURNAL_STREAM": "1:2"}
configure("info", "auto", stream=sys.stdout, environment=journal)
structlog.get_logger().error("daemon.failed", n=1)
if sys.argv[1] == "dies": raise SystemExit(3)
"""


def program(word: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-c", PROGRAM, word),
        cwd=ROOT,
        stdout=stdout,
        text=True,
        timeout=60,
        check=False,
        env=_environment(),
    )


def _environment() -> Mapping[str, str]:
    return {"PATH": os.environ["PATH"]}


def test_the_prefix_is_for_the_journal_only_and_nothing_is_lost_at_the_end() -> None:
    assert program("ours").stdout.startswith('<3>{"timestamp"')
    assert program("another").stdout.startswith('{"timestamp"')
    died = program("dies")
    assert died.returncode == 3
    assert json.loads(died.stdout)["event"] == "daemon.failed"


def test_at_a_terminal_the_log_is_coloured() -> None:
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    try:
        assert program("another", stdout=theirs).returncode == 0
        text = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)

    assert "\x1b[" in text
    assert "daemon.failed" in text
