"""`docs/events.md` says what the source logs, and nothing else."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.logs.emitted import LEVELS, Emitted, emitted

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"\| `(?P<event>[^`]+)` \| (?P<levels>[^|]+) \| (?P<keys>[^|]*)\| (?P<meaning>.+) \|"
)
CONTEXT = frozenset({"job", "run", "attempt"})  # bound once; naming them again does no harm
BY_HAND = frozenset({"log.dropped"})  # made by the log itself, which cannot log its own losses


@dataclass(frozen=True, slots=True)
class Row:
    """One documented event."""

    event: str
    levels: frozenset[str]
    keys: frozenset[str]


ROWS = [
    Row(
        found["event"],
        frozenset(found["levels"].split(", ")),
        frozenset(re.findall(r"`([^`]+)`", found["keys"])),
    )
    for found in ROW.finditer((ROOT / "docs/events.md").read_text())
]
TABLE = {row.event: row for row in ROWS}
SOURCE = emitted(ROOT / "llmdbenchd")


@pytest.mark.parametrize("call", SOURCE, ids=lambda call: f"{call.event} {Path(call.where).name}")
def test_what_the_source_logs_is_in_the_table(call: Emitted) -> None:
    assert call.event is not None, f"{call.where}: the name of an event is a constant text"
    assert call.event in TABLE, f"{call.where}: {call.event} is missing in docs/events.md"
    row = TABLE[call.event]
    assert call.keys <= row.keys | CONTEXT, f"{call.where}: keys missing in docs/events.md"
    assert call.level == "log" or call.level in row.levels, f"{call.where}: level in docs/events.md"


def test_what_the_table_promises_is_logged_somewhere() -> None:
    names = {call.event for call in SOURCE}

    assert set(TABLE) - names - BY_HAND == set()


def test_each_event_has_one_row_in_the_shape_of_a_name() -> None:
    assert len(TABLE) == len(ROWS) > 0
    assert [name for name in TABLE if not re.fullmatch(r"[a-z]+(\.[a-z_]+)+", name)] == []
    assert {*LEVELS} >= {level for row in ROWS for level in row.levels}
    lines = [line for line in (ROOT / "docs/events.md").read_text().splitlines() if "| `" in line]
    assert len(lines) == len(ROWS)


def test_the_reader_of_the_source_finds_every_way_to_log(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(
        """
import logging
import structlog
log = structlog.get_logger()
noise = logging.getLogger("x")
class A:
    def f(self):
        self._log: object = log.bind(a=1)
        self._log.info("a.b", c=1, exc_info=True)
        inner = self._log.new()
        inner.exception(f"a.{1}")
        log.bind(x=1).warning("c.d")
        log.log(10, "e.f", **{})
        log.info("g.h" if inner else "i.j")
        noise.info("not ours")
        math.log(3)
"""
    )
    found = {(call.event, call.level, call.keys) for call in emitted(tmp_path)}
    none: frozenset[str] = frozenset()

    assert found == {
        ("a.b", "info", frozenset({"c"})),
        (None, "error", none),
        ("c.d", "warning", none),
        ("e.f", "log", none),
        ("g.h", "info", none),
        ("i.j", "info", none),
    }
