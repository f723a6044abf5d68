"""The local room's holder: one small process for each launcher, which outlives the daemon.

Its arguments: FOLDER BOOT_ID REPORT_FD PROGRAM [ARGUMENT ...]. Standard library only
and few imports, for its start is part of every launcher's start. Its own environment
is exactly the launcher's, so secrets need no file.

Nothing is ever run twice. A shim first takes the lock (held until it dies, never
inherited), then writes `shim.json` (the claim), and only then starts the launcher. So
whoever finds a claim knows that a start was tried, and whoever finds the lock free
knows that no shim is left. A second shim finds the lock or the claim and goes.

Stopping: `stop.json` is written first, then the shim gets SIGTERM; it looks for the
file after its own claim and at every SIGTERM, so the two cannot miss each other.

It never leaves before all that the launcher started has ended (it is their subreaper)
and `ended.json` is on disk. What the launcher prints goes straight into `log`.
"""

import ctypes
import fcntl
import os
import signal
import sys
import time

from llmdbenchd.edge.local import durable
from llmdbenchd.edge.local.processes import descendants, send, start_ticks

VERSION = 1
DEFAULT_GRACE_S = 30.0  # when somebody else asks us to end
STRAYS_GRACE_S = 2.0  # between SIGTERM and SIGKILL for what the launcher left behind
STUCK_S = 30.0  # a process in the kernel's hands may never go
RETRY_S = 1.0  # a full disk
PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 15, 36
AWAITED = (signal.SIGTERM, signal.SIGCHLD)
DEAF_TO = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
NORMAL_FOR_LAUNCHERS = (*AWAITED, *DEAF_TO, signal.SIGPIPE, signal.SIGXFSZ)


