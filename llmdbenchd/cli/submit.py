"""`llmdbenchd submit`: drop a job file into the queue, and know the job's id at once."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmdbenchd.cli.run_flags import WrongFlag, add_run_flags, asked
from llmdbenchd.core.job.editing import NoJobFile, edited, has, own_id, value_at
from llmdbenchd.core.job.names import job_id
from llmdbenchd.core.job.variables import BY_FIELD
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.clock import SystemClock
from llmdbenchd.edge.files.dropping import ENVIRONMENT, carried, drop, with_environment
from llmdbenchd.edge.files.inbox import REJECTED
from llmdbenchd.edge.files.inlining import ENDINGS, inlined
from llmdbenchd.edge.files.records import NewerRecord, Records
from llmdbenchd.edge.files.rejecting import why_beside
from llmdbenchd.ports import Refused, Unavailable
from llmdbenchd.settings import load, process_environment

_GOOD, _NO, _WRONG_USAGE, _UNKNOWN = 0, 1, 2, 3
_LOOK_S = 0.2
_WAIT, _SECONDS = "--wait", "-s"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "submit",
        help="drop a job file into the queue; prints the job's id",
        description="Write a job file into the queue, whole and under the name <id>.yaml, and "
        "print the id. The caller's LLMDBENCH_* variables go along (no credentials) unless the "
        "file has `submitted_environment` already, and so do local files that it names by a "
        "path: workload, experiment, and scenario as its variables. "
        "Without FILE the flags are the job.",
        epilog="Exit code: 0 good, 1 it is no job file (with --wait: not all runs SUCCEEDED), "
        "2 wrong usage, 3 the queue or the records cannot be reached.",
        allow_abbrev=False,
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="- is stdin (default, no flags)")
    parser.add_argument("--name", help="what the job is called (default: the file's name)")
    parser.add_argument("--queue", type=Path, metavar="DIR", help="default: of the settings")
    parser.add_argument("--state", type=Path, metavar="DIR", help="for --wait; likewise")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings to read")
    parser.add_argument(
        _WAIT, nargs="?", const=True, default=False, metavar="SECONDS",
        help="until all of its runs have ended; with a number it is run.sh's -s SECONDS",
    )  # fmt: skip
    add_run_flags(parser, besides=frozenset({_WAIT}))
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
        follow = _told_apart(args)
        submitted = _submit(args, queue)
    except (OSError, UnicodeDecodeError) as error:
        return _complain(f"{args.file or '-'}: {error}", _WRONG_USAGE)
    except WrongFlag as error:
        return _complain(str(error), _WRONG_USAGE)
    except NoJobFile as error:
        return _complain(f"{args.file or 'the job'}: {error}", _NO)
    except (Refused, Unavailable) as error:
        return _complain(str(error), _UNKNOWN)
    print(submitted.job, flush=True)
    if not follow:
        return _GOOD
    try:
        return asyncio.run(wait(submitted, queue, Records(args.state or settings.state)))
    except KeyboardInterrupt:
        return _complain(
            f"no longer waiting; the job goes on: llmdbenchd status {submitted.job}", _UNKNOWN
        )
    except (Refused, Unavailable, NewerRecord) as error:
        return _complain(f"the job goes on, but {error}", _UNKNOWN)


def _told_apart(args: argparse.Namespace) -> bool:
    """Whether to follow: `--wait` is ours, `--wait 600` is run.sh's, `--wait FILE` is both's."""
    word = args.wait
    if not isinstance(word, str):
        return bool(word)
    if word.isascii() and word.isdigit():
        setattr(args, _SECONDS, getattr(args, _SECONDS) or word)
        return False
    if args.file is not None:
        raise WrongFlag(f"{_WAIT} wants a number of seconds or nothing, not {word!r}")
    args.file = word
    return True


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
    changes = asked(args)
    text, stem, folder = _read(args.file, flags_only=bool(changes))
    text = _with_local_files(text, changes, folder)
    chosen = carried(process_environment())
    text_to_drop = with_environment(text, chosen.values)
    if chosen.left_out and text_to_drop != text:
        names = ", ".join(chosen.left_out)
        _complain(f"not sent along, since they hold credentials: {names}", _GOOD)
    now = SystemClock.of_this_machine().now().utc
    dropped = drop(queue, job_id(args.name or stem, now, secrets.token_hex(2)), text_to_drop)
    return Submitted(own_id(text) or dropped.stem, dropped.name)


def _read(file: str | None, *, flags_only: bool) -> tuple[str, str, Path]:
    """The job file's text, what the job is called, and where its relative paths begin."""
    if file is None and flags_only:
        return "", "job", Path()
    if file is None or file == "-":
        return sys.stdin.buffer.read().decode("utf-8-sig"), "job", Path()
    path = Path(file)
    return path.read_bytes().decode("utf-8-sig"), path.stem, path.parent


def _with_local_files(text: str, flags: Mapping[str, object], folder: Path) -> str:
    """The job with the caller's local files in it.

    A path in FILE begins at FILE's folder; one in a flag or a variable, where we are.
    """
    changes = dict(flags)
    for field in ENDINGS:
        word, base = flags.get(field), Path()
        if word is None:
            word, base = value_at(text, field), folder
        if word is None and not has(text, field):
            word, base = _of_the_environment(field, text), Path()
        found = inlined(field, str(word) if word else None, base, process_environment())
        if found.remark:
            _complain(found.remark, _GOOD)
        if found.value is not None:
            changes[field] = found.value
    return edited(text, changes)


def _of_the_environment(field: str, text: str) -> str | None:
    """What the caller's variable says, unless the file's own `variables` are stronger."""
    variable = BY_FIELD[field].variables[0]
    said = value_at(text, f"variables.{variable}")
    return said or (None if has(text, ENVIRONMENT) else process_environment().get(variable))


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
