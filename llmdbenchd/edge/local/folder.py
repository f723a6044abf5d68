"""The local room's shelf: what lies in one launcher's folder, and what it says.

plan.json    what was asked for (written before the folder has its name)
workspace/   the plan's files
requests/    results, one folder below
lock         held by the shim while it lives
shim.json    the claim: a start was tried, and by whom
stop.json    we asked it to end
ended.json   how it ended; from here on nothing changes
log          stdout and stderr of the launcher; `shim.log` those of its shim
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

import msgspec

from llmdbenchd.core.run.sight import Cause, Ended
from llmdbenchd.edge.local import durable
from llmdbenchd.edge.local.shim import VERSION, utc


class Busy(Exception):
    """Somebody holds the launcher's lock: its shim, or one of us for a moment."""


class Process(msgspec.Struct, frozen=True):
    """A process that no reuse of pids can confuse (within one boot)."""

    pid: int
    ticks: int


NOBODY = Process(pid=0, ticks=0)


class Claim(msgspec.Struct, frozen=True):
    """`shim.json`; `launcher` is None until it runs."""

    version: int
    boot_id: str
    shim: Process
    launcher: Process | None


class End(msgspec.Struct, frozen=True, kw_only=True):
    """`ended.json`; `strays` are processes that outlived the main process and were ended."""

    version: int
    cause: Cause
    code: int | None = None
    signal: int | None = None
    strays: int = 0
    detail: str = ""
    started: str | None = None
    ended: str


class Stop(msgspec.Struct, frozen=True):
    """`stop.json`."""

    version: int
    asked: str
    grace_s: float


@dataclass(frozen=True, slots=True)
class Folder:
    """One launcher's folder, which may not be there."""

    path: Path

    @property
    def log(self) -> Path:
        """What the launcher printed."""
        return self.path / "log"

    def claim(self) -> Claim | None:
        """Who holds the launcher, or None while no start was tried.

        A claim in words that we do not know is a claim all the same.

        Raises:
            OSError: it cannot be read.
        """
        content = self._read("shim.json")
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=Claim)
        except ValueError:
            return Claim(version=0, boot_id="", shim=NOBODY, launcher=None)

    def end(self) -> Ended | None:
        """How the launcher ended, or None when nobody has written that down.

        An end in words that we do not know is an end all the same.

        Raises:
            OSError: it cannot be read.
        """
        content = self._read("ended.json")
        if content is None:
            return None
        try:
            end = msgspec.json.decode(content, type=End)
        except ValueError as error:
            return Ended(Cause.LOST, detail=f"it ended, but ended.json cannot be read: {error}")
        return Ended(end.cause, end.code, end.signal, end.detail)

    def has_ended(self) -> bool:
        """Whether its end is written down."""
        return os.access(self.path / "ended.json", os.F_OK)

    def held(self) -> bool:
        """Whether the shim lives (the kernel says so, not a pid)."""
        try:
            with self.locked(shared=True):
                return False
        except Busy:
            return True

    @contextmanager
    def locked(self, *, shared: bool = False, wait: bool = False) -> Iterator[None]:
        """Hold the launcher's lock for a moment, so that no shim can start.

        Args:
            shared: beside others who only look.
            wait: for a shim that is about to leave; else it is Busy.

        Raises:
            Busy: somebody else has it.
            OSError: there is no such folder.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR)
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise Busy(str(self.path)) from error
        finally:
            os.close(descriptor)

    def write_stop(self, grace_s: float) -> None:
        """Write down that we want it to end, before it is told.

        Two signals may reach the shim as one, after the second file; so a shorter grace
        period that was written before stays.
        """
        self._write("stop.json", Stop(VERSION, utc(), min(grace_s, self._grace_written())))

    def _grace_written(self) -> float:
        try:
            return msgspec.json.decode(self._read("stop.json") or b"", type=Stop).grace_s
        except ValueError:
            return inf

    def write_lost(self, detail: str) -> None:
        """Write the end of a launcher whose shim could not."""
        self._write(
            "ended.json", End(version=VERSION, cause=Cause.LOST, ended=utc(), detail=detail)
        )

    def last_words(self) -> str:
        """The last line that its shim complained, or empty."""
        lines = (self._read("shim.log") or b"").decode("utf-8", "replace").splitlines()
        return lines[-1].strip() if lines else ""

    def _read(self, name: str) -> bytes | None:
        try:
            return durable.read(str(self.path / name))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _write(self, name: str, what: msgspec.Struct) -> None:
        durable.write(str(self.path / name), msgspec.json.encode(what))
