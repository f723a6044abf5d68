"""The queue and the records on a local disk: what the daemon knows, one file for each run.

Reading and writing are this one module, for the daemon and for the commands that look at
the same folder without it. A record of an older version is read; a newer one is refused.
"""

import itertools
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from llmdbenchd.core.run.record import VERSION, Record
from llmdbenchd.edge.files import origin as origins
from llmdbenchd.edge.files.claims import JOBS
from llmdbenchd.edge.files.durable import (
    STAGED,
    File,
    forget_unfinished,
    publish_many,
    translated,
)
from llmdbenchd.edge.files.kernel import rename_new
from llmdbenchd.edge.files.origin import Origin

RUNS = "runs"
SPEC = "spec.json"
_SUFFIX = ".json"
_BAD = ".bad"
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Record)


class NewerRecord(Exception):
    """A newer daemon wrote this record: we cannot know what it means, and must not start."""

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(
            f"{path}: the record has version {version}, this llmdbenchd reads up to {VERSION}: "
            "start the newer llmdbenchd again, or let it finish its runs first"
        )


class _Version(msgspec.Struct):
    version: int = 0


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that cannot be read: where it lies now, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """All records of the daemon."""

    records: tuple[Record, ...]
    bad: tuple[Bad, ...]


def encoded(record: Record) -> bytes:
    """The record as JSON, one line."""
    return _ENCODER.encode(record) + b"\n"


def decoded(data: bytes, path: Path) -> Record:
    """The record from JSON; fields that we do not know are passed over.

    Raises:
        NewerRecord: `path` is of a later version.
        ValueError: it is no record; the text says what is wrong.
    """
    try:
        record = _DECODER.decode(data)
    except msgspec.DecodeError as error:
        with suppress(msgspec.DecodeError):
            _refuse_newer(msgspec.json.decode(data, type=_Version).version, path)
        raise ValueError(str(error)) from error
    _refuse_newer(record.version, path)
    return record


@dataclass(frozen=True, slots=True)
class Records:
    """The records below the folder `state`."""

    state: Path

    def path(self, job: str, run: str) -> Path:
        """Where the record of a run lies."""
        return self.state / JOBS / job / RUNS / f"{run}{_SUFFIX}"

    def save(self, record: Record) -> None:
        """Put the record on disk, for good.

        Raises:
            Refused, Unavailable: the disk; the record is the old or the new one, whole.
        """
        self.save_many([record])

    def save_many(self, records: Sequence[Record]) -> None:
        """Put several records on disk, sharing the cost.

        Raises:
            Refused, Unavailable: the disk; each record is either old or new.
        """
        publish_many([File(self.path(one.job, one.run), encoded(one)) for one in records])

    def load_all(self) -> Loaded:
        """Read every record; a bad one is renamed to `<run>.json.bad` and named.

        Raises:
            NewerRecord: a newer daemon was here.
            Refused, Unavailable: the folder cannot be read.
        """
        records: list[Record] = []
        bad: list[Bad] = []
        for job in self.jobs():
            forget_unfinished(self.state / JOBS / job / RUNS)
            for path in self._paths(job):
                try:
                    records.append(self._read(path))
                except FileNotFoundError:
                    continue
                except OSError as error:  # the disk's fault: leave it where it is
                    bad.append(Bad(path, str(error)))
                except ValueError as error:
                    bad.append(Bad(_set_aside(path), str(error)))
        return Loaded(tuple(records), tuple(bad))

    def jobs(self) -> tuple[str, ...]:
        """Ids of all committed jobs, sorted; none where there is no folder yet.

        Raises:
            Refused, Unavailable: the folder cannot be read.
        """
        folder = self.state / JOBS
        with translated(folder):
            try:
                names = [entry.name for entry in folder.iterdir()]
            except FileNotFoundError:
                return ()
        return tuple(sorted(name for name in names if not name.startswith(".")))

    def read(self, job: str) -> tuple[Record, ...]:
        """The records of one job, sorted by run; nothing is changed on disk.

        A record that is bad or vanishes meanwhile is left out.

        Raises:
            NewerRecord: a newer daemon was here.
            Refused, Unavailable: the folder cannot be read.
        """
        records = []
        for path in self._paths(job):
            with translated(path), suppress(FileNotFoundError, ValueError):
                records.append(self._read(path))
        return tuple(records)

    def forget(self, job: str) -> None:
        """Take a finished job's folder away; its archive stays.

        Raises:
            Refused, Unavailable: the disk.
        """
        folder = self.state / JOBS / job
        with translated(folder):
            gone = folder.with_name(f"{STAGED}gone-{job}")  # the next start removes what is left
            folder.rename(gone)
            shutil.rmtree(gone)

    def origin(self, job: str) -> Origin | None:
        """Who dropped the job and when, or None when that is not known."""
        return origins.decoded(self._bytes(job, origins.FILE) or b"")

    def spec(self, job: str) -> bytes | None:
        """`spec.json`: every value and where it came from, or None."""
        return self._bytes(job, SPEC)

    def _bytes(self, job: str, name: str) -> bytes | None:
        path = self.state / JOBS / job / name
        with translated(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def _paths(self, job: str) -> Iterator[Path]:
        folder = self.state / JOBS / job / RUNS
        with translated(folder):
            try:
                paths = sorted(folder.iterdir())
            except (FileNotFoundError, NotADirectoryError):
                return
        yield from (p for p in paths if p.suffix == _SUFFIX and not p.name.startswith("."))

    def _read(self, path: Path) -> Record:
        record = decoded(path.read_bytes(), path)
        if self.path(record.job, record.run) != path:
            raise ValueError(f"it is the record of {record.key}, in the wrong place")
        return record


def _refuse_newer(version: int, path: Path) -> None:
    if version > VERSION:
        raise NewerRecord(path, version)


def _set_aside(path: Path) -> Path:
    """Rename a bad record; where it lies now (in its place, when even that fails)."""
    for number in itertools.count():
        aside = path.with_name(f"{path.name}{_BAD}{f'.{number}' if number else ''}")
        try:
            rename_new(path, aside)
        except FileExistsError:
            continue
        except OSError:
            return path
        return aside
    raise AssertionError  # numbers do not end
