"""`llmdbenchd verify`: whether archived runs still are what was sealed."""

import argparse
import json
import sys

from llmdbenchd.cli.results import add_selection, archive_folder, complain, selected
from llmdbenchd.edge.files.archive import Finding, Sealed, verify
from llmdbenchd.ports import Refused, Unavailable

_GOOD = 0
_NO = 1
_UNKNOWN = 3


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "verify",
        help="hash archived runs again and compare",
        description="Hash every file of archived runs and compare it with the run's "
        "MANIFEST.jsonl. Prints each file that is missing, changed or extra.",
        epilog="Exit code: 0 all are whole, 1 something differs, "
        "3 there is no such run or it cannot be read.",
    )
    add_selection(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Verify: 0 whole, 1 differs, 3 nothing found or unreadable."""
    try:
        found = {one: _verified(one) for one in selected(args)}
    except OSError as error:
        return complain(f"the archive cannot be read: {error}")
    if not found:
        return complain(f"no archived run of {args.job or 'any job'} in {archive_folder(args)}")
    if args.json:
        print(json.dumps([_as_json(one, findings) for one, findings in found.items()], indent=2))
    else:
        _show(found)
    kinds = {finding.kind for findings in found.values() for finding in findings}
    if kinds - {"unreadable"}:
        return _NO
    return _UNKNOWN if kinds else _GOOD


def _verified(one: Sealed) -> tuple[Finding, ...]:
    try:
        return verify(one.path)
    except (Refused, Unavailable) as error:
        return (Finding("", "unreadable", str(error)),)


def _as_json(one: Sealed, findings: tuple[Finding, ...]) -> dict[str, object]:
    return {
        "job": one.job,
        "run": one.run,
        "archive": str(one.path),
        "whole": not findings,
        "findings": [
            {"path": finding.path, "kind": finding.kind, "detail": finding.detail}
            for finding in findings
        ],
    }


def _show(found: dict[Sealed, tuple[Finding, ...]]) -> None:
    for one, findings in found.items():
        print(f"{one.job}/{one.run}: {f'{len(findings)} findings' if findings else 'whole'}")
        for finding in findings:
            print(f"  {finding.path!r}: {finding.kind}: {finding.detail}", file=sys.stderr)
    bad = sum(1 for findings in found.values() if findings)
    print(f"{len(found) - bad} of {len(found)} runs are whole")
