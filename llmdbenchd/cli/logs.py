"""`llmdbenchd logs`: what the launchers of a job wrote, live or archived."""

import argparse
import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from llmdbenchd.cli.state import GOOD, NO, Folders, add_common, answering
from llmdbenchd.cli.tailing import LogFile, Printer, tail
from llmdbenchd.core.job.accepted import decoded
from llmdbenchd.core.run.record import Record

_LOOK_S = 0.5


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "logs",
        help="a run's logs, live or archived",
        description="Print the logs of a job's launchers from their first byte. With several "
        "launchers each line begins with its launcher's name.",
    )
    parser.add_argument("job", metavar="JOB[/RUN]")
    parser.add_argument("-f", "--follow", action="store_true", help="until the runs have ended")
    parser.add_argument("--launcher", type=int, metavar="I", help="only this one, from 1")
    parser.add_argument(
        "--server", action="store_true", help="the servers' logs (not recorded by this engine yet)"
    )
    add_common(parser, json_too=False)
    parser.set_defaults(run=answering(_logs))


@dataclass(slots=True)
class _Watched:
    """The records of the job, read again now and then."""

    folders: Folders
    asked: str
    records: dict[str, Record] = field(default_factory=dict)

    def look(self) -> None:
        self.records = {record.key: record for record in self.folders.find(self.asked)}

    async def keep_looking(self) -> None:
        while any(not record.phase.is_final for record in self.records.values()):
            await asyncio.sleep(_LOOK_S)
            with suppress(LookupError):  # being tidied away at this moment
                self.look()


def _logs(args: argparse.Namespace, folders: Folders) -> int:
    if args.server:
        raise LookupError("servers' logs are not recorded by the local engine yet")
    watched = _Watched(folders, args.job)
    watched.look()
    files = [
        (record.key, file)
        for record in watched.records.values()
        for file in _files(folders, record, only=args.launcher, several=len(watched.records) > 1)
    ]
    if not files:
        raise LookupError(f"{args.job} has no launcher {args.launcher}")
    if not args.follow and all(file.path() is None for _, file in files):
        print("nothing was logged yet; -f waits for it")
        return NO
    asyncio.run(_print(files, watched, follow=args.follow))
    return GOOD


async def _print(files: list[tuple[str, LogFile]], watched: _Watched, *, follow: bool) -> None:
    printer = Printer(tuple(file.name for _, file in files))
    async with asyncio.TaskGroup() as group:
        if follow:
            group.create_task(watched.keep_looking())
        for key, file in files:

            def goes_on(key: str = key) -> bool:
                return follow and not watched.records[key].phase.is_final

            group.create_task(tail(file, printer, goes_on=goes_on))


def _files(folders: Folders, record: Record, *, only: int | None, several: bool) -> list[LogFile]:
    spec = folders.records.spec(record.job)
    count = decoded(spec).limits.launchers if spec else max(record.seen, default=1)
    live = folders.live / record.job / record.run / str(record.attempt)
    kept = folders.settings.archive / record.job / record.run / "logs"
    return [
        LogFile(
            f"{record.run}.{index}" if several else str(index),
            live / f"launcher-{index}.log",
            kept / f"launcher-{index}.log",
        )
        for index in range(1, count + 1)
        if only in {None, index}
    ]
