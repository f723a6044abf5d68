"""One life of a container, and its log as far as it was read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llmdbenchd.core.nop.recorder import Recorder

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Life:
    """One life of a container."""

    uid: str
    pod: str
    container: str
    restart: int

    def __str__(self) -> str:
        return f"log of {self.pod}/{self.container} life {self.restart}"


@dataclass(frozen=True, slots=True)
class Span:
    """From when on logs are of interest, and until when.

    Attributes:
        since: seconds since 1970; 0: from their beginning.
        is_over: whether what is written from now on is of no interest any more.
    """

    since: int = 0
    is_over: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class Tail:
    """A growing log, read as far as it goes."""

    path: Path
    recorder: Recorder = field(default_factory=Recorder)
    at: int = 0

    def read(self) -> None:
        """Read on; a log from which lines were taken back is read anew. Blocks."""
        try:
            with self.path.open("rb") as file:
                if self.path.stat().st_size < self.at:
                    self.recorder, self.at = Recorder(), 0
                file.seek(self.at)
                while block := file.read(_BLOCK):
                    self.recorder.feed(block)
                    self.at += len(block)
        except FileNotFoundError:
            return


def done_mark(log: Path) -> Path:
    """The mark that a log was read to its end."""
    return log.with_suffix(".done")
