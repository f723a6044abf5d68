"""Fifty pods that print a hundred lines a second each, followed by the daemon and by kubectl.

When all of them run, one `kubectl logs --follow` for each is started beside the daemon. CPU
is that of some seconds in which both only follow. Lines are numbered by the harness; those
that an archive, or a file of kubectl's, has not are lost.
"""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.house import cpu_seconds, resident_mib
from bench.kube.ground import LAUNCHERS, PATIENCE_S, Ground, light
from bench.table import Row, compared
from tests.daemon.household import Household
from tests.e2e.namespace import Namespace

NAME = "chatter"
TITLE = "Log following, 50 pods at 100 lines/s each"
FULL, QUICK = (50, 60, 15.0), (5, 20, 3.0)  # pods, seconds that they print, seconds of the figure
RATE = 100
WRITES = 5  # a second: fifty pods that write each line by itself are all that two cores can do
LINE = re.compile(rb"- INFO - line (\d+)$", re.MULTILINE)


def measure(ground: Ground) -> list[Row]:
    """Follow."""
    pods, seconds, window_s = QUICK if ground.quick else FULL
    copies = ground.folder / "kubectl"
    copies.mkdir()
    with ground.serving(NAME, LLMDBENCHD_MAX_ACTIVE_RUNS=str(pods)) as (house, namespace):
        for number in range(pods):
            lines = {
                "FAKE_HARNESS_LINES": str(seconds * RATE),
                "FAKE_HARNESS_AT_ONCE": str(RATE // WRITES),
            }
            house.drop(f"run{number:02d}", light(seconds, fake=lines))
        house.wait_for("all", lambda: len(house.told("run.moved", now="RUNNING")) == pods)
        assert not house.told("run.moved", now="COLLECTING"), "the first ends before the last runs"
        with _kubectl(ground, namespace, copies) as followers:
            spent, memory = _spent(house, followers, window_s)
            house.wait_for("every end", lambda: len(house.told("run.finished")) == pods)
            for follower in followers:
                follower.wait(PATIENCE_S)
        logs = sorted(house.archive.glob("*/*/logs/launcher-1.log"))
        lost = [
            pods * seconds * RATE - sum(map(_numbers, files))
            for files in (logs, sorted(copies.iterdir()))
        ]
    return _rows(pods, window_s, spent, memory, lost, seconds * RATE * pods)


@contextmanager
def _kubectl(
    ground: Ground, namespace: Namespace, into: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    followers = []
    try:
        for pod in namespace.list("pods", labelSelector=LAUNCHERS):
            name = pod["metadata"]["name"]
            words = ground.command("--namespace", namespace.name, "logs", "--follow", name)
            with (into / name).open("wb") as file:
                followers.append(subprocess.Popen(words, stdout=file))
        yield followers
    finally:
        for follower in followers:
            follower.kill()
            follower.wait()


def _spent(
    house: Household, followers: list[subprocess.Popen[bytes]], window_s: float
) -> tuple[list[float], list[float]]:
    """CPU seconds within the window, and MiB in its middle, of the daemon and of the others."""
    assert house.daemon is not None
    pids = [house.daemon.pid, *(follower.pid for follower in followers)]
    pause = threading.Event()
    pause.wait(window_s / 3)  # their start is over, and they have caught up
    before = [cpu_seconds(pid) for pid in pids]
    pause.wait(window_s)
    spent = [cpu_seconds(pid) - cpu for pid, cpu in zip(pids, before, strict=True)]
    memory = [resident_mib(pid) for pid in pids]
    assert not house.told("run.moved", now="COLLECTING"), "the first ended within the window"
    return [spent[0], sum(spent[1:])], [memory[0], sum(memory[1:])]


def _numbers(log: Path) -> int:
    """How many different lines a copy has; a doubled one is a fault of ours."""
    found = LINE.findall(log.read_bytes().replace(b"\r", b"\n"))
    assert len(found) == len(set(found)), f"{log}: lines are doubled"
    return len(found)


def _rows(
    pods: int,
    window_s: float,
    spent: list[float],
    memory: list[float],
    lost: list[int],
    lines: int,
) -> list[Row]:
    rival = f"{pods} kubectl logs --follow"
    shares = [seconds / window_s * 100 for seconds in spent]
    return [
        Row(
            what="lines lost",
            value=lost[0],
            unit=f"of {lines:,}",
            rival=rival,
            rival_value=lost[1],
            aim="0",
            met=lost[0] == 0,
        ),
        Row(
            what=f"CPU over {window_s:g} s, of one core",
            value=shares[0],
            unit="%",
            rival=rival,
            rival_value=shares[1],
            ratio=compared(*shares),
        ),
        Row(
            what="resident memory",
            value=memory[0],
            unit="MiB",
            rival=rival,
            rival_value=memory[1],
            ratio=compared(*memory),
        ),
    ]
