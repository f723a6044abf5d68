"""The local room's door: `LocalEngine`, launchers as processes of this machine.

All that is known of a launcher lies in its folder and in the kernel; nothing that
matters is kept in memory. So a launcher that another daemon made, before it was
killed, is like one of our own.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from llmdbenchd.core.launch.plan import LauncherPlan, Places
from llmdbenchd.core.run.sight import Absent, Ended, Sight
from llmdbenchd.edge.local.folder import Folder
from llmdbenchd.edge.local.following import LogCopy
from llmdbenchd.edge.local.hands import Hands
from llmdbenchd.edge.local.installed import Installed, plain
from llmdbenchd.edge.local.sentinels import Sentinels
from llmdbenchd.edge.local.transfer import Transfer
from llmdbenchd.edge.local.trouble import translated
from llmdbenchd.ports import Copied, Gone, Listed, Refused, Seen

MIN_FREE = 2 << 30
AT_ONCE = 2  # transfers: more would only share the same disk


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two scans: `hurried` while a launcher is between two states."""

    hurried: float = 1.0
    calm: float = 5.0


class LocalEngine:
    """Launchers below one folder; fits `llmdbenchd.ports.Engine`."""

    name = "local"

    def __init__(
        self,
        root: Path,
        installed: Installed,
        *,
        boot_id: str,
        min_free: int = MIN_FREE,
        pace: Pace = Pace(),
    ) -> None:
        """Take a folder into use; it is made if it is not there.

        Args:
            root: a folder of our own on a local disk, below the daemon's state.
            installed: what may run here.
            boot_id: the kernel's id of this boot, as the clock has it.
            min_free: bytes of disk that collecting leaves free.
            pace: how often the world is looked at without a reason.
        """
        root.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._root = root.resolve()  # a root that goes away later is trouble, not "no launchers"
        self._hands = Hands(self._root, installed, boot_id)
        self._min_free = min_free
        self._pace = pace
        self._watches: set[Sentinels] = set()
        self._copies: dict[str, LogCopy] = {}
        self._carriers = ThreadPoolExecutor(AT_ONCE, "collect")  # long work: no shared threads

    @property
    def degraded(self) -> str:
        """The kernel is always there."""
        return ""

    @property
    def refused(self) -> str | None:
        """A folder that cannot be read is trouble, and no answer that would mean anything."""
        return ""

    def places(self, launcher: str) -> Places:
        """Where the launcher of this name sees its files."""
        folder = self._root / launcher
        shared = self._root.with_name("barriers")
        return Places(str(folder / "workspace"), str(folder / "requests"), str(shared))

    async def watch(self) -> AsyncIterator[Listed | Seen]:
        """First a `Listed`, then what changes, for ever.

        Raises:
            Unavailable: the folder cannot be read; call again.
        """
        with Sentinels() as sentinels:
            self._watches.add(sentinels)
            try:
                await asyncio.to_thread(self._hands.sweep)
                known, pause_s = await self._scan(sentinels)
                yield Listed(known)
                while True:
                    await sentinels.pause(pause_s)
                    fresh, pause_s = await self._scan(sentinels)
                    for launcher in sorted(known.keys() | fresh.keys()):
                        sight = fresh.get(launcher, Absent())
                        if known.get(launcher, Absent()) != sight:
                            self._hurry_copy(launcher, sight)
                            yield Seen(launcher, sight)
                    known = fresh
            finally:
                self._watches.discard(sentinels)

    async def look(self, launcher: str) -> Sight:
        """Ask folder and kernel about one launcher, begun now (never `Unknown`)."""
        with translated(f"look at launcher {launcher}"):
            seen = await asyncio.to_thread(self._hands.see, self._folder(launcher))
        return seen.sight

    async def create(self, plan: LauncherPlan) -> None:
        """Make the launcher, or find that it was made before (then change nothing).

        Raises:
            Refused: its program may not run here, or the plan leaves its folder.
            Unavailable: a full disk, no process to be had: try again.
        """
        with translated(f"create launcher {plan.name}"):
            await asyncio.to_thread(self._hands.create, plan)
        self._ring()

    async def release(self, launchers: Sequence[str]) -> None:
        """Nobody waits for it: processes of one host meet in a folder."""

    async def stop(self, launcher: str, grace_s: float) -> None:
        """Ask it to end within `grace_s`, then by force. Returns when asked, not when ended."""
        with translated(f"stop launcher {launcher}"):
            await asyncio.to_thread(self._hands.stop, self._folder(launcher), grace_s)
        self._ring()

    async def remove(self, launcher: str) -> None:
        """Take away all that is left of an ended launcher; absent already is fine.

        Raises:
            Unavailable: it still runs.
        """
        with translated(f"remove launcher {launcher}"):
            await asyncio.to_thread(self._hands.remove, self._folder(launcher))
        self._ring()

    async def follow(self, launcher: str, into: Path) -> int:
        """Copy its log into the file `into` as it is written, resuming at what is there.

        Returns the log's length in bytes, after the last byte of an ended launcher.
        """
        copy = self._copies[launcher] = LogCopy(self._folder(launcher), into)
        try:
            return await copy.run()
        finally:
            if self._copies.get(launcher) is copy:
                del self._copies[launcher]

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        """Copy its results into the folder `into`, resuming, each file proven by SHA-256.

        Raises:
            Gone: its folder is there no more.
            Unavailable: something is missing or differs; what is proven stays.
        """
        folder = self._folder(plan.name)
        if not plain(plan.results_folder):
            raise Refused(f"results folder {plan.results_folder!r} is not a plain name")
        if not folder.path.is_dir():
            raise Gone(f"launcher {plan.name} is gone, with its results")
        abandoned = Event()
        source = folder.path / "requests" / plan.results_folder
        try:
            transfer = Transfer(source, into, self._min_free, abandoned)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._carriers, transfer.run)
        finally:
            abandoned.set()  # a thread cannot be cancelled, only told

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:  # noqa: ARG002 - of the port
        """None: there is no claim here; a launcher's results go when it does."""
        return None

    def _folder(self, launcher: str) -> Folder:
        if not plain(launcher):
            raise Refused(f"launcher {launcher!r} is not a plain name")
        return Folder(self._root / launcher)

    def _hurry_copy(self, launcher: str, sight: Sight) -> None:
        """The end of a launcher's log need not wait for the copy's next look."""
        if isinstance(sight, Ended) and launcher in self._copies:
            self._copies[launcher].ring()

    def _ring(self) -> None:
        for sentinels in self._watches:
            sentinels.ring()

    async def _scan(self, sentinels: Sentinels) -> tuple[dict[str, Sight], float]:
        """All sights, and how long to wait until the next scan."""
        with translated("list of launchers"):
            seen = await asyncio.to_thread(self._hands.see_all)
        sentinels.keep(found.shim for found in seen.values() if found.shim is not None)
        hurried = any(found.between for found in seen.values())
        sights = {launcher: found.sight for launcher, found in seen.items()}
        return sights, self._pace.hurried if hurried else self._pace.calm