class Launcher:
    """The launcher's main process and all that came out of it."""

    def __init__(self, folder: str, pid: int) -> None:
        self.folder = folder
        self.pid = pid
        self.started = utc()
        self.status: int | None = None  # exit code, or minus the signal that ended it
        self.deadline: float | None = None  # monotonic; when patience with a stop ends
        self.asked_by: int | None = None  # pid of who sent SIGTERM without `stop.json`
        self.stopped = False
        self.forced = False
        self.strays: set[int] = set()

    def hold(self) -> None:
        """Stay until the main process and everything else of the launcher have ended."""
        self.hear_a_stop(None)
        while self.status is None:
            if self.deadline is None:
                self.wait(None)
            elif (patience := self.deadline - time.monotonic()) > 0:
                self.wait(patience)
            else:
                self.forced = True
                for pid in descendants(os.getpid()):
                    send(pid, signal.SIGKILL)
                self.wait(0.05)
        self.end_strays()

    def wait(self, patience: float | None) -> None:
        """Sleep until a child ended, a stop was asked for, or `patience` seconds went by."""
        if patience is None:
            caught: signal.struct_siginfo | None = signal.sigwaitinfo(AWAITED)
        else:
            caught = signal.sigtimedwait(AWAITED, patience)
        self.reap()
        if caught is not None and caught.si_signo == signal.SIGTERM and self.status is None:
            self.hear_a_stop(caught.si_pid)

    def hear_a_stop(self, sender: int | None) -> None:
        """Ask the launcher's group to end; when asked again, the earlier deadline holds."""
        grace_s = grace_asked(self.folder)
        self.stopped = self.stopped or grace_s is not None
        if grace_s is None and sender is None:
            return
        if grace_s is None:
            self.asked_by = sender
            grace_s = DEFAULT_GRACE_S
        if self.deadline is None:
            send(-self.pid, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        self.deadline = deadline if self.deadline is None else min(deadline, self.deadline)

    def reap(self) -> None:
        """Take leave of every child that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = os.waitstatus_to_exitcode(status)

    def end_strays(self) -> None:
        """End what outlived the main process: SIGTERM, a short wait, SIGKILL."""
        begun = time.monotonic()
        kindly = begun + (0.0 if self.forced else STRAYS_GRACE_S)
        while (left := descendants(os.getpid())) and time.monotonic() < begun + STUCK_S:
            for pid in left:
                if time.monotonic() >= kindly:
                    send(pid, signal.SIGKILL)
                elif pid not in self.strays:
                    send(pid, signal.SIGTERM)
            self.strays |= left
            self.wait(0.05)

    def how_it_ended(self) -> dict[str, object]:
        """The facts for `ended.json`."""
        status = self.status or 0
        if self.stopped:
            cause = "stopped"
        elif status < 0 or self.asked_by is not None:
            cause = "killed"
        else:
            cause = "exited"
        return {
            "cause": cause,
            "code": status if status >= 0 else None,
            "signal": -status if status < 0 else None,
            "strays": len(self.strays),
            "detail": "; ".join(self.sentences(status)),
            "started": self.started,
        }

    def sentences(self, status: int) -> list[str]:
        """What people should know about the end."""
        said = []
        if self.asked_by is not None and not self.stopped:
            said.append(f"process {self.asked_by} sent its shim SIGTERM without a request to stop")
        if self.forced:
            said.append("did not end within its grace period and was killed")
        elif not self.stopped and self.asked_by is None and status < 0:
            often = " (often memory)" if status == -signal.SIGKILL else ""
            said.append(f"killed by signal {-status}, which we did not send{often}")
        if self.strays:
            said.append(f"processes that outlived it and were ended: {len(self.strays)}")
        return said


def grace_asked(folder: str) -> float | None:
    """The grace period of `stop.json` in seconds, or None when no stop was asked for."""
    import json  # noqa: PLC0415 -- takes as long as all other imports; the launcher runs first

    try:
        return float(json.loads(durable.read(f"{folder}/stop.json"))["grace_s"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT_GRACE_S


def write_end(folder: str, facts: dict[str, object]) -> None:
    """Write `ended.json`: from here on the launcher is over."""
    import json  # noqa: PLC0415 -- takes as long as all other imports; the launcher runs first

    text = json.dumps({"version": VERSION, **facts, "ended": utc()})
    insist(f"{folder}/ended.json", text)


def insist(path: str, text: str) -> None:
    """Write, however long the disk stays full; only a folder that is gone ends the trying."""
    while True:
        try:
            return durable.write(path, text.encode())
        except FileNotFoundError:
            return None
        except OSError as error:
            sys.stderr.write(f"{utc()} cannot write {path}, trying again: {error}\n")
            signal.sigtimedwait((), RETRY_S)


def claim(boot_id: str, launcher: str) -> str:
    """The text of `shim.json`: who holds the launcher, and who the launcher is."""
    shim = process(os.getpid())
    return (
        f'{{"version": {VERSION}, "boot_id": "{boot_id}", "shim": {shim}, "launcher": {launcher}}}'
    )


def process(pid: int) -> str:
    """A process as JSON that no reuse of pids can confuse."""
    return f'{{"pid": {pid}, "ticks": {start_ticks(pid)}}}'


def utc() -> str:
    """Now, in ISO-8601, to the millisecond."""
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"


def locked(path: str) -> bool:
    """Take the launcher's lock for life; False when another has it or the folder is removed."""
    try:
        descriptor = os.open(path, os.O_RDWR)  # closed by exec: not inherited by the launcher
        for _ in range(40):  # those who only look hold it for microseconds
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                signal.sigtimedwait((), 0.005)
            else:  # nobody removes a folder without its lock, so this stays true
                return os.fstat(descriptor).st_ino == os.stat(path).st_ino  # noqa: PTH116 -- slow
    except FileNotFoundError:
        return False
    return False


def exists(path: str) -> bool:
    """Whether a file is there."""
    return os.access(path, os.F_OK)


def spawn(command: list[str], log: int) -> int:
    """Start the launcher in its own session; an OSError says that it could not be executed."""
    silence = os.open(os.devnull, os.O_RDONLY)
    # Not os.environ: the interpreter may have added LC_CTYPE to it.
    items = [item.partition(b"=") for item in durable.read("/proc/self/environ").split(b"\0")]
    return os.posix_spawn(
        command[0],
        command,
        {name: value for name, sign, value in items if sign},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, silence, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=NORMAL_FOR_LAUNCHERS,
    )


def start(folder: str, boot_id: str, command: list[str]) -> Launcher | None:
    """Claim and start the launcher; None when there is nothing (more) to hold."""
    claimed = f"{folder}/shim.json"
    if not locked(f"{folder}/lock") or exists(claimed) or exists(f"{folder}/ended.json"):
        return None
    log = os.open(f"{folder}/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    durable.write(claimed, claim(boot_id, "null").encode())
    if exists(f"{folder}/stop.json"):
        write_end(folder, {"cause": "stopped", "detail": "asked to end before it started"})
        return None
    try:
        launcher = Launcher(folder, spawn(command, log))
    except OSError as error:
        detail = f"{command[0]} cannot be executed: {error.strerror}"
        write_end(folder, {"cause": "not started", "detail": detail})
        return None
    os.close(log)
    insist(claimed, claim(boot_id, process(launcher.pid)))
    return launcher


def main(folder: str, boot_id: str, report: str, *command: str) -> None:
    """Leave the daemon's family, then run and hold the launcher; closing REPORT_FD is the news."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir(folder)
    os.set_inheritable(int(report), False)  # noqa: FBT003 -- the function takes it so
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, (*AWAITED, *DEAF_TO))
    kernel = ctypes.CDLL(None)
    kernel.prctl(PR_SET_NAME, b"llmdbenchd-shim", 0, 0, 0)
    kernel.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    launcher = start(folder, boot_id, list(command))
    os.close(int(report))
    if launcher is not None:
        launcher.hold()
        write_end(folder, launcher.how_it_ended())
