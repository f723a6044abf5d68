"""Whatever is dropped is accounted for exactly once, whenever the daemon dies."""

import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.edge.files.daemon import Daemon, accounts
from tests.edge.files.faults import FULL, fault, killed_at

WHERE_ALL_SHOULD_BE = Counter(
    {"job plain": 1, "job named": 1, "rejected wrong": 1, "rejected second": 1, "rejected link": 1}
)


def drop_all_kinds(root: Path) -> Daemon:
    """A good file, one with its own id, one that is refused, a second with the id, a link."""
    daemon = Daemon.prepare(root)
    for name, text in {
        "a.yaml": "mark: plain\n",
        "b.yaml": "id: mine\nmark: named\n",
        "c.yaml": "bad\nmark: wrong\n",
        "d.yaml": "id: mine\nmark: second\n",
    }.items():
        (daemon.queue / name).write_text(text, encoding="utf-8")
    (daemon.queue / "e.yaml").symlink_to("/etc/hostname")
    return daemon


def assert_all_is_well(root: Path) -> None:
    found = accounts(root)
    assert found.pop("why") == 3
    assert found == WHERE_ALL_SHOULD_BE


def test_every_file_is_accounted_for_exactly_once_wherever_the_daemon_is_killed(
    tmp_path: Path,
) -> None:
    for at in itertools.count(1):
        root = tmp_path / str(at)
        daemon = drop_all_kinds(root)
        was_killed = killed_at(at, daemon.live)
        Daemon(root).live()
        assert_all_is_well(root)
        if not was_killed:
            break
    assert at > 50


@pytest.mark.parametrize("first", range(5, 120, 9))
def test_a_second_kill_during_the_recovery_changes_nothing(tmp_path: Path, first: int) -> None:
    for second in itertools.count(1, 7):
        root = tmp_path / str(second)
        killed_at(first, drop_all_kinds(root).live)
        was_killed = killed_at(second, Daemon(root).live)
        Daemon(root).live()
        assert_all_is_well(root)
        if not was_killed:
            break


def test_a_disk_that_is_full_for_a_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    for at in itertools.count(1):
        root = tmp_path / str(at)
        daemon = drop_all_kinds(root)
        with fault(at, error=FULL) as faulty:
            daemon.live()
        Daemon(root).live()
        assert_all_is_well(root)
        if not faulty.struck:
            break
    assert at > 50


_CHILD = """
import sys
from pathlib import Path
from tests.edge.files.daemon import Daemon
daemon = Daemon(Path(sys.argv[1]))
daemon.claims.recover()
print("ready", flush=True)
daemon.settle([])
for start in range(0, 2000, 50):
    daemon.settle(daemon.ready()[:50])
    print("group", flush=True)
"""


@pytest.mark.slow
def test_two_thousand_files_are_taken_exactly_once_across_real_kills(tmp_path: Path) -> None:
    daemon = Daemon.prepare(tmp_path)
    for number in range(2000):
        (daemon.queue / f"f{number}.yaml").write_text(f"mark: m{number}\n", encoding="utf-8")
    for groups in (3, 1, 5, 0, 2):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        with child:
            assert child.stdout is not None
            for _ in range(groups + 1):
                child.stdout.readline()
            os.kill(child.pid, signal.SIGKILL)
    last = Daemon(tmp_path)
    last.live()
    assert accounts(tmp_path) == Counter({f"job m{number}": 1 for number in range(2000)})
