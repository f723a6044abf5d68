"""Our words, and the unit's habits, before a real systemd."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.systemd.manager import PATIENCE_S, UserManager

pytestmark = [pytest.mark.systemd, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
UNIT = """
[Service]
Type=notify
NotifyAccess=main
ExecStart={python} {daemon} {root} {diary}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec={watchdog}
WatchdogSignal=SIGABRT
LimitCORE=0
Restart=on-failure
RestartSec=0
KillMode=process
StandardOutput=file:{log}
StandardError=file:{log}
"""


@dataclass(frozen=True, slots=True)
class Life:
    """What the small daemon said of itself: a word, its id, and its child's if it started."""

    word: str
    pids: tuple[int, ...]


class Diary:
    """Where the small daemon tells what happens to it."""

    def __init__(self, path: Path) -> None:
        """Listen at `path`."""
        self.path = path
        self._ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ears.bind(str(path))
        self._ears.settimeout(PATIENCE_S)

    def next(self) -> Life:
        """Wait for the next entry."""
        word, *pids = self._ears.recv(4096).decode().split()
        return Life(word, tuple(map(int, pids)))

    def go_silent(self) -> None:
        """Tell the daemon to stop pinging."""
        self.path.with_name("silent").touch()

    def close(self) -> None:
        """Stop listening."""
        self._ears.close()


@pytest.fixture
def diary(manager: UserManager) -> Iterator[Diary]:
    diary = Diary(manager.folder / "diary")
    yield diary
    diary.close()


def install(manager: UserManager, diary: Diary, *, watchdog: str) -> None:
    text = UNIT.format(
        python=sys.executable,
        daemon=ROOT / "tests/systemd/small_daemon.py",
        root=ROOT,
        diary=diary.path,
        watchdog=watchdog,
        log=manager.folder / "log",
    )
    manager.install("small.service", text)


def test_systemd_sees_ready_the_status_a_reload_and_the_end(
    manager: UserManager, diary: Diary
) -> None:
    install(manager, diary, watchdog="60")
    manager.start("small.service")
    pid, _ = diary.next().pids
    manager.wait_for("small.service", "StatusText", "serving → well")
    manager.systemctl("reload", "small.service")
    reloaded = (
        manager.show("small.service", "ActiveState"),
        manager.show("small.service", "MainPID"),
    )
    manager.stop("small.service")

    assert reloaded == ("active", str(pid))
    assert diary.next() == Life("stopping", (pid,))
    assert manager.show("small.service", "Result") == "success"


def test_a_unit_that_stops_pinging_is_killed_and_started_again(
    manager: UserManager, diary: Diary
) -> None:
    install(manager, diary, watchdog="500ms")
    manager.start("small.service")
    first = diary.next()
    diary.go_silent()
    second = diary.next()

    assert first.word == second.word == "started"
    assert first.pids != second.pids
    assert int(manager.show("small.service", "NRestarts")) >= 1


def test_a_unit_that_pings_lives_past_the_watchdogs_limit(
    manager: UserManager, diary: Diary
) -> None:
    install(manager, diary, watchdog="300ms")
    install_alarm(manager)
    manager.start("small.service")
    pid, _ = diary.next().pids
    manager.start("alarm.service")  # returns three limits later

    assert manager.show("small.service", "MainPID") == str(pid)
    assert manager.show("small.service", "NRestarts") == "0"


def install_alarm(manager: UserManager) -> None:
    manager.install("alarm.service", "[Service]\nType=oneshot\nExecStart=/bin/sleep 0.9\n")


def test_a_child_outlives_a_restart_of_its_unit(manager: UserManager, diary: Diary) -> None:
    install(manager, diary, watchdog="60")
    manager.start("small.service")
    first, child = diary.next().pids
    manager.restart("small.service")
    assert diary.next() == Life("stopping", (first,))
    second, other_child = diary.next().pids

    assert first not in manager.processes()
    assert {child, other_child, second} <= manager.processes()


def test_a_daemon_killed_outright_is_started_again(manager: UserManager, diary: Diary) -> None:
    install(manager, diary, watchdog="60")
    manager.start("small.service")
    first = diary.next()
    manager.kill("small.service", signal.SIGKILL)

    assert diary.next().pids[0] != first.pids[0]
    os.kill(first.pids[1], 0)  # its child is still there
