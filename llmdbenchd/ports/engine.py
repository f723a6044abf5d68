"""Where launchers live, and the time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from llmdbenchd.core.launch.plan import LauncherPlan, Places
from llmdbenchd.core.run.moment import Moment
from llmdbenchd.core.run.rivals import Rivals
from llmdbenchd.core.run.sight import Sight


class Clock(Protocol):
    """The only place where the time is read."""

    def now(self) -> Moment:
        """This moment."""
        ...


@dataclass(frozen=True, slots=True)
class Listed:
    """A complete look: launchers that are not in it do not exist."""

    sights: Mapping[str, Sight]


@dataclass(frozen=True, slots=True)
class Seen:
    """One launcher was seen (or seen to be gone)."""

    launcher: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class Copied:
    """One launcher's results, brought home and proven.

    Attributes:
        files: number of files; `size` their sum in bytes.
        manifest: `launcher` or `late` (see `core.run.record.Collected`).
    """

    files: int
    size: int
    manifest: str


@dataclass(frozen=True, slots=True)
class Others:
    """What launchers of other daemons load in this place, as far as it can be seen there."""

    rivals: Rivals


class Engine(Protocol):
    """Where launchers live. Every method may be repeated and cancelled at any await."""

    name: str

    @property
    def degraded(self) -> str:
        """Why what the watch said last may be old, or empty."""
        ...

    @property
    def refused(self) -> str | None:
        """What the place says to each look, if that is no; None: it does not answer (yet)."""
        ...

    def places(self, launcher: str) -> Places:
        """Where the launcher of this name sees its files."""
        ...

    def watch(self) -> AsyncIterator[Listed | Seen | Others]:
        """First a `Listed`, then what changes, for ever; a gap is closed by a new `Listed`.

        Raises:
            Unavailable: the stream broke; call again.
        """
        ...

    async def look(self, launcher: str) -> Sight:
        """Ask the world itself about one launcher, begun now (never `Unknown`)."""
        ...

    async def create(self, plan: LauncherPlan) -> None:
        """Make the launcher, or find that it was made before (then change nothing).

        Raises:
            Refused: it can never be made so (no such harness, executable not allowed ...).
            Unavailable: try again.
        """
        ...

    async def release(self, launchers: Sequence[str]) -> None:
        """Let launchers that wait for it begin, all at once, or be `Refused` for ever."""
        ...

    async def stop(self, launcher: str, grace_s: float) -> None:
        """Ask it to end within `grace_s`, then by force. Returns when asked, not when ended."""
        ...

    async def remove(self, launcher: str) -> None:
        """Take away all that is left of an ended launcher; absent already is fine."""
        ...

    async def follow(self, launcher: str, into: Path) -> int:
        """Copy its log into the file `into` as it is written, resuming at what is there.

        Returns the log's length in bytes, after the last byte of an ended launcher.
        """
        ...

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        """Copy its results into the folder `into`, resuming, each file proven by SHA-256.

        The plan says where they are; the launcher itself may be gone.

        Raises:
            Gone: what held them is there no more.
            Unavailable: something is missing or differs; what is proven stays.
        """
        ...

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:
        """Names of all results folders on the plan's claim; None if there is no such claim."""
        ...
