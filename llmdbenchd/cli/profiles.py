"""`llmdbenchd profiles`: the load that can be asked for, by harness."""

import argparse
import json
import sys
from pathlib import Path

from llmdbenchd.core.workload.errors import WorkloadError
from llmdbenchd.edge.files.profiles import Profile, Profiles
from llmdbenchd.ports import Refused

_GOOD, _NO, _UNKNOWN = 0, 1, 3


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("profiles", help="list the harnesses and their profiles")
    parser.add_argument("harness", nargs="?", metavar="HARNESS", help="only this harness")
    parser.add_argument("--json", action="store_true", help="a list of objects")
    parser.add_argument(
        "--profiles", type=Path, metavar="DIR", help="look here instead of at the shipped ones"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them; 1 when there is no such harness, 3 when the folder cannot be read."""
    try:
        profiles = Profiles(args.profiles) if args.profiles else Profiles.shipped()
        known = profiles.harnesses()
    except (WorkloadError, Refused) as error:
        print(error, file=sys.stderr)
        return _UNKNOWN
    found, complaints = [], []
    for harness in [args.harness] if args.harness else known:
        try:
            names = profiles.names(harness)
        except WorkloadError as error:
            print(error, file=sys.stderr)
            return _NO
        for name in names:
            try:
                found.append(profiles.read(harness, name))
            except WorkloadError as error:
                complaints.append(str(error))
    print(_as_json(found) if args.json else _as_table(found))
    print(*complaints, sep="\n", end="\n" if complaints else "", file=sys.stderr)
    return _UNKNOWN if complaints else _GOOD


def _as_json(profiles: list[Profile]) -> str:
    rows = [
        {
            "harness": each.harness,
            "profile": each.name,
            "description": each.description,
            "path": str(each.path),
        }
        for each in profiles
    ]
    return json.dumps(rows, indent=2)


def _as_table(profiles: list[Profile]) -> str:
    rows = [("HARNESS", "PROFILE", "WHAT IT MEASURES")]
    rows += [(each.harness, each.name, each.description) for each in profiles]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = (f"{row[0]:{first}}  {row[1]:{second}}  {row[2]}".rstrip() for row in rows)
    return "\n".join(lines)
