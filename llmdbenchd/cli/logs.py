"""`llmdbenchd logs`: what the launchers of a job wrote, live or archived."""

import argparse
import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace

from llmdbenchd.cli.server_logs import server_logs
from llmdbenchd.cli.state import GOOD, NO, Folders, add_common, answering
from llmdbenchd.cli.tailing import LogFile, Printer, tail
from llmdbenchd.core.job.accepted import decoded
from llmdbenchd.core.job.support import KUBERNETES
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
        "--server",
        action="store_true",
        help="the servers' logs instead, if the job said follow_servers; with -f those that are "
        "there already",
    )
    parser.add_argument(
        "--timestamps", action="store_true", help="with the times at which a cluster wrote lines"
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
    watched = _Watched(folders, args.job)
    watched.look()
    if args.server:
        return _servers(args, watched)
    logs = [
        _Log(folders, record.key, index, f"{record.run}.{index}" if several else str(index))
        for several in [len(watched.records) > 1]
        for record in watched.records.values()
        for index in range(1, _launchers(folders, record) + 1)
        if args.launcher in {None, index}
    ]
    if not logs:
        raise LookupError(f"{args.job} has no launcher {args.launcher}")
    if not args.follow and all(log.file(watched).path() is None for log in logs):
        print("nothing was logged yet; -f waits for it")
        return NO
    stamped = frozenset(log.name for log in logs if not args.timestamps and log.is_stamped)
    asyncio.run(_print(logs, watched, follow=args.follow, stamped=stamped))
    return GOOD


def _servers(args: argparse.Namespace, watched: _Watched) -> int:
    """Print what the servers wrote beside the runs."""
    records = list(watched.records.values())
    logs = [
        replace(log, name=f"{record.run} {log.name}") if len(records) > 1 else log
        for record in records
        for log in server_logs(watched.folders, record)
    ]
    if not logs:
        print("no servers' logs are here: follow_servers: true in a job file asks for them")
        return NO
    stamped = frozenset(() if args.timestamps else (log.name for log in logs))
    printer = Printer(tuple(log.name for log in logs), stamped)

    def goes_on() -> bool:
        return args.follow and any(not one.phase.is_final for one in watched.records.values())

    async def print_all() -> None:
        async with asyncio.TaskGroup() as group:
            if args.follow:
                group.create_task(watched.keep_looking())
            for log in logs:
                group.create_task(tail(log, printer, goes_on=goes_on))

    asyncio.run(print_all())
    return GOOD


@dataclass(frozen=True, slots=True)
class _Log:
    """The log of one launcher of a run, over all attempts to come."""

    folders: Folders
    key: str
    index: int
    name: str

    @property
    def is_stamped(self) -> bool:
        """Whether its lines begin with the time at which they were written."""
        spec = self.folders.records.spec(self.key.partition("/")[0])
        return spec is not None and decoded(spec).engine == KUBERNETES

    def file(self, watched: _Watched, attempt: int | None = None) -> LogFile:
        """Its file in an attempt (default: the one under way)."""
        record = watched.records[self.key]
        number = record.attempt if attempt is None else attempt
        live = self.folders.live / record.job / record.run / str(number)
        kept = self.folders.settings.archive / record.job / record.run
        if number != record.attempt:
            kept = kept / "attempts" / str(number)
        name = f"launcher-{self.index}.log"
        return LogFile(self.name, live / name, kept / "logs" / name)

    async def tail(self, watched: _Watched, printer: Printer, *, follow: bool) -> None:
        """Print it; when the run is tried again, go on with the next attempt."""
        attempt = watched.records[self.key].attempt
        while True:

            def goes_on(attempt: int = attempt) -> bool:
                record = watched.records[self.key]
                return follow and not record.phase.is_final and record.attempt == attempt

            await tail(self.file(watched, attempt), printer, goes_on=goes_on)
            if watched.records[self.key].attempt == attempt:
                return
            attempt += 1


async def _print(
    logs: list[_Log], watched: _Watched, *, follow: bool, stamped: frozenset[str]
) -> None:
    printer = Printer(tuple(log.name for log in logs), stamped)
    async with asyncio.TaskGroup() as group:
        if follow:
            group.create_task(watched.keep_looking())
        for log in logs:
            group.create_task(log.tail(watched, printer, follow=follow))


def _launchers(folders: Folders, record: Record) -> int:
    spec = folders.records.spec(record.job)
    return decoded(spec).limits.launchers if spec else max(record.seen, default=1)
