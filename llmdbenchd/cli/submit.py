"""`llmdbenchd submit`: drop a job file into the queue, and know the job's id at once."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.core.job.names import job_id
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.clock import SystemClock
from llmdbenchd.edge.files.dropping import NoJobFile, carried, drop, own_id, with_environment
from llmdbenchd.edge.files.inbox import REJECTED
from llmdbenchd.edge.files.records import NewerRecord, Records
from llmdbenchd.edge.files.rejecting import why_beside
from llmdbenchd.ports import Refused, Unavailable
from llmdbenchd.settings import load, process_environment

_GOOD, _NO, _WRONG_USAGE, _UNKNOWN = 0, 1, 2, 3
_LOOK_S = 0.2


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "submit",
        help="drop a job file into the queue; prints the job's id",
        description="Write a job file into the queue, whole and under the name <id>.yaml, and "
        "print the id. The caller's LLMDBENCH_* variables go along (no credentials) unless the "
        "file has `submitted_environment` already.",
        epilog="Exit code: 0 good, 1 it is no job file (with --wait: not all runs SUCCEEDED), "
        "3 the queue or the records cannot be reached.",
    )
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help="- is stdin (default)")
    parser.add_argument("--name", help="what the job is called (default: the file's name)")
    parser.add_argument("--queue", type=Path, metavar="DIR", help="default: of the settings")
    parser.add_argument("--state", type=Path, metavar="DIR", help="for --wait; likewise")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings to read")
    parser.add_argument("--wait", action="store_true", help="until all of its runs have ended")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job on its way: its id, and the name under which its file was dropped."""

    job: str
    dropped: str


def run(args: argparse.Namespace) -> int:
    """Drop the file; with `--wait` 0 only if every run SUCCEEDED."""
    settings = load(args.config, process_environment(), cwd=Path.cwd()).settings
    queue = args.queue or settings.queue
    try:
        submitted = _submit(args, queue)
    except (OSError, UnicodeDecodeError) as error:
        return _complain(f"{args.file}: {error}", _WRONG_USAGE)
    except NoJobFile as error:
        return _complain(f"{args.file}: {error}", _NO)
    except (Refused, Unavailable) as error:
        return _complain(str(error), _UNKNOWN)
    print(submitted.job, flush=True)
    if not args.wait:
        return _GOOD
    try:
        return asyncio.run(wait(submitted, queue, Records(args.state or settings.state)))
    except KeyboardInterrupt:
        return _complain(
            f"no longer waiting; the job goes on: llmdbenchd status {submitted.job}", _UNKNOWN
        )
    except (Refused, Unavailable, NewerRecord) as error:
        return _complain(f"the job goes on, but {error}", _UNKNOWN)


async def wait(submitted: Submitted, queue: Path, records: Records) -> int:
    """Look at the records until all runs have ended; the exit code.

    Raises:
        Refused, Unavailable: the records cannot be read.
        NewerRecord: a newer llmdbenchd wrote them.
    """
    rejected = queue / REJECTED / submitted.dropped
    while True:
        if (why := why_beside(rejected)) is not None:
            return _complain(why.rstrip("\n"), _NO)
        origin = records.origin(submitted.job)
        runs = records.read(submitted.job) if origin else ()
        if origin and origin.name == submitted.dropped and _have_ended(runs):
            return _verdict(runs)
        await asyncio.sleep(_LOOK_S)


def _submit(args: argparse.Namespace, queue: Path) -> Submitted:
    from_stdin = args.file == "-"
    data = sys.stdin.buffer.read() if from_stdin else Path(args.file).read_bytes()
    text = data.decode("utf-8-sig")
    chosen = carried(process_environment())
    text_to_drop = with_environment(text, chosen.values)
    if chosen.left_out and text_to_drop != text:
        names = ", ".join(chosen.left_out)
        _complain(f"not sent along, since they hold credentials: {names}", _GOOD)
    stem = args.name or ("job" if from_stdin else Path(args.file).stem)
    now = SystemClock.of_this_machine().now().utc
    dropped = drop(queue, job_id(stem, now, secrets.token_hex(2)), text_to_drop)
    return Submitted(own_id(text) or dropped.stem, dropped.name)


def _have_ended(runs: Sequence[Record]) -> bool:
    return bool(runs) and all(one.phase.is_final for one in runs)


def _verdict(runs: Sequence[Record]) -> int:
    for one in runs:
        reason = one.verdict.reason if one.verdict else ""
        print(f"{one.key}: {one.phase}{f': {reason}' if reason else ''}", file=sys.stderr)
    return _GOOD if all(one.phase is Phase.SUCCEEDED for one in runs) else _NO


def _complain(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code
