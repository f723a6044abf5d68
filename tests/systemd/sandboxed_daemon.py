"""A daemon for the shipped unit's sandbox: tries what ours does, and reports with READY.

Argument: the folder with `queue` and `state`. Its child, which outlives it, writes to /tmp
for ever and leaves a mark each time.
"""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

CHILD = 'while sleep 0.05; do echo x > "/tmp/alive.$$" && : > "$0/wrote.$$"; done'


def main() -> None:
    """Serve until a signal."""
    data = Path(sys.argv[1])
    (data / "queue/dropped").touch()
    (data / "queue/dropped").rename(data / "state/moved")  # one mount, or this fails
    child = subprocess.Popen(("sh", "-c", CHILD, str(data)))
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    _ready(f"{child.pid}; {_write_outside(data)}; {boot_id}")
    signal.pause()


def _write_outside(data: Path) -> str:
    try:
        (data.parent / "written").touch()
    except OSError as error:
        return error.strerror or ""
    return "written"


def _ready(text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(f"READY=1\nSTATUS={text}".encode(), os.environ["NOTIFY_SOCKET"])


main()
