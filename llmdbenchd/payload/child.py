"""The harness as a child process: started once, asked to end, forced to end, reaped.

It gets a process group of its own, so that what it leaves behind can be ended with it and
so that a signal for the launcher's group reaches it once, through the launcher. The
launcher may be PID 1 of a container: then orphans come to it, and it reaps them.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable

from llmdbenchd.payload.contract import Code, Command, Refusal, program
from llmdbenchd.payload.tee import Tee

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
AGAIN_S = 2.0  # patience left after being asked to end a second time
TICK_S = 0.02
LOOK_S = 0.5  # between two looks for the stop file, where there can be one
LINGER_S = 1.0  # for what the harness left behind: to end by itself, then on SIGTERM, then to die


class Signals:
    """Signals as numbers in a pipe: none is lost, and no handler decides anything.

    Attributes:
        fd: readable when a signal has come.
    """

    def __init__(self) -> None:
        self.fd, write_end = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *STOPPING):
            is_ignored = signal.getsignal(number) is signal.SIG_IGN
            if number in {signal.SIGCHLD, signal.SIGTERM} or not is_ignored:  # nohup stays nohup
                signal.signal(number, _nothing)

    def read(self) -> bytes:
        """The numbers of the signals since the last call, in order."""
        try:
            return os.read(self.fd, 4096)
        except BlockingIOError:
            return b""


class Stop:
    """Whether we were asked to end, and until when the harness may take.

    Attributes:
        asked: number of the first signal that asked, or 0.
        deadline: monotonic time at which the harness is killed, or None.
    """

    def __init__(self, grace_s: float, file: str = "") -> None:
        self.asked = 0
        self._file = file  # how we are asked where nobody can send us a signal
        self.deadline: float | None = None
        reserve = min(10.0, max(1.0, grace_s / 5))  # for manifest and done mark
        self._patience_s = max(0.0, grace_s - reserve)

    def ask(self, numbers: bytes) -> bool:
        """Take note of signals; True when the harness must be told for the first time."""
        is_first = False
        for number in numbers:
            if number not in STOPPING:
                continue
            if not self.asked:
                self.asked, is_first = number, True
                self.deadline = time.monotonic() + self._patience_s
            else:
                self.deadline = min(self.deadline or 0.0, time.monotonic() + AGAIN_S)
        return is_first

    def look(self) -> bytes:
        """SIGTERM, as `Signals.read` tells it, when the stop file has come."""
        is_there = bool(self._file) and not self.asked and os.path.exists(self._file)
        return bytes([signal.SIGTERM]) if is_there else b""

    def patience_s(self) -> float | None:
        """How long to wait for anything else before the next look; None = for ever."""
        left_s = self.left_s()
        return LOOK_S if left_s is None and self._file else left_s

    def left_s(self) -> float | None:
        """Seconds until the harness is killed, or None while nobody asked."""
        return None if self.deadline is None else self.deadline - time.monotonic()


class Child:
    """One started harness.

    Attributes:
        pid: its process id, which is its process group's id as well.
        status: its wait status once it has ended.
    """

    def __init__(self, pid: int, strangers: set[int]) -> None:
        self.pid = pid
        self.status: int | None = None
        self._strangers = strangers
        self._has_children = True

    def reap(self) -> None:
        """Take leave of every child that has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._has_children = False
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = status

    def tell(self, number: int) -> None:
        """Send a signal to the harness itself, as a container's runtime would."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End the harness and its whole group by force."""
        os.killpg(self.pid, signal.SIGKILL)

    def left(self) -> set[int]:
        """Who is left of its group, or came to us as an orphan, and still lives."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            if not self._has_children:
                return set()
        except PermissionError:  # it is there, with another user's rights
            pass
        return _living(self.pid) - self._strangers


def start(command: Command) -> tuple[Child, int, int]:
    """Start `command`; returns it and the read ends of its stdout and stderr.

    Raises:
        Refusal: it cannot be executed; nothing was started.
    """
    path = program(command.argv[0], command.env)
    strangers = _inherited()
    (out, its_out), (err, its_err) = os.pipe(), os.pipe()
    try:
        pid = _spawn(path, command, its_out, its_err)
    except OSError as error:
        raise _not_startable(path, command, error) from error
    finally:
        os.close(its_out)
        os.close(its_err)
    return Child(pid, strangers), out, err


def attend(
    child: Child, tee: Tee, signals: Signals, stop: Stop, say: Callable[[str], None]
) -> None:
    """Pump until the harness itself has ended, which is forced when its time is up."""
    while child.status is None:
        left_s = stop.left_s()
        if left_s is not None and left_s <= 0:
            child.kill()
            has_news = tee.step(LINGER_S)
        else:
            has_news = tee.step(stop.patience_s())
        numbers = stop.look()
        if has_news:
            numbers += signals.read()
            child.reap()
        if child.status is None and stop.ask(numbers):
            child.tell(signal.SIGTERM)
            say(f"signal {stop.asked}: the harness has {stop.left_s():.0f} s to end")


def settle(child: Child, tee: Tee, signals: Signals, stop: Stop) -> str:
    """Pump the rest, and end what the harness left behind; returns a sentence about that."""
    steps = [(0, LINGER_S), (int(signal.SIGTERM), LINGER_S), (int(signal.SIGKILL), LINGER_S)]
    if stop.asked:  # the harness went first; the others get what is left of its time
        steps[:2] = [(int(signal.SIGTERM), max(LINGER_S, stop.left_s() or 0.0))]
    told = 0
    for number, patience_s in steps:
        for pid in child.left() if number else ():
            told = number
            _send(pid, number)
        if _is_over(child, tee, signals, stop, patience_s) or not child.left():
            break
    if stop.asked and told == signal.SIGTERM:
        told = 0  # to be stopped together with the harness is no fault
    said = f"the harness left processes behind, which were sent signal {told}" if told else ""
    held = "a process out of reach held its output open, which was cut" if tee.is_open else ""
    return " and ".join(part for part in (said, held) if part)


def _is_over(child: Child, tee: Tee, signals: Signals, stop: Stop, patience_s: float) -> bool:
    """Pump until nobody is left to write; False when patience, or our own time, is at an end."""
    begun = time.monotonic()
    while (left := child.left()) or tee.is_open:
        took_s = time.monotonic() - begun
        is_late = took_s >= LINGER_S and stop.asked and (stop.left_s() or 0.0) <= 0
        if is_late or took_s >= (patience_s if left else LINGER_S):
            return False
        if tee.step(TICK_S):
            numbers = signals.read()
            if stop.asked:  # whoever asks only now is told by our own exit, which is near
                stop.ask(numbers)
        child.reap()
    return True


def _spawn(path: str, command: Command, out: int, err: int) -> int:
    os.chdir(command.cwd)
    return os.posix_spawn(
        path,
        command.argv,
        command.env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, out, 1),
            (os.POSIX_SPAWN_DUP2, err, 2),
        ],
        setpgroup=0,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # Python ignores them; a harness does not
    )


def _not_startable(path: str, command: Command, error: OSError) -> Refusal:
    if not os.path.isdir(command.cwd):
        return Refusal(
            Code.WRONG_CONTRACT, "wrong contract", f"the folder {command.cwd} is not there"
        )
    reason = error.strerror or str(error)
    if error.errno == errno.ENOENT:
        reason = "the interpreter named in its first line is not there"
    return Refusal(Code.NOT_EXECUTABLE, "not executable", f"{path} cannot be executed: {reason}")


def _inherited() -> set[int]:
    """Children that we had before we started any: of whoever became us by exec."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return set()
    return _living(0)


def _living(group: int) -> set[int]:
    """Our children and the members of a process group, as far as they are no zombies.

    A group of zombies still takes signals, and where nobody reaps them it never ends.
    """
    me, found = os.getpid(), set()
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                state, parent, its_group = file.read().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue  # it has just ended
        if state not in {"Z", "X"} and (int(parent) == me or int(its_group) == group):
            found.add(int(name))
    return found


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # it has just ended, or took another user's rights


def _nothing(number: int, frame: object) -> None:
    """Stand in for a handler: the number is in the pipe already."""
