"""What several commands read of a daemon's folders, and how they say that they cannot."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from llmdbenchd.app.status import NAME, pid_namespace
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.clock import SystemClock
from llmdbenchd.edge.files.archive import Archive
from llmdbenchd.edge.files.records import NewerRecord, Records
from llmdbenchd.ports import Refused, Unavailable
from llmdbenchd.settings import Settings, load, process_environment

GOOD, NO, WRONG_USAGE, CANNOT_TELL = 0, 1, 2, 3
FRESH_S = 30.0


@dataclass(frozen=True, slots=True)
class Folders:
    """One daemon's folders, as the settings name them."""

    settings: Settings

    @property
    def records(self) -> Records:
        """The records of its runs."""
        return Records(self.settings.state)

    @property
    def archive(self) -> Archive:
        """Its archive."""
        return Archive(self.settings.archive)

    @property
    def live(self) -> Path:
        """Where logs lie while runs are open."""
        return self.settings.state / "live"

    def all_records(self) -> Iterator[Record]:
        """Every record that can be read."""
        for job in self.records.jobs():
            yield from self.records.read(job)

    def find(self, asked: str) -> tuple[Record, ...]:
        """The records of `JOB`, `JOB/RUN`, or of the only job whose id begins so.

        Raises:
            LookupError: there is no such job or run; says what there is.
        """
        job, _, run = asked.partition("/")
        jobs = self.records.jobs()
        found = [job] if job in jobs else [one for one in jobs if one.startswith(job)]
        if len(found) != 1:
            near = f"; did you mean one of {', '.join(found)}?" if found else ""
            raise LookupError(f"no job {job!r} in {self.settings.state}{near}")
        records = [one for one in self.records.read(found[0]) if run in {"", one.run}]
        if not records:
            raise LookupError(f"job {found[0]} has no run {run!r}")
        return tuple(records)

    def daemon(self) -> dict[str, Any]:
        """What the daemon last said of itself, and whether that is fresh."""
        try:
            said: dict[str, Any] = json.loads((self.settings.state / NAME).read_bytes())
            written = datetime.fromisoformat(said["written"])
            process = Path("/proc") / str(int(said["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            return {"running": False}
        age = (SystemClock.of_this_machine().now().utc - written).total_seconds()
        is_ours, is_there = said.get("pid_namespace") == pid_namespace(), process.exists()
        is_running = age < FRESH_S and (is_there or not is_ours)
        is_silent = age >= FRESH_S and is_ours and _is_a_daemon(process)
        return {"running": is_running, "silent": is_silent, "age_s": round(age, 1), **said}


def _is_a_daemon(process: Path) -> bool:
    """Whether it is one of ours, and nobody who was given its pid since."""
    try:
        return b"llmdbenchd" in (process / "cmdline").read_bytes()
    except OSError:
        return False


def add_common(parser: argparse.ArgumentParser, *, json_too: bool = True) -> None:
    """The options that every command over a daemon's folders has."""
    parser.add_argument("--config", metavar="FILE", type=Path, help="the daemon's settings")
    if json_too:
        parser.add_argument("--json", action="store_true", help="for machines")


def answering(
    work: Callable[[argparse.Namespace, Folders], int],
) -> Callable[[argparse.Namespace], int]:
    """Give `work` the folders; what cannot be found or read is said in one line."""

    def run(args: argparse.Namespace) -> int:
        loaded = load(args.config, process_environment(), cwd=Path.cwd())
        for wrong in loaded.problems:
            print(f"llmdbenchd: {wrong}", file=sys.stderr)
        try:
            return work(args, Folders(loaded.settings))
        except BrokenPipeError:  # an OSError of the reader's, not of the folders: see `main`
            raise
        except LookupError as error:
            print(f"llmdbenchd: {error.args[0]}", file=sys.stderr)
            return NO
        except (Refused, Unavailable, NewerRecord, OSError) as error:
            print(f"llmdbenchd: {error}", file=sys.stderr)
            return CANNOT_TELL

    return run
