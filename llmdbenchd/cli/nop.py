"""`llmdbenchd nop`: what the starts of vLLM servers took, read from their logs."""

import argparse
import json
import sys

from rich.console import Console

from llmdbenchd.cli.nop_page import show, show_summary
from llmdbenchd.core.nop.likeness import Likeness
from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.core.nop.report import Json, told
from llmdbenchd.edge.files.foreign_log import read_log
from llmdbenchd.ports import Refused

_GOOD = 0
_NO = 1
_UNKNOWN = 3
_WIDTH = 120


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "nop",
        help="what a vLLM server's start took, from its log",
        description="Read logs of vLLM servers (0.6 to 0.32, whatever wraps their lines) and show "
        "for each start how long its parts took, every value with the line that it was read "
        "from, and what is absent and why. Needs neither a daemon nor a cluster.",
        epilog="Exit code: 0 good, also if a start failed; 1 a log tells of no start; "
        "3 a file cannot be read.",
    )
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a log, also gzip; - is standard input"
    )
    parser.add_argument("--json", action="store_true", help="everything, as one JSON object")
    parser.add_argument(
        "--year", type=int, metavar="YYYY", help="of the first line, where stamps have none"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read and print: 0 good, 1 no start in one of them, 3 one cannot be read."""
    found: list[Json] = []
    codes = {_GOOD}
    for name in args.files:
        try:
            report, complaint = _read(name, args.year)
        except Refused as error:
            print(error, file=sys.stderr)
            codes.add(_UNKNOWN)
            continue
        if complaint:
            print(f"{name}: no vLLM start found: {complaint}", file=sys.stderr)
            codes.add(_NO)
        found.append({"file": name, **report})
    if args.json:
        print(json.dumps(found[0] if len(args.files) == len(found) == 1 else {"files": found}))
    else:
        _print(found, several=len(args.files) > 1)
    return max(codes)


def _read(name: str, year: int | None) -> tuple[Json, str]:
    """One log's starts, and what it is like if it has none."""
    recorder = Recorder(year)
    likeness = Likeness()
    for piece in read_log(name, sys.stdin.buffer):
        recorder.feed(piece)
        likeness.feed(piece)
    recorder.finish()
    report = told(recorder.journal, recorder.lines)
    if report["attempts"]:
        return report, ""
    if recorder.journal.attempts:
        return report, "it has lines of vLLM's, but of no start: is its beginning missing?"
    return report, likeness.words(recorder.lines)


def _print(found: list[Json], *, several: bool) -> None:
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    if several and found:
        show_summary(found, console)
    for report in found:
        if report["attempts"]:
            show(report, console)
