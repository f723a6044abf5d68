"""A real systemd user manager for tests, where process 1 is something else.

It runs in its own mount namespace (so that it believes in systemd) and below its own
control groups, and it knows only the units that a test installs. It is never a
system-mode manager: that would tidy this machine's own folders.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

SYSTEMD = Path("/lib/systemd/systemd")
CGROUPS = Path("/sys/fs/cgroup")
# Not below /tmp or /run: a sandboxed unit may have those of its own, and must find its manager.
HOME = "/var/lib"
PATIENCE_S = 30.0  # for what takes a fraction of a second; only a hanging test waits so long

# $0 is the manager. The shell joins the groups first: whatever it starts is born in them.
START = """
for group in $GROUPS_TO_JOIN; do echo $$ > "$group/cgroup.procs" || exit 1; done
exec unshare --mount --propagation private sh -c '
  mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/system || exit 1
  exec "$0" --user --unit=bare.target
' "$0"
"""


def why_not() -> str | None:
    """Why a user manager cannot be started here, or None when it can."""
    missing = [name for name in ("systemctl", "unshare", "mount") if shutil.which(name) is None]
    if missing or not SYSTEMD.exists():
        return f"not installed: {', '.join(missing) or SYSTEMD}"
    if os.geteuid() != 0:
        return "needs root, for a mount namespace and control groups of its own"
    if not Path("/run/systemd").is_dir():
        return "there is no /run/systemd to hide"
    if not all(os.access(folder, os.W_OK) for folder in _hierarchies()) or not _hierarchies():
        return f"no writable control groups below {CGROUPS}"
    return None


@dataclass(frozen=True, slots=True)
class UserManager:
    """A running user manager.

    Attributes:
        folder: its home: `run` (XDG_RUNTIME_DIR), `config` (XDG_CONFIG_HOME), `cgroups` it made.
        groups: the control group folders that hold everything it starts.
    """

    folder: Path
    groups: tuple[Path, ...]

    def install(self, name: str, text: str) -> None:
        """Write (or replace) the unit `name`, for example `x.service`, and make it known."""
        (self.folder / "config/systemd/user" / name).write_text(text, encoding="utf-8")
        self.systemctl("daemon-reload")

    def systemctl(self, *words: str, check: bool = True) -> str:
        """Run `systemctl --user WORDS`; returns its output, raises on failure if `check`."""
        done = subprocess.run(
            ("systemctl", "--user", *words),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"systemctl {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, unit: str) -> None:
        """Start `unit`; returns when it said READY=1 (Type=notify)."""
        self.systemctl("start", unit)

    def stop(self, unit: str) -> None:
        """Stop `unit`; returns when it has stopped."""
        self.systemctl("stop", unit)

    def restart(self, unit: str) -> None:
        """Stop and start `unit`; returns when it is ready again."""
        self.systemctl("restart", unit)

    def kill(self, unit: str, number: signal.Signals) -> None:
        """Send a signal to the unit's main process."""
        self.systemctl("kill", "--kill-whom=main", f"--signal={number.name}", unit)

    def show(self, unit: str, name: str) -> str:
        """One property of `unit`, for example `ActiveState`, `MainPID`, `NRestarts`."""
        return self.systemctl("show", f"--property={name}", "--value", unit).strip()

    def wait_for(self, unit: str, name: str, value: str) -> None:
        """Look until the property `name` of `unit` is `value` (systemd offers no wait)."""
        end = time.monotonic() + PATIENCE_S
        while (seen := self.show(unit, name)) != value:
            if time.monotonic() > end:
                raise AssertionError(f"{unit}: {name} is still {seen!r}, not {value!r}")
            time.sleep(0.02)

    def processes(self) -> frozenset[int]:
        """Ids of all live processes below the manager, whoever started them."""
        files = [file for group in self.groups for file in group.rglob("cgroup.procs")]
        return frozenset(int(line) for file in files for line in _lines(file))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
        }


@contextmanager
def user_manager() -> Iterator[UserManager]:
    """Start a manager, and afterwards leave no process, control group or file of it."""
    with TemporaryDirectory(prefix="llmdbenchd-", dir=HOME) as name:
        folder = Path(name)
        (folder / "run").mkdir(mode=0o700)
        units = folder / "config/systemd/user"
        units.mkdir(parents=True)
        (units / "bare.target").write_text("[Unit]\nDefaultDependencies=no\n", encoding="utf-8")
        groups = tuple(hierarchy / folder.name for hierarchy in _hierarchies())
        manager = UserManager(folder, groups)
        for group in groups:
            group.mkdir()
        try:
            with _running(manager):
                yield manager
        finally:
            _clear(manager)


@contextmanager
def _running(manager: UserManager) -> Iterator[None]:
    address = str(manager.folder / "ready")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ears:
        ears.bind(address)
        ears.settimeout(PATIENCE_S)
        joined = " ".join(map(str, manager.groups))
        process = subprocess.Popen(
            ("sh", "-c", START, str(SYSTEMD)),
            env={**manager._environment(), "NOTIFY_SOCKET": address, "GROUPS_TO_JOIN": joined},
            stdin=subprocess.DEVNULL,
        )
        try:
            while b"READY=1" not in ears.recv(4096).splitlines():
                pass
            yield
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _clear(manager: UserManager) -> None:
    end = time.monotonic() + PATIENCE_S
    while (left := manager.processes()) and time.monotonic() < end:
        for pid in left:  # children that outlive their unit by design
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    for group in manager.groups:
        for folder in sorted(group.rglob("*/"), reverse=True):
            folder.rmdir()
        group.rmdir()


def _hierarchies() -> tuple[Path, ...]:
    if (CGROUPS / "cgroup.controllers").exists():
        return (CGROUPS,)
    return tuple(CGROUPS / name for name in ("systemd", "unified") if (CGROUPS / name).is_dir())


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:  # the group went away, or is of a kind that lists no processes
        return []
