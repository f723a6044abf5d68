"""The figures' paper: what a figure is made of, and the one table of all of them."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

COLUMNS = ("figure", "value", "rival", "rival's value", "ratio", "aim", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured value, beside its rival's of the same run.

    Attributes:
        what: the sentence in front of it.
        value: the figure, in `unit`.
        rival: what it is compared with, or empty.
        rival_value: that one's figure, in the same unit.
        ratio: `value / rival_value`, where that says something.
        aim: what we want it to be, in words.
        met: whether it is; None where there is no aim.
        note: one more fact.
    """

    what: str
    value: float
    unit: str
    rival: str = ""
    rival_value: float | None = None
    ratio: float | None = None
    aim: str = ""
    met: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """All rows of one module."""

    name: str
    title: str
    rows: Sequence[Row]


def compared(value: float, rival_value: float) -> float | None:
    """How many times the rival's value ours is."""
    return value / rival_value if rival_value else None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` (0 to 1) of them do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def p50_and_p90(what: str, values: Sequence[float], *, most_p90: float | None = None) -> list[Row]:
    """Two rows for durations in milliseconds; `most_p90` is the aim for the second."""
    p50, p90 = percentile(values, 0.5), percentile(values, 0.9)
    aim = "" if most_p90 is None else f"under {most_p90:g}"
    met = None if most_p90 is None else p90 < most_p90
    return [
        Row(what=f"{what}: p50", value=p50, unit="ms"),
        Row(what=f"{what}: p90", value=p90, unit="ms", aim=aim, met=met),
    ]


def beside(ours: Sequence[Row], rival: str, theirs: Sequence[Row]) -> list[Row]:
    """Our rows, each with the rival's row of the same place at its side."""
    return [
        Row(
            **{
                **asdict(row),
                "rival": rival,
                "rival_value": other.value,
                "ratio": compared(row.value, other.value),
            }
        )
        for row, other in zip(ours, theirs, strict=True)
    ]


def show(figures: Sequence[Figure], console: Console) -> None:
    """Print the table."""
    table = Table(*COLUMNS)
    for figure in figures:
        table.add_section()
        table.add_row(f"[bold]{figure.title}")
        for row in figure.rows:
            table.add_row(*_cells(row))
    console.print(table)


def markdown(figures: Sequence[Figure]) -> str:
    """The table as `docs/performance.md` has it."""
    lines = [list(COLUMNS), ["---"] * len(COLUMNS)]
    for figure in figures:
        lines.append([f"**{figure.title}**", *[""] * (len(COLUMNS) - 1)])
        lines += [
            [cell.replace("[red]missed[/]", "**missed**") for cell in _cells(row)]
            for row in figure.rows
        ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Row) -> list[str]:
    mark = {True: "met: ", False: "[red]missed[/]: ", None: ""}[row.met]
    return [
        row.what,
        f"{_short(row.value)} {row.unit}",
        row.rival,
        "" if row.rival_value is None else f"{_short(row.rival_value)} {row.unit}",
        "" if row.ratio is None else f"{row.ratio:.2f}",
        f"{mark}{row.aim}" if row.aim else "",
        row.note,
    ]


def _short(value: float) -> str:
    if value == 0 or abs(value) >= 100:  # noqa: PLR2004 - three digits tell enough
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"  # noqa: PLR2004 - the same
