"""`llmdbenchd results`: what archived runs measured, as a table or as JSON."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmdbenchd.core.results.document import read_row
from llmdbenchd.core.results.repetitions import Repeated, repeated
from llmdbenchd.edge.files.archive import Archive, Sealed
from llmdbenchd.settings import load, process_environment

_GOOD = 0
_NO = 1
_UNKNOWN = 3

_FACTS = ("harness", "model", "method", "treatment")

Row = dict[str, Any]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "results",
        help="what archived runs measured",
        description="Print one line for each archived run. Latencies are mean / p99; what a "
        "harness does not measure is -. Repetitions of one cell follow as mean and standard "
        "deviation of those that SUCCEEDED.",
        epilog="Exit code: 0 good, 1 there is no such archived run, 3 an archive cannot be read.",
    )
    add_selection(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print: 0 good, 1 no such run, 3 something cannot be read."""
    try:
        sealed = selected(args)
    except OSError as error:
        return complain(f"the archive cannot be read: {error}")
    if args.job and not sealed:
        print(f"no archived run of {args.job} in {archive_folder(args)}", file=sys.stderr)
        return _NO
    rows, problems = _read(sealed)
    if args.json:
        print(json.dumps(rows, indent=2))
    else:
        _show(rows, Console())
    for problem in problems:
        print(problem, file=sys.stderr)
    return _UNKNOWN if problems else _GOOD


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Arguments of commands that read archived runs."""
    parser.add_argument("job", nargs="?", metavar="JOB[/RUN]", help="only these (default: all)")
    parser.add_argument(
        "--archive", type=Path, metavar="DIR", help="default: the `archive` of the settings"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def archive_folder(args: argparse.Namespace) -> Path:
    """The archive that the arguments, else the settings, name."""
    given: Path | None = args.archive
    if given is not None:
        return given.absolute()
    config: Path | None = getattr(args, "config", None)
    return load(config, process_environment(), cwd=Path.cwd()).settings.archive


def selected(args: argparse.Namespace) -> list[Sealed]:
    """The archived runs that the arguments ask for.

    Raises:
        OSError: the archive cannot be read.
    """
    job, _, run_id = (args.job or "").strip("/").partition("/")
    return [
        one
        for one in Archive(archive_folder(args)).runs()
        if (not job or one.job == job) and (not run_id or one.run == run_id)
    ]


def complain(message: str) -> int:
    """Say on stderr what could not be found out; the exit code for it."""
    print(message, file=sys.stderr)
    return _UNKNOWN


def _read(sealed: Iterable[Sealed]) -> tuple[list[Row], list[str]]:
    rows, problems = [], []
    for one in sealed:
        path = one.path / "run.json"
        try:
            rows.append({**read_row(path.read_bytes()), "archive": str(one.path)})
        except (OSError, ValueError) as error:
            problems.append(f"{path}: {error}")
    return rows, problems


def _show(rows: Sequence[Row], console: Console) -> None:
    if not rows:
        console.print("no archived runs")
    for job in dict.fromkeys(row["job"] for row in rows):
        _show_job(job, [row for row in rows if row["job"] == job], console)


def _show_job(job: str, rows: Sequence[Row], console: Console) -> None:
    """What all runs share is said once, above the table; what differs, below the run's name."""
    shared = frozenset(name for name in _FACTS if len({row[name] for row in rows}) == 1)
    console.print(Text(job, style="bold"))
    console.print(Text("  ".join(rows[0][name] for name in _FACTS if name in shared), style="dim"))
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("run", overflow="fold", min_width=12)
    table.add_column("phase")
    for title in ("ok/fail", "TTFT ms", "ITL ms", "TPOT ms", "out tok/s", "s"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, shared))
    for cell in repeated(rows):
        table.add_section()
        table.add_row(*_repeated_cells(cell, f"mean of {cell.runs}", 0, shared))
        table.add_row(*_repeated_cells(cell, "std dev", 1, shared))
    console.print(table)
    for row in rows:
        if row["phase"] != "SUCCEEDED":
            console.print(Text(f"{row['run']}: {row['reason']}"))
    console.print()


def _cells(row: Row, shared: frozenset[str]) -> list[Text | str]:
    attempt = f"attempt {row['attempt']}" if row["attempt"] > 1 else ""
    total, failed = row["requests"]["total"], row["requests"]["failures"]
    return [
        _named(row["run"], [attempt, *_differing(row, shared)]),
        Text(row["phase"], style="green" if row["phase"] == "SUCCEEDED" else "bold red"),
        "-" if total is None else f"{total - failed}/{failed}",
        _spread(row["ttft_ms"]),
        _number((row["itl_ms"] or {}).get("mean")),
        _number((row["tpot_ms"] or {}).get("mean")),
        _number(row["output_tokens_per_s"]),
        _number(row["duration_s"]),
    ]


def _repeated_cells(
    cell: Repeated, title: str, index: int, shared: frozenset[str]
) -> list[Text | str]:
    figures = [
        _number(cell.figures[figure][index] if figure in cell.figures else None)
        for figure in ("ttft_ms", "itl_ms", "tpot_ms", "output_tokens_per_s", "duration_s")
    ]
    return [_named(title, _differing(cell.cell, shared)), "", "", *figures]


def _differing(facts: Mapping[str, str], shared: frozenset[str]) -> list[str]:
    return [facts[name] for name in _FACTS if name not in shared]


def _named(name: str, facts: Iterable[str]) -> Text:
    below = "\n".join(fact for fact in facts if fact)
    return Text.assemble(name, (f"\n{below}" if below else "", "dim"))


def _spread(spread: Mapping[str, float | None] | None) -> str:
    if spread is None:
        return "-"
    return f"{_number(spread['mean'])}/{_number(spread['p99'])}"


def _number(value: float | None) -> str:
    """Four digits are more than such a measurement holds."""
    if value is None:
        return "-"
    decimals = next((places for limit, places in ((100, 2), (1000, 1)) if abs(value) < limit), 0)
    return f"{value:.{decimals}f}"
