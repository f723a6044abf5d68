"""Prints log files as they grow: one as it is, several line by line with a prefix each."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiofiles
from rich.console import Console
from rich.text import Text

from llmdbenchd.kit.stamps import plain

TICK_S = 0.2
CHUNK = 1 << 16
LONGEST = 1 << 16  # bytes of a line that are held back for its end; then it is cut
COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")


@dataclass(frozen=True, slots=True)
class LogFile:
    """One launcher's log: where it lies while it is written, and where it is kept."""

    name: str
    live: Path
    kept: Path

    def path(self) -> Path | None:
        """Where it is now, or None while it does not exist."""
        return next((path for path in (self.live, self.kept) if path.exists()), None)


class Printer:
    """Writes bytes to the terminal; with several logs each line says whose it is.

    Args:
        names: of all logs.
        stamped: logs whose lines begin with a time that people did not ask to see.
    """

    def __init__(self, names: tuple[str, ...], stamped: frozenset[str] = frozenset()) -> None:
        self._stamped = stamped
        console = Console(file=sys.stdout)
        self._prefix = {
            name: _styled(console, f"{name} | ", COLOURS[place % len(COLOURS)])
            for place, name in enumerate(names)
        }
        self._is_one = len(names) == 1
        self._begun: dict[str, bytes] = {}

    def write(self, name: str, data: bytes) -> None:
        """Print what came of one log; unfinished lines wait for their end."""
        if self._is_one and name not in self._stamped:
            _out(data)
            return
        lines = (self._begun.pop(name, b"") + data).split(b"\n")
        last = lines.pop()
        while len(last) > LONGEST:
            lines.append(last[:LONGEST])
            last = last[LONGEST:]
        if last:
            self._begun[name] = last
        _out(b"".join(self._shown(name, line) + b"\n" for line in lines))

    def _shown(self, name: str, line: bytes) -> bytes:
        text = plain(line) if name in self._stamped else line
        return text if self._is_one else self._prefix[name] + _as_drawn(text)

    def finish(self, name: str) -> None:
        """The log is over: a last line without an end is printed as well."""
        if name in self._begun:
            self.write(name, b"\n")


async def tail(file: LogFile, printer: Printer, *, goes_on: Callable[[], bool]) -> None:
    """Print a log from its first byte, and what is added for as long as `goes_on` says so."""
    while (path := file.path()) is None:
        if not goes_on():
            return
        await asyncio.sleep(TICK_S)
    async with aiofiles.open(path, "rb") as opened:
        while True:
            more = goes_on()  # asked before the read: what came before the end is not missed
            while data := await opened.read(CHUNK):
                printer.write(file.name, data)
            if not more:
                break
            await asyncio.sleep(TICK_S)
    printer.finish(file.name)


def _as_drawn(line: bytes) -> bytes:
    """What a terminal shows of a line in the end: a progress bar would draw over the prefix."""
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def _out(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _styled(console: Console, text: str, colour: str) -> bytes:
    with console.capture() as captured:
        console.print(Text(text, colour), end="")
    return captured.get().encode()
