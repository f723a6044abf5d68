"""A daemon in twenty lines, for a real systemd: it reports its life as datagrams.

Arguments: the folder to import our package from, and the test's socket. It pings the
watchdog until the file `silent` appears beside that socket, and has one child that
outlives it.
"""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from llmdbenchd.edge.systemd import Notifier


def main() -> None:
    """Serve until SIGTERM."""
    diary = Path(sys.argv[2])
    notifier = Notifier(os.environ)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
    child = subprocess.Popen(("sleep", "600"))
    every_s = (notifier.watchdog_s or 3.0) / 3
    notifier.status("serving → well")
    notifier.ready()
    _tell(diary, f"started {os.getpid()} {child.pid}")
    while True:
        caught = signal.sigtimedwait({signal.SIGTERM, signal.SIGHUP}, every_s)
        if caught is not None and caught.si_signo == signal.SIGTERM:
            notifier.stopping()
            _tell(diary, f"stopping {os.getpid()}")
            return
        if caught is not None:
            notifier.reloading()
            notifier.ready()
        if not diary.with_name("silent").exists():
            notifier.ping()


def _tell(diary: Path, text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(text.encode(), str(diary))


main()
