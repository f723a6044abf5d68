"""The shipped unit's sandbox, applied by a real systemd to a daemon with a child."""

import re
import shlex
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmdbenchd.edge.clock import SystemClock
from tests.systemd.manager import PATIENCE_S, UserManager

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "systemd/llmdbenchd.service"
PROGRAM = ROOT / "tests/systemd/sandboxed_daemon.py"
# What cannot be had here: other users, folders in /var and /etc, and two protections of
# kernel files that a manager without a machine of its own cannot mount.
OTHERWISE = re.compile(
    r"^(User|Group|(State|Cache)Directory(Mode)?|WorkingDirectory|EnvironmentFile"
    r"|ProtectKernelTunables|ProtectKernelLogs)=.*\n",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Report:
    """What the daemon in the sandbox saw: its child, writing outside, the boot's id."""

    child: int
    outside: str
    boot_id: str


class Sandbox:
    """The shipped unit around `sandboxed_daemon.py`."""

    unit = "llmdbenchd.service"

    def __init__(self, manager: UserManager) -> None:
        """Install it, with a folder `data` in the place of /var/lib/llmdbenchd."""
        self.manager = manager
        self.data = manager.folder / "data"
        (self.data / "queue").mkdir(parents=True)
        (self.data / "state").mkdir()
        command = shlex.join((sys.executable, str(PROGRAM), str(self.data)))
        text = OTHERWISE.sub("", SHIPPED.read_text())
        text = re.sub(r"^ExecStart=.*$", f"ExecStart={command}", text, flags=re.MULTILINE)
        text = text.replace("ReadWritePaths=/var/lib/llmdbenchd", f"ReadWritePaths={self.data}")
        # The tests' own Python may live below somebody's home.
        text = text.replace("ProtectHome=yes", "ProtectHome=read-only")
        manager.install(self.unit, text + visible(ROOT, Path(sys.prefix), Path(sys.base_prefix)))

    def report(self) -> Report:
        """What the running daemon reported with its READY."""
        child, outside, boot_id = self.manager.show(self.unit, "StatusText").split("; ")
        return Report(int(child), outside, boot_id)

    def writes_to_tmp(self, child: int) -> bool:
        """Whether `child` writes a file in its /tmp again, from now on."""
        mark = self.data / f"wrote.{child}"
        mark.unlink(missing_ok=True)
        end = time.monotonic() + PATIENCE_S
        while not mark.exists() and child in self.manager.processes() and time.monotonic() < end:
            time.sleep(0.02)
        return mark.exists()


def visible(*paths: Path) -> str:
    """What must be seen in the sandbox although a private /tmp is laid over it.

    A checkout, or the Python that runs the tests, may lie below it.
    """
    private = re.findall(r"(/\S+?):rw", SHIPPED.read_text())
    hidden = [path for path in paths if any(path.is_relative_to(one) for one in private)]
    return f"\n[Service]\nBindReadOnlyPaths={shlex.join(map(str, hidden))}\n" if hidden else ""


@pytest.fixture
def sandbox(manager: UserManager) -> Sandbox:
    return Sandbox(manager)


def test_in_the_sandbox_the_daemon_can_do_its_work_and_nothing_outside(sandbox: Sandbox) -> None:
    sandbox.manager.start(sandbox.unit)
    report = sandbox.report()

    assert report.outside == "Read-only file system"
    assert report.boot_id == SystemClock.of_this_machine().boot_id
    assert [path.name for path in (sandbox.data / "state").iterdir()] == ["moved"]


def test_a_launcher_keeps_its_tmp_when_the_unit_is_restarted(sandbox: Sandbox) -> None:
    sandbox.manager.start(sandbox.unit)
    child = sandbox.report().child
    assert sandbox.writes_to_tmp(child)
    sandbox.manager.restart(sandbox.unit)

    assert sandbox.report().child != child
    assert sandbox.writes_to_tmp(child)
