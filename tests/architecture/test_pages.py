"""Pages that are drawn from the source are as fresh as the source."""

from pathlib import Path

import pytest

from llmdbenchd.core.job.variables import FIELDS, TABLE
from llmdbenchd.core.run.phase import picture
from scripts import draw_job_fields, draw_phases
from tests.core.job.facts import CODE_VARIABLES, CONTRACT_FIELDS, FLAGS, SEED_VARIABLES

ROOT = Path(__file__).parents[2]
STALE = "the page is older than its source: `make fix` draws it anew"


def between(page: str, name: str) -> str:
    _, begin, rest = page.partition(f"<!-- {name}:begin -->\n")
    found, end, _ = rest.partition(f"<!-- {name}:end -->\n")
    assert begin, f"no marker {name}:begin"
    assert end, f"no marker {name}:end"
    return found.strip()


def test_the_picture_of_the_phases_is_that_of_the_table() -> None:
    page = draw_phases.PAGE.read_text(encoding="utf-8")

    assert between(page, "phases") == f"```mermaid\n{picture()}```", STALE
    assert draw_phases.fresh(page) == page, STALE


def test_the_tables_of_the_job_file_are_those_of_the_source() -> None:
    page = draw_job_fields.PAGE.read_text(encoding="utf-8")

    assert draw_job_fields.fresh(page) == page, STALE


def test_every_field_has_one_row_and_every_name_is_in_the_page() -> None:
    page = draw_job_fields.PAGE.read_text(encoding="utf-8")
    rows = [line for line in between(page, "fields").splitlines() if line.startswith("| `")]

    assert len(rows) == len(FIELDS)
    for row in TABLE:
        for name in (*row.variables, *row.flags, row.field):
            assert not name or f"`{name}`" in page, name


def missed_in(tables: list[str]) -> set[str]:
    """What somebody may look for and these lines do not have."""
    text = "\n".join(tables)
    names = (*CONTRACT_FIELDS, *SEED_VARIABLES, *CODE_VARIABLES, *FLAGS)
    return {name for name in names if f"`{name}`" not in text}


def test_every_name_that_somebody_may_know_is_in_the_page() -> None:
    page = draw_job_fields.PAGE.read_text(encoding="utf-8")
    lines = [line for name in ("fields", "variables") for line in between(page, name).splitlines()]
    rows = [line for line in lines if line.startswith("| `")]

    assert missed_in(rows) == set()
    assert len(rows) == len(TABLE)
    for row in rows:
        assert missed_in([one for one in rows if one is not row]), f"nobody would miss {row}"


def test_no_cell_of_a_table_breaks_its_row() -> None:
    page = draw_job_fields.PAGE.read_text(encoding="utf-8")
    for name, columns in (("fields", 7), ("variables", 5)):
        for line in between(page, name).splitlines():
            assert line.replace("\\|", "").count("|") == columns + 1, line


def test_drawing_twice_changes_nothing_and_what_stands_around_it_stays() -> None:
    for fresh, names in (
        (draw_phases.fresh, ["phases"]),
        (draw_job_fields.fresh, ["fields", "variables"]),
    ):
        marked = [f"<!-- {name}:begin -->\nstale\n<!-- {name}:end -->\n" for name in names]
        once = fresh("".join(["before\n", *marked, "after\n"]))

        assert once.startswith("before\n")
        assert once.endswith("after\n")
        assert "stale" not in once
        assert fresh(once) == once


def test_a_page_without_its_markers_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="phases:begin"):
        draw_phases.fresh("# A page\n")
    with pytest.raises(ValueError, match="fields:begin"):
        draw_job_fields.fresh("# A page\n")


def test_make_fix_draws_both_pages() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for script in ("scripts/draw_phases.py", "scripts/draw_job_fields.py"):
        assert f"python {script}" in makefile
