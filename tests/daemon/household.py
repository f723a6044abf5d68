"""One whole daemon as people run it: a real process with folders of its own, killed at will.

Waiting is driven by the daemon's own log: each of its lines makes a waiter look again.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.files.records import Records

Answer = TypeVar("Answer")
Event = dict[str, Any]

WITHIN_S = 60.0  # for what takes a second; only a hanging test waits so long
GLANCE_S = 0.25  # between looks at what the log does not tell
FAKE = Path(__file__).parents[1] / "programs" / "inference-perf"


@dataclass(slots=True)
class Household:
    """Queue, state, archive and harnesses below `root`, and the daemon that serves them.

    Attributes:
        settings: the daemon's environment beside the folders, for example
            `{"LLMDBENCHD_MAX_ACTIVE_RUNS": "1"}`.
        config: a file of settings, if there is to be one.
        patience_s: how long anything is waited for, unless a test says otherwise.
    """

    root: Path
    settings: dict[str, str] = field(default_factory=dict)
    config: Path | None = None
    patience_s: float = WITHIN_S
    daemon: subprocess.Popen[bytes] | None = None
    events: list[Event] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _reader: threading.Thread | None = None

    def __post_init__(self) -> None:
        programs = self.root / "venvs" / "inference-perf" / "bin"
        programs.mkdir(parents=True)
        wrapper = programs / "inference-perf"  # never a link: a test may replace it
        wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{FAKE}" "$@"\n')
        wrapper.chmod(0o755)

    @property
    def queue(self) -> Path:
        """Where people drop job files."""
        return self.root / "queue"

    @property
    def state(self) -> Path:
        """The daemon's own folder."""
        return self.root / "state"

    @property
    def archive(self) -> Path:
        """Where sealed runs lie."""
        return self.root / "archive"

    @property
    def environment(self) -> dict[str, str]:
        """What the daemon and every command get; no cluster is configured in it."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get(
                "PYTHONPATH", ""
            ),  # the code that is tested, in a worktree
            "HOME": str(self.root),
            "LLMDBENCHD_QUEUE": str(self.queue),
            "LLMDBENCHD_STATE": str(self.state),
            "LLMDBENCHD_ARCHIVE": str(self.archive),
            "LLMDBENCHD_HARNESS_VENVS": str(self.root / "venvs"),
            "LLMDBENCHD_ENGINE": "local",
            "LLMDBENCHD_LOG_FORMAT": "json",
            "LLMDBENCHD_MIN_FREE": "1MiB",
            "LLMDBENCHD_SCAN_SECONDS": "1",
            **self.settings,
        }

    def start(self, *, ready: bool = True) -> None:
        """Start the daemon; returns when it says that it is ready, unless told not to wait."""
        before = len(self.events)
        self.spawn()
        if ready:
            self.wait_for("daemon.ready", lambda: self.told("daemon.ready", before))

    def spawn(self, *program: str) -> None:
        """Start the daemon's process, or another Python program in its place."""
        assert self.daemon is None, "there is one already"
        config = ("--config", str(self.config)) if self.config else ()
        self.daemon = subprocess.Popen(
            (sys.executable, *(program or ("-m", "llmdbenchd", "serve", *config))),
            env=self.environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, args=(self.daemon,))
        self._reader.start()

    def kill(self) -> None:
        """SIGKILL, as the kernel would when memory is short."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        return self._end(signal.SIGTERM)

    def exit_code(self) -> int:
        """Wait for the daemon's own end."""
        assert self.daemon is not None
        assert self._reader is not None
        code = self.daemon.wait(WITHIN_S)
        self._reader.join(WITHIN_S)  # the pipe ends with the daemon: no launcher may hold it
        assert not self._reader.is_alive(), "something still holds the daemon's stdout"
        self.daemon = self._reader = None
        return code

    def drop(self, name: str, mapping: Mapping[str, Any]) -> str:
        """Move a job file into the queue under its own id; returns the id, which is `name`."""
        outside = self.root / f"{name}.yaml"
        outside.write_text(yaml.safe_dump({"id": name, **mapping}))
        outside.rename(self.queue / outside.name)
        return name

    def run_job(self, name: str, mapping: Mapping[str, Any]) -> Record:
        """Drop a job of one run and wait for its end."""
        self.drop(name, mapping)
        return self.ended(name)

    def records(self, job: str) -> tuple[Record, ...]:
        """The records of a job; none while there is no such job."""
        return Records(self.state).read(job) if (self.state / "jobs" / job).is_dir() else ()

    def record(self, job: str, run: str = "r001") -> Record:
        """The record of one run."""
        return next(one for one in self.records(job) if one.run == run)

    def ended(self, job: str) -> Record:
        """Wait until all runs of a job are final; the first one's record."""
        self.wait_for(f"the end of {job}", lambda: self.is_over(job))
        return self.records(job)[0]

    def is_over(self, job: str) -> bool:
        """Whether all runs of a job are final."""
        records = self.records(job)
        return bool(records) and all(one.phase.is_final for one in records)

    def in_phase(self, job: str, phase: Phase) -> Record:
        """Wait until the first run of a job is in this phase (and not past it)."""

        def there() -> bool:
            records = self.records(job)
            assert not records or records[0].phase is phase or not records[0].phase.is_final
            return bool(records) and records[0].phase is phase

        self.wait_for(f"{job} to be {phase}", there)
        return self.records(job)[0]

    def told(self, name: str, since: int = 0, /, **facts: object) -> list[Event]:
        """The daemon's log lines of this event with these facts, over all of its lives."""
        return [
            event
            for event in self.events[since:]
            if event["event"] == name and all(event.get(key) == facts[key] for key in facts)
        ]

    def wait_for_event(self, name: str, **facts: object) -> Event:
        """Wait until the daemon has logged this."""
        return self.wait_for(f"{name} {facts}", lambda: self.told(name, **facts))[0]

    def wait_for(
        self,
        what: str,
        look: Callable[[], Answer],
        *,
        within_s: float | None = None,
        glance_s: float = GLANCE_S,
    ) -> Answer:
        """Wait until `look` answers something true; looks again at each line of the log."""
        deadline = time.monotonic() + (self.patience_s if within_s is None else within_s)
        while True:
            with self._changed:
                seen = len(self.events)
            was_running = self.daemon is None or self.daemon.poll() is None
            if answer := look():
                return answer
            assert was_running, f"the daemon ended while we waited for {what}: {self.tail()}"
            assert time.monotonic() < deadline, f"{what} did not come: {self.tail()}"
            with self._changed:
                if len(self.events) == seen:
                    self._changed.wait(glance_s)

    def tail(self) -> str:
        """The last of what the daemon said, for a test that fails."""
        return "\n".join([*map(str, self.events[-30:]), *self.other[-30:]])

    def cli(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command as a user would."""
        return subprocess.run(
            (sys.executable, "-m", "llmdbenchd", *words),
            env=self.environment,
            cwd=self.root,
            input=text,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )

    def asked(self, *words: str) -> str:
        """The stdout of a command that must succeed."""
        done = self.cli(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def processes(self) -> dict[int, str]:
        """Every living process that came out of this household, but not the daemon: its name."""
        mine, found = str(self.root.resolve()).encode(), {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    said = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                    if mine in said and state not in "ZX":
                        found[int(folder.name)] = (folder / "comm").read_text().strip()
                except OSError:  # it has just gone
                    continue
        if self.daemon is not None:
            found.pop(self.daemon.pid, None)
        return found

    def launcher_pid(self, name: str = "shim.json") -> int:
        """The main process of the only launcher there is, as its shim wrote it down."""
        [claim] = self.state.glob(f"local/*/{name}")
        return int(json.loads(claim.read_bytes())["launcher"]["pid"])

    def end_launchers(self) -> None:
        """End, by id, what a test left running by design."""

        def gone() -> bool:
            for pid in (left := self.processes()):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            return not left

        self.wait_for("every launcher's end", gone)

    def close(self) -> None:
        """Stop the daemon; nothing that it started may be left, and what is left is ended."""
        if self.daemon is not None:
            self.kill()
        left = self.processes()
        self.end_launchers()
        assert not left, f"processes were left behind: {left}"

    def _end(self, number: signal.Signals) -> int:
        assert self.daemon is not None
        self.daemon.send_signal(number)
        return self.exit_code()

    def _read(self, daemon: subprocess.Popen[bytes]) -> None:
        assert daemon.stdout is not None
        with daemon.stdout as lines:
            for line in lines:
                text = line.decode(errors="replace")
                try:
                    event = json.loads(text)
                except ValueError:  # a traceback, or a line that a kill has cut
                    self.other.append(text)
                    continue
                with self._changed:
                    self.events.append(event)
                    self._changed.notify_all()
