"""One daemon for each queue."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llmdbenchd.edge.files import locks
from llmdbenchd.edge.files.locks import Held, filesystem_of, queue_lock

MOUNTS = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:21 / /proc rw - proc proc rw
30 22 0:40 / /mnt/share rw,relatime shared:1 - nfs4 server:/x rw,vers=4.2
31 30 0:41 / /mnt/share/with\040space rw - cifs //server/x rw
32 22 0:42 / /srv/a rw - xfs /dev/vdb rw
33 22 0:43 / /srv/a rw - btrfs /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/x/queue", "ext4"),
        ("/mnt/share", "nfs4"),
        ("/mnt/share/queue", "nfs4"),
        ("/mnt/shared", "ext4"),
        ("/mnt/share/with space/q", "cifs"),
        ("/srv/a/queue", "btrfs"),
    ],
)
def test_the_filesystem_is_that_of_the_nearest_mount(folder: str, kind: str) -> None:
    assert filesystem_of(folder, MOUNTS) == kind


def test_without_a_list_of_mounts_the_filesystem_is_unknown() -> None:
    assert filesystem_of("/queue", "") == "unknown"


def test_a_second_daemon_learns_who_holds_the_queue(tmp_path: Path) -> None:
    with queue_lock(tmp_path) as holding:
        assert holding.warning == ""
        with pytest.raises(Held, match="serves this queue already") as held, queue_lock(tmp_path):
            pass
        assert held.value.pid == os.getpid()
    with queue_lock(tmp_path):
        pass


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
def test_a_network_filesystem_is_used_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(locks, "filesystem_of", lambda *_: kind)
    with queue_lock(tmp_path) as holding:
        assert f"lies on {kind}" in holding.warning


def test_a_killed_daemon_holds_nothing_although_its_child_lives_on(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; from pathlib import Path\n"
        "from llmdbenchd.edge.files.locks import queue_lock\n"
        "with queue_lock(Path(sys.argv[1])):\n"
        "    child = subprocess.Popen(['sleep', '60'])\n"
        "    print(child.pid, flush=True); child.wait()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        child = int(daemon.stdout.readline())
        try:
            with pytest.raises(Held) as held, queue_lock(tmp_path):
                pass
            assert held.value.pid == daemon.pid
            daemon.kill()
            daemon.wait()
            with queue_lock(tmp_path):
                pass
        finally:
            os.kill(child, signal.SIGKILL)
