"""`llmdbenchd replay`: the job file for the same thing again, out of an archive."""

import argparse
import json
import sys
from pathlib import Path

from llmdbenchd.cli.results import archive_folder
from llmdbenchd.core.job.accepted import AcceptedJob, decoded
from llmdbenchd.core.job.replay import again, job_text
from llmdbenchd.core.results.document import read_row

_GOOD, _NO, _CANNOT_TELL = 0, 1, 3


class CannotReplay(ValueError):
    """There is no job file for this archive; the message says why."""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "replay",
        help="the job file for the same thing again, out of an archive",
        description="Print the job file that asks for the same thing again: the same workload, "
        "word for word, and every value that was in force. ARCHIVE is the folder of a run or of "
        "a whole job, or JOB[/RUN] in the daemon's archive.",
        epilog="Try: llmdbenchd replay JOB/r001 | llmdbenchd submit --wait -   "
        "Exit code: 0 good, 1 there is no job file for just this, 3 it cannot be read.",
    )
    parser.add_argument("run_folder", metavar="ARCHIVE", help="a folder, or JOB[/RUN]")
    parser.add_argument("--archive", metavar="DIR", type=Path, help="the archive (settings)")
    parser.add_argument("--config", metavar="FILE", type=Path, help="the daemon's settings")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the job file."""
    folder = Path(args.run_folder)
    if not folder.is_dir():
        folder = archive_folder(args) / args.run_folder
    try:
        text = _replayed(folder)
    except OSError as error:
        print(f"{error.filename}: cannot be read: {error.strerror}", file=sys.stderr)
        return _CANNOT_TELL
    except CannotReplay as error:
        print(f"{folder}: {error}", file=sys.stderr)
        return _NO
    except (ValueError, LookupError, TypeError) as error:
        print(f"{folder}: is not what a daemon sealed: {error}", file=sys.stderr)
        return _CANNOT_TELL
    print(text, end="")
    return _GOOD


def _replayed(folder: Path) -> str:
    if (folder / "run.json").is_file():
        row = read_row((folder / "run.json").read_bytes())
        accepted = _accepted(folder)
        cell = next(one for one in accepted.cells if one.run == row["run"])
        remark = f"{row['job']}/{row['run']} again ({row['phase']}: {json.dumps(row['reason'])})"
        return job_text(again(accepted, cell), remark)
    runs = sorted(path.parent for path in folder.glob("*/run.json"))
    if not runs:
        raise FileNotFoundError(2, "no run is sealed there", str(folder))
    accepted = _accepted(runs[0])
    return job_text(again(accepted), f"{accepted.job} again, all of its runs")


def _accepted(folder: Path) -> AcceptedJob:
    try:
        return decoded((folder / "spec.json").read_bytes())
    except FileNotFoundError as error:
        raise CannotReplay(
            "an older llmdbenchd sealed it, without spec.json; drop <state>/jobs/JOB/job.yaml again"
        ) from error
