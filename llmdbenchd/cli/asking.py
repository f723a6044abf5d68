"""`cancel`, `collect`, `pause` and `resume`: a request in the queue's control folder."""

import argparse
from collections.abc import Callable

from llmdbenchd.cli.state import GOOD, NO, Folders, add_common, answering
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.files.control import Asked, request
from llmdbenchd.edge.files.inbox import PAUSED
from llmdbenchd.ports import Refused


def register_one(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, told: str
) -> None:
    """Add one of the four commands."""
    parser = commands.add_parser(name, help=told, description=_MORE[name])
    if name in {"cancel", "collect"}:
        parser.add_argument("job", metavar="JOB[/RUN]")
    add_common(parser, json_too=False)
    parser.set_defaults(run=answering(_WORK[name]))


def _cancel(args: argparse.Namespace, folders: Folders) -> int:
    records = [record for record in folders.find(args.job) if not record.phase.is_over]
    if not records:
        raise LookupError(f"{args.job} has no open run")
    _ask(Asked.CANCEL, args.job, folders, records[0].job)
    print(
        f"cancel asked for {len(records)} runs; what exists is collected first, unless asked twice"
    )
    return _heard(folders)


def _collect(args: argparse.Namespace, folders: Folders) -> int:
    records = [record for record in folders.find(args.job) if record.phase is Phase.LEFT]
    if not records:
        raise LookupError(f"{args.job} has no run that was left running")
    _ask(Asked.COLLECT, args.job, folders, records[0].job)
    print(f"collect asked for {len(records)} runs, as soon as their launchers have ended")
    return _heard(folders)


def _pause(_: argparse.Namespace, folders: Folders) -> int:
    _touch(folders, wanted=True)
    request(folders.settings.queue, Asked.PAUSE)
    print("admission is paused; what runs goes on")
    return GOOD


def _resume(_: argparse.Namespace, folders: Folders) -> int:
    _touch(folders, wanted=False)
    request(folders.settings.queue, Asked.RESUME)
    print("admission goes on")
    return GOOD


def _touch(folders: Folders, *, wanted: bool) -> None:
    """The file is the truth, with or without a daemon; the request only makes it quick."""
    path = folders.settings.queue / PAUSED
    try:
        path.touch() if wanted else path.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}: who may drop jobs may pause") from error


def _ask(asked: Asked, text: str, folders: Folders, job: str) -> None:
    request(folders.settings.queue, asked, job=job, run=text.partition("/")[2])


def _heard(folders: Folders) -> int:
    if folders.daemon()["running"]:
        return GOOD
    print("no daemon is running: it is carried out when one starts")
    return NO


_WORK: dict[str, Callable[[argparse.Namespace, Folders], int]] = {
    "cancel": _cancel,
    "collect": _collect,
    "pause": _pause,
    "resume": _resume,
}
_MORE = {
    "cancel": "End a job or one of its runs. Its launchers are ended and confirmed, what exists is "
    "collected, the archive is sealed as CANCELLED. A second cancel skips the collecting.",
    "collect": "Bring back a run that was left running (wait_timeout: 0) once it has ended.",
    "pause": "Stop admission: files are taken and checked, nothing new is launched.",
    "resume": "Let admission go on.",
}
