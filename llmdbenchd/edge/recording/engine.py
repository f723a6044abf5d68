"""The recorder's engine: a launcher without a pod, which the daemon carries out itself.

To the heart a recording is a launcher like any other: made, seen running, ended, collected,
removed. Its task lives as long as the watch; its folder lives longer, and begins it anew.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

import structlog

from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan, Places
from llmdbenchd.core.nop import order
from llmdbenchd.core.run.sight import Absent, Ended, Sight
from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.local.installed import plain
from llmdbenchd.edge.local.transfer import Transfer
from llmdbenchd.edge.recording.folder import LOG, RESULTS, End, Folder, recordings
from llmdbenchd.edge.recording.recording import Recording
from llmdbenchd.ports import Copied, Listed, Refused, Seen, Unavailable

log = structlog.get_logger()

AGAIN_S = 5.0
LOOK_S = 0.5  # between looks at the recorder's own log
_BLOCK = 1 << 20


class RecordingEngine:
    """Recordings below one folder; fits `llmdbenchd.ports.Engine`."""

    name = "recorder"

    def __init__(
        self, root: Path, session: Session, *, clock: Callable[[], float], min_free: int
    ) -> None:
        """Take a folder into use; it is made if it is not there.

        Args:
            root: a folder of our own below the daemon's state.
            session: the API server.
            clock: seconds since 1970.
            min_free: bytes of disk that collecting leaves free.
        """
        root.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._root = root
        self._session = session
        self._clock = clock
        self._min_free = min_free
        self._news: asyncio.Queue[Folder] = asyncio.Queue()

    @property
    def degraded(self) -> str:
        """What is seen is our own disk."""
        return ""

    @property
    def refused(self) -> str | None:
        """A folder that cannot be read is trouble, and no answer that would mean anything."""
        return ""

    def places(self, launcher: str) -> Places:  # noqa: ARG002 - nothing runs anywhere
        """Where files would be."""
        return IMAGE

    async def watch(self) -> AsyncIterator[Listed | Seen]:
        """First a `Listed`, then what changes, for ever. Recordings go on while this does.

        Raises:
            Unavailable: the folder cannot be read; call again.
        """
        self._news = asyncio.Queue()
        running: set[str] = set()
        try:
            async with asyncio.TaskGroup() as group:
                found = await asyncio.to_thread(recordings, self._root)
                sights = {one.name: await asyncio.to_thread(one.sight) for one in found}
                for one in found:
                    self._news.put_nowait(one)
                yield Listed(sights)
                while True:
                    folder = await self._news.get()
                    sight = await asyncio.to_thread(folder.sight)
                    if isinstance(sight, Absent | Ended):
                        running.discard(folder.name)
                    elif folder.name not in running:
                        running.add(folder.name)
                        group.create_task(self._record(folder), name=f"record {folder.name}")
                    yield Seen(folder.name, sight)
        except* GeneratorExit:
            pass  # nobody listens any more
        except* Unavailable as errors:
            raise Unavailable(str(errors.exceptions[0])) from errors

    async def look(self, launcher: str) -> Sight:
        """Look at its folder."""
        return await asyncio.to_thread(self._folder(launcher).sight)

    async def create(self, plan: LauncherPlan) -> None:
        """Begin the recording, or find that it was begun before.

        Raises:
            Refused: the plan says nothing that could be recorded.
            Unavailable: try again.
        """
        text = next((one.text for one in plan.files if one.path == order.FILE), None)
        if text is None:
            raise Refused(f"the plan of {plan.name} has no {order.FILE}")
        folder = self._folder(plan.name)
        await asyncio.to_thread(folder.make, order.read(text))
        self._news.put_nowait(folder)

    async def release(self, launchers: Sequence[str]) -> None:
        """Nobody waits for it: a recording is alone."""

    async def stop(self, launcher: str, grace_s: float) -> None:  # noqa: ARG002 - it ends at once
        """Ask it to end. What was recorded so far is written down first."""
        folder = self._folder(launcher)
        if not isinstance(await self.look(launcher), Absent):
            await asyncio.to_thread(folder.ask_to_stop)

    async def remove(self, launcher: str) -> None:
        """Take away all that is left of an ended recording; absent already is fine.

        Raises:
            Unavailable: it still goes on.
        """
        sight = await self.look(launcher)
        if not isinstance(sight, Absent | Ended):
            raise Unavailable(f"recording {launcher} still goes on")
        await asyncio.to_thread(self._folder(launcher).remove)
        self._news.put_nowait(self._folder(launcher))

    async def follow(self, launcher: str, into: Path) -> int:
        """Copy what the recorder says into the file `into`, resuming at what is there."""
        folder = self._folder(launcher)
        while True:
            sight = await self.look(launcher)
            size, is_more = await asyncio.to_thread(_copied, folder.path / LOG, into)
            if isinstance(sight, Absent | Ended) and not is_more:
                return size
            if not is_more:
                await asyncio.sleep(LOOK_S)

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        """Copy its results into the folder `into`, each file proven by SHA-256.

        Raises:
            Unavailable: something is missing or differs; what is proven stays.
        """
        abandoned = Event()
        source = self._folder(plan.name).path / RESULTS
        try:
            transfer = Transfer(source, into, self._min_free, abandoned)
            return await asyncio.to_thread(transfer.run)
        finally:
            abandoned.set()  # a thread cannot be cancelled, only told

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:  # noqa: ARG002 - of the port
        """None: a recording keeps nothing on a claim."""
        return None

    async def _record(self, folder: Folder) -> None:
        """Carry one out; trouble is waited out, for its end is somebody else's decision."""
        while not await self._is_done(folder):  # noqa: ASYNC110 - nobody tells when trouble ends
            await asyncio.sleep(AGAIN_S)
        self._news.put_nowait(folder)

    async def _is_done(self, folder: Folder) -> bool:
        """Go on with it; whether that brought it to its end."""
        recording = Recording(folder, self._session, self._clock)
        try:
            await recording.run()
        except* Unavailable as errors:
            reason = str(errors.exceptions[0])
            log.warning("recording.delayed", launcher=folder.name, reason=reason)
        except* Exception as errors:  # a fault in one must not stop the others
            log.exception("recording.crashed", launcher=folder.name)
            with suppress(Refused, Unavailable):
                await recording.end_launches()
            end = End(1, f"a fault in llmdbenchd: {errors.exceptions[0]!r}")
            await asyncio.to_thread(folder.end, end)
        return isinstance(await asyncio.to_thread(folder.sight), Ended)

    def _folder(self, launcher: str) -> Folder:
        if not plain(launcher):
            raise Refused(f"launcher {launcher!r} is not a plain name")
        return Folder(self._root / launcher)


def _copied(source: Path, into: Path) -> tuple[int, bool]:
    """Copy one piece of what is new; how long the copy is, and whether there was any."""
    with translated(into):
        into.parent.mkdir(parents=True, exist_ok=True)
        with into.open("ab") as copy:
            size = copy.tell()
            piece = b""
            with suppress(FileNotFoundError), source.open("rb") as file:
                file.seek(size)
                piece = file.read(_BLOCK)
            copy.write(piece)
            return size + len(piece), bool(piece)
