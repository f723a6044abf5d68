"""Draws the tables of fields and variables into docs/job-file.md: `make fix` runs this."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from llmdbenchd.core.job.row import Row
from llmdbenchd.core.job.variables import FIELDS
from llmdbenchd.core.job.variables_without_field import WITHOUT_FIELD

PAGE = Path(__file__).parents[1] / "docs/job-file.md"
ERAS = {"seed": "seed", "code": "code", "later": "later", "ours": ""}


def fresh(page: str) -> str:
    """The page with today's tables between its markers.

    Raises:
        ValueError: markers are missing.
    """
    for name, table in (("fields", fields()), ("variables", variables())):
        before, begin, rest = page.partition(f"<!-- {name}:begin -->\n")
        _, end, after = rest.partition(f"<!-- {name}:end -->\n")
        if not begin or not end:
            raise ValueError(f"{PAGE.name}: <!-- {name}:begin --> and :end mark the table's place")
        page = f"{before}{begin}{table}{end}{after}"
    return page


def fields() -> str:
    """One row for each field."""
    head = ("field", "variable", "flag", "kind", "default", "meaning", "era")
    return _table(head, (_field(row) for row in FIELDS))


def variables() -> str:
    """One row for each variable or flag of the era that sets no field."""
    head = ("variable", "flag", "what becomes of it", "meaning", "era")
    return _table(head, (_variable(row) for row in WITHOUT_FIELD))


def _field(row: Row) -> Sequence[str]:
    return (
        f"`{row.field}`",
        _codes(row.variables),
        _flag(row),
        row.type,
        row.default,
        row.meaning,
        ERAS[row.era],
    )


def _variable(row: Row) -> Sequence[str]:
    return (_codes(row.variables), _flag(row), row.type, row.meaning, ERAS[row.era])


def _flag(row: Row) -> str:
    flags = _codes(row.flags)
    if row.part:
        return f"{flags}, value {row.part} of 2"
    return f"{flags} (sets `{row.constant}`)" if row.constant else flags


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    return "\n" + "\n".join(lines) + "\n\n"


def _line(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


if __name__ == "__main__":
    PAGE.write_text(fresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
