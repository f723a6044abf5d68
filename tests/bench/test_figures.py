"""Every figure of `make bench` can be taken: with tiny counts, and no opinion on its size."""

import math
from pathlib import Path
from types import ModuleType

import pytest

from bench import disk, following, intake, load_log, rest, sealing, simulator, start, turns
from bench.run import MODULES
from bench.table import Figure, Row, beside, compared, markdown, p50_and_p90, percentile

TINY = [
    (disk, 2),
    (start, 1),
    (sealing, 1),
    (intake, 2),
    (following, 1),
    (load_log, 1),
    (rest, 10),
    (simulator, 2),
    (turns, 10),
]
UNITS = {"ms", "s", "MiB", "%", "files/s", "lines/s", "of 40,000", "times"}


@pytest.mark.slow
@pytest.mark.parametrize(("module", "count"), TINY, ids=lambda one: getattr(one, "NAME", str(one)))
def test_a_figure_can_be_taken(module: ModuleType, count: int, tmp_path: Path) -> None:
    rows = module.measure(tmp_path, count)

    assert rows
    for row in rows:
        assert math.isfinite(row.value)
        assert row.unit in UNITS
        assert (row.rival_value is None) == (not row.rival)
        assert (row.met is None) == (not row.aim)


def test_every_figure_is_in_the_table_and_in_these_tests() -> None:
    assert {module.NAME for module, _ in TINY} == set(MODULES)


@pytest.mark.slow
def test_no_line_is_lost_by_us_or_by_the_rival(tmp_path: Path) -> None:
    lost = next(row for row in following.measure(tmp_path, 1) if row.what == "lines lost")

    assert (lost.value, lost.rival_value, lost.met) == (0, 0, True)


def test_a_percentile_is_one_of_the_values_and_covers_its_share() -> None:
    hundred = [float(one) for one in range(100, 0, -1)]

    assert percentile(hundred, 0.5) == 50
    assert percentile(hundred, 0.9) == 90
    assert percentile([7.0], 0.5) == percentile([7.0], 0.9) == 7


def test_a_missed_aim_says_so() -> None:
    p50, p90 = p50_and_p90("a thing", [10.0, 20.0], most_p90=15)

    assert (p50.value, p50.met) == (10, None)
    assert (p90.value, p90.met, p90.aim) == (20, False, "under 15")


def test_a_ratio_to_nothing_is_no_ratio() -> None:
    ours, nothing = Row(what="a", value=3, unit="s"), Row(what="", value=0, unit="s")

    assert beside([ours], "rival", [nothing])[0].ratio is None
    assert compared(3, 2) == 1.5


def test_the_table_for_the_docs_has_every_row_and_as_many_cells_in_each() -> None:
    rows = p50_and_p90("a thing", [10.0, 20.0], most_p90=15)
    lines = markdown([Figure("things", "Things", rows)]).splitlines()

    assert len(lines) == 5
    assert {line.count("|") for line in lines} == {8}
    assert "**missed**: under 15" in lines[-1]
