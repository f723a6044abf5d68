"""`llmdbenchd check`: all mistakes of a job file, and the runs that it would make."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console, ConsoleDimensions
from rich.table import Table
from rich.text import Text

from llmdbenchd.cli.finding import Finding, Verdict
from llmdbenchd.cli.preflight import Preflight
from llmdbenchd.core.job.decoding import LARGEST
from llmdbenchd.core.job.examination import Examination, Outline, examine
from llmdbenchd.core.job.jobfile import Reading, Value
from llmdbenchd.core.job.problems import show
from llmdbenchd.core.job.variables import BY_FIELD
from llmdbenchd.core.job.whole import read_whole_job
from llmdbenchd.edge.desk import FileDesk, profiles_of
from llmdbenchd.edge.files.profiles import Profiles
from llmdbenchd.ports import Refused
from llmdbenchd.settings import Settings, load, process_environment

_GOOD, _NO, _CANNOT_TELL = 0, 1, 3
_WIDTH = 240  # columns that no table needs
_LONGEST = 72  # characters of a value in a table


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="all mistakes of a job file, and the runs that it would make",
        description="Read a job file as the daemon would, and touch nothing. Exit code 0: good; "
        "1: it has mistakes; 3: it cannot be read. With --cluster the cluster is asked as well.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the job file")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="every value and where it is from, and what goes into the launchers",
    )
    parser.add_argument("--cluster", action="store_true", help="ask what a run would meet there")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--engine", choices=["auto", "kubernetes", "local"], help="instead of its")
    parser.add_argument("--profiles", metavar="DIR", type=Path, help="root of the profiles")
    parser.add_argument("--config", metavar="FILE", type=Path, help="the daemon's settings")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check one file."""
    environment = process_environment()
    loaded = load(args.config, environment, cwd=Path.cwd())
    for wrong in loaded.problems:
        print(f"llmdbenchd: {wrong}", file=sys.stderr)
    try:
        with args.file.open("rb") as file:
            data = file.read(LARGEST + 1)
        desk = _desk(args, loaded.settings, environment)
    except OSError as error:
        print(f"{args.file}: cannot be read: {error.strerror}", file=sys.stderr)
        return _CANNOT_TELL
    except Refused as error:
        print(f"llmdbenchd: {error}", file=sys.stderr)
        return _CANNOT_TELL
    reading = read_whole_job(data, stem=args.file.stem, environment=environment, files=desk)
    engine, why = _engine(args.engine, reading, desk)
    reading = desk.completed(reading, engine)
    answer = examine(reading, engine=engine, shelf=desk.shelf, read_path=desk.read_path)
    findings = list[Finding]()
    if args.cluster and reading.spec is not None and not answer.problems:
        plane = Preflight(reading.spec, engine, answer.outlines, desk.settings, environment)
        findings = list(plane.findings())
    if args.json:
        document = _as_json(reading, answer, engine, why)
        if args.cluster:
            document["cluster"] = [asdict(one) for one in findings]
            document["ok"] = not answer.problems and _code(findings) == _GOOD
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _tell(reading, answer, args)
        if not answer.problems:
            print(f"engine: {engine}, {why}")
            if args.explain:
                _list_variables(answer.outlines[0])
            _list_runs(answer.outlines)
            _list_findings(findings)
    return _NO if answer.problems else _code(findings)


def _code(findings: Sequence[Finding]) -> int:
    verdicts = {one.verdict for one in findings}
    if Verdict.BAD in verdicts:
        return _NO
    return _CANNOT_TELL if Verdict.UNKNOWN in verdicts else _GOOD


def _list_findings(findings: Sequence[Finding]) -> None:
    for one in findings:
        print(f"{one.verdict:4}  {one.check}: {one.said}")
        if one.fix and one.verdict is not Verdict.OK:
            print(f"      -> {one.fix}")


def _desk(args: argparse.Namespace, settings: Settings, environment: Mapping[str, str]) -> FileDesk:
    shelf = Profiles(args.profiles) if args.profiles else profiles_of(settings)
    return FileDesk(shelf, environment, settings)


def _engine(asked: str | None, reading: Reading, desk: FileDesk) -> tuple[str, str]:
    if asked is not None and asked != "auto":
        return asked, "as --engine says"
    named = reading.best.engine if reading.best and asked is None else "auto"
    return desk.choose_engine(named)


def _tell(reading: Reading, answer: Examination, args: argparse.Namespace) -> None:
    """For people: mistakes, warnings, values."""
    for problem in answer.problems:
        print(show(problem, reading.text, str(args.file)))
    for warning in answer.warnings:
        marked = replace(warning, message=f"warning: {warning.message}")
        print(show(marked, reading.text, str(args.file)))
    if args.explain:
        _explain(reading)
    if answer.problems:
        count = len(answer.problems)
        print(f"{args.file}: {count} mistake{'s' if count > 1 else ''}")


def _explain(reading: Reading) -> None:
    table = Table("field", "value", "origin", box=None, pad_edge=False)
    for field, value in reading.values.items():
        shown = BY_FIELD[field].default if value.value is None else _short(value.value)
        table.add_row(field, Text(shown), Text(_origin(value)))
    _print_table(table)


def _origin(value: Value) -> str:
    place = f" {value.place}" if value.place else ""
    variable = f" ({value.variable})" if value.variable else ""
    return f"{value.origin}{place}{variable}"


def _list_runs(outlines: Sequence[Outline]) -> None:
    columns = ["run", "model", "method", "treatment", "repetition", "workload", "launchers"]
    treated = any(one.cell.treatment for one in outlines)
    if not treated:
        columns.remove("treatment")
    table = Table(*columns, box=None, pad_edge=False)
    for one in outlines:
        cell = one.cell
        table.add_row(
            cell.run,
            Text(cell.model),
            Text(cell.method),
            *([Text(cell.treatment)] if treated else []),
            str(cell.repetition),
            Text(one.workload_file),
            str(len(one.launchers)),
        )
    _print_table(table)


def _list_variables(first: Outline) -> None:
    """What goes into a launcher: nothing else does, but a secret that the job names."""
    plan = first.launchers[0]
    table = Table(f"variable in {plan.name}", "value", box=None, pad_edge=False)
    for name, value in sorted(plan.env.items()):
        table.add_row(name, Text(_short(value)))
    if plan.pod.hf_token:
        secret = plan.pod.hf_token
        table.add_row("HF_TOKEN", Text(f"key {secret.key} of the secret {secret.secret}"))
    _print_table(table)


def _print_table(table: Table) -> None:
    """Aligned, and as wide as it needs to be: cut neither at a terminal nor in a pipe."""
    console = Console(highlight=False)
    console.size = ConsoleDimensions(_WIDTH, console.height)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _as_json(reading: Reading, answer: Examination, engine: str, why: str) -> dict[str, object]:
    return {
        "ok": not answer.problems,
        "problems": [asdict(problem) for problem in answer.problems],
        "warnings": [asdict(warning) for warning in answer.warnings],
        "engine": {"name": engine, "why": why},
        "values": {
            field: {"value": value.value, "origin": value.origin}
            | ({"place": value.place} if value.place else {})
            for field, value in reading.values.items()
        },
        "runs": [
            {
                **asdict(one.cell),
                "workload": one.workload,
                "launchers": [asdict(plan) for plan in one.launchers],
            }
            for one in answer.outlines
        ],
    }
