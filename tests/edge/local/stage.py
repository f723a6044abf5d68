"""A stage for real launchers: what they do is a plot in Python, given by each test."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmdbenchd.core.launch.plan import DEFAULT_EXECUTABLE, Identity, LauncherPlan, PlanFile
from llmdbenchd.core.run.sight import Ended, Running, Sight
from llmdbenchd.edge.local.folder import Claim, Folder
from llmdbenchd.edge.local.installed import Installed
from llmdbenchd.edge.local.launchers import LocalEngine, Pace
from llmdbenchd.edge.local.orphans import MARK
from llmdbenchd.edge.local.processes import carrying
from llmdbenchd.ports import Listed

REAL_TIME = pytest.mark.looptime(False)  # noqa: FBT003 -- the marker takes it so
BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
PATIENCE_S = 60.0  # only ever spent when something is broken
NOBODYS = Identity(instance="i", job="j", run="r001", run8="0" * 8, attempt=1, index=1, of=1)
Process = subprocess.Popen[bytes]
STUB = "import os; exec(compile(os.environ['PLOT'], 'plot', 'exec'))\n"


def plan(
    name: str, plot: str = "", *, files: tuple[PlanFile, ...] = (), **env: str
) -> LauncherPlan:
    """A launcher whose `launch.py` does what `plot` says."""
    return LauncherPlan(
        name=name,
        identity=NOBODYS,
        harness="pretender",
        executable=DEFAULT_EXECUTABLE,
        results_folder=f"results-of-{name}",
        files=files,
        env={"PLOT": plot, **env},
    )


class Stage:
    """A folder with a payload, a harness and an engine's root; and the end of all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "launchers"
        self.payload = folder / "payload"
        self.payload.mkdir(exist_ok=True)
        (self.payload / "launch.py").write_text(STUB, encoding="utf-8")
        self.program(folder / "venvs" / "pretender" / "bin" / "pretender")

    def program(self, path: Path, text: str = "#!/bin/sh\n") -> Path:
        """Make an executable file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def installed(self, python: Path = Path(sys.executable)) -> Installed:
        """What may run on this stage."""
        base = {"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C"}
        executables = self.folder / "executables"
        return Installed(self.payload, python, base, self.folder / "venvs", executables)

    def engine(self, *, boot_id: str = BOOT_ID, installed: Installed | None = None) -> LocalEngine:
        """A new engine object on the same root: a daemon that was started again."""
        return LocalEngine(
            self.root,
            installed or self.installed(),
            boot_id=boot_id,
            min_free=0,
            pace=Pace(hurried=0.05, calm=5.0),
        )

    def claim(self, launcher: str) -> Claim:
        """Who holds the launcher."""
        claim = Folder(self.root / launcher).claim()
        assert claim is not None
        return claim

    def pid(self, launcher: str) -> int:
        """The main process of a launcher."""
        main = self.claim(launcher).launcher
        assert main is not None
        return main.pid

    def processes(self, launcher: str) -> set[int]:
        """All living processes of the launcher, its shim included."""
        return carrying(MARK, str(self.root / launcher))

    def rewind(self, launcher: str, *names: str) -> Folder:
        """Take files out of an ended launcher's folder, as if a kill had come before them."""
        folder = Folder(self.root / launcher)
        with folder.locked(wait=True):
            for name in names:
                (folder.path / name).unlink()
        return folder

    def process(self, code: str, environment: dict[str, str] | None = None) -> Process:
        """A process of nobody, in a session of its own."""
        command = [sys.executable, "-c", code]
        return subprocess.Popen(command, env=environment, start_new_session=True)

    def clear(self) -> None:
        """End every process of this stage."""
        if self.root.is_dir():
            for folder in self.root.iterdir():
                for pid in self.processes(folder.name):
                    os.kill(pid, signal.SIGKILL)


async def until(engine: LocalEngine, launcher: str, wanted: Callable[[Sight], bool]) -> Sight:
    """Wait, as the daemon does, until the launcher's sight is as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        async for news in engine.watch():
            sights = news.sights if isinstance(news, Listed) else {news.launcher: news.sight}
            if launcher in sights and wanted(sights[launcher]):
                return sights[launcher]
    raise AssertionError("a watch never ends")


async def ended(engine: LocalEngine, launcher: str) -> Ended:
    """Wait until it has ended."""
    sight = await until(engine, launcher, lambda sight: isinstance(sight, Ended))
    assert isinstance(sight, Ended)
    return sight


async def running(engine: LocalEngine, launcher: str) -> None:
    """Wait until it runs."""
    await until(engine, launcher, lambda sight: isinstance(sight, Running))


async def there(path: Path) -> None:
    """Wait for a file that a launcher writes (by rename)."""
    async with asyncio.timeout(PATIENCE_S):
        while not os.access(path, os.F_OK):  # noqa: ASYNC110 -- it has no event to wait for
            await asyncio.sleep(0.02)
