"""An engine in memory with the real interface and a bad temper.

It forgets replies, delays what the watch says, goes away, and counts what nobody
may do twice. It is used by the simulation and by the tests of the controllers.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from llmdbenchd.core.launch.plan import LauncherPlan, Places
from llmdbenchd.core.run.sight import Absent, Cause, Ended, Running, Sight
from llmdbenchd.ports import Copied, Listed, Others, Refused, Seen, Unavailable


class FakeEngine:
    """Launchers as entries of a dict.

    Attributes:
        launchers: what exists, by name.
        started: how often each launcher ever began to run; more than once is a defect.
        is_away: every call fails, and nothing happens.
        loses_replies: every write happens, and its reply is lost.
        on_claim: results folders that lie on the claim; None: there is none.
        refuses: creating is refused with this sentence.
        says_no: with this sentence every call is refused, and nothing happens.
        trouble: what the next calls of a method raise, by its name, before anything happens.
    """

    name = "fake"

    def __init__(self) -> None:
        self.launchers: dict[str, Sight] = {}
        self.started: dict[str, int] = {}
        self.collected: set[str] = set()
        self.on_claim: tuple[str, ...] | None = ()
        self.folders_collected: list[str] = []
        self.removed_uncollected: list[str] = []
        self.released: list[tuple[str, ...]] = []
        self.is_away = False
        self.loses_replies = False
        self.refuses = ""
        self.says_no = ""
        self.trouble: dict[str, list[Exception]] = {}
        self.watch_is_open = asyncio.Event()
        self._news: asyncio.Queue[Seen | Others | Exception | None] = asyncio.Queue()
        self._moved = asyncio.Event()

    @property
    def degraded(self) -> str:
        return "the fake engine is away" if self.is_away else self.says_no

    @property
    def refused(self) -> str | None:
        return None if self.is_away else self.says_no

    def places(self, launcher: str) -> Places:
        return Places(f"/fake/{launcher}/workspace", f"/fake/{launcher}/requests")

    async def watch(self) -> AsyncIterator[Listed | Seen | Others]:
        self._reachable("watch")
        self._news = asyncio.Queue()
        yield Listed(dict(self.launchers))
        self.watch_is_open.set()
        while (news := await self._news.get()) is not None:
            if isinstance(news, Exception):
                raise news
            yield news

    async def look(self, launcher: str) -> Sight:
        self._reachable("look")
        return self.launchers.get(launcher, Absent())

    async def create(self, plan: LauncherPlan) -> None:
        self._reachable("create")
        if self.refuses:
            raise Refused(self.refuses)
        if plan.name not in self.launchers:
            self.started[plan.name] = self.started.get(plan.name, 0) + 1
            self.put(plan.name, Running())
        self._reply()

    async def release(self, launchers: Sequence[str]) -> None:
        self._reachable("release")
        self.released.append(tuple(launchers))
        self._reply()

    async def stop(self, launcher: str, grace_s: float) -> None:
        self._reachable("stop")
        assert grace_s > 0
        if isinstance(self.launchers.get(launcher), Running):
            self.put(launcher, Ended(Cause.STOPPED, signal=15))
        self._reply()

    async def remove(self, launcher: str) -> None:
        self._reachable("remove")
        if launcher in self.launchers:
            if launcher not in self.collected:
                self.removed_uncollected.append(launcher)
            self.put(launcher, Absent())
        self._reply()

    async def follow(self, launcher: str, into: Path) -> int:
        self._reachable("follow")
        assert into.name
        while not isinstance(self.launchers.get(launcher, Absent()), Ended):
            self._moved.clear()
            await self._moved.wait()
        return 0

    async def collect(self, plan: LauncherPlan, into: Path) -> Copied:
        self._reachable("collect")
        assert plan.results_folder
        assert into.name
        self.collected.add(plan.name)
        self.folders_collected.append(plan.results_folder)
        return Copied(files=3, size=10, manifest="launcher")

    async def folders(self, plan: LauncherPlan) -> tuple[str, ...] | None:
        self._reachable("folders")
        assert plan.storage.claim
        return self.on_claim

    def put(self, launcher: str, sight: Sight) -> None:
        """Something moves; the watch will say so when its news are read."""
        if isinstance(sight, Absent):
            self.launchers.pop(launcher, None)
        else:
            self.launchers[launcher] = sight
        self._news.put_nowait(Seen(launcher, sight))
        self._moved.set()

    def others(self, rivals: Mapping[str, str]) -> None:
        """Other daemons load something else."""
        self._news.put_nowait(Others(rivals))

    def end_watch(self, error: Exception | None = None) -> None:
        """The stream of news ends after what waits in it, or breaks with this error."""
        self.watch_is_open.clear()
        self._news.put_nowait(error)

    def news(self) -> list[Seen]:
        """Take what the watch has not delivered yet."""
        waiting: list[Seen] = []
        while not self._news.empty():
            one = self._news.get_nowait()
            waiting += [one] if isinstance(one, Seen) else []
        return waiting

    def _reachable(self, method: str) -> None:
        if self.is_away:
            raise Unavailable("the fake engine is away")
        if self.says_no:
            raise (Unavailable if method in {"watch", "look", "collect"} else Refused)(self.says_no)
        if self.trouble.get(method):
            raise self.trouble[method].pop(0)

    def _reply(self) -> None:
        if self.loses_replies:
            raise Unavailable("the reply was lost")
