"""One real daemon for a figure: its folders, its process, its log, and a harness of no weight."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from llmdbenchd.settings import Settings, load

Event = dict[str, Any]

WITHIN_S = 120.0  # only ever spent when something is broken
HARNESS = "inference-perf"  # whose place the harness of no weight takes
NOWHERE = "http://127.0.0.1:9"  # nobody asks it


def job(env: Mapping[str, str], **more: object) -> dict[str, Any]:
    """A job file of one run whose harness gets these variables."""
    return {
        "endpoint": NOWHERE,
        "workload": "sanity_fixed",
        "share_target": True,
        "harness": {"name": HARNESS, "env": dict(env), **_pop_harness(more)},
        **more,
    }


def _pop_harness(more: dict[str, object]) -> dict[str, object]:
    names = [name for name in more if name.startswith("harness_")]
    return {name.removeprefix("harness_"): more.pop(name) for name in names}


@dataclass(slots=True)
class House:
    """Folders below `root`, and the daemon that serves them.

    Attributes:
        harness: the text of the program that stands for the harness.
    """

    root: Path
    harness: str = "#!/bin/sh\n"
    daemon: subprocess.Popen[bytes] | None = None
    _unread: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        program = self.root / "venvs" / HARNESS / "bin" / HARNESS
        program.parent.mkdir(parents=True)
        program.write_text(self.harness, encoding="utf-8")
        program.chmod(0o755)
        (self.root / "outside").mkdir()

    @property
    def environment(self) -> dict[str, str]:
        """The daemon's environment."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "LLMDBENCHD_QUEUE": str(self.root / "queue"),
            "LLMDBENCHD_STATE": str(self.root / "state"),
            "LLMDBENCHD_ARCHIVE": str(self.root / "archive"),
            "LLMDBENCHD_HARNESS_VENVS": str(self.root / "venvs"),
            "LLMDBENCHD_ENGINE": "local",
            "LLMDBENCHD_LOG_FORMAT": "json",
            "LLMDBENCHD_MIN_FREE": "1MiB",
        }

    @property
    def settings(self) -> Settings:
        """The daemon's settings."""
        loaded = load(None, self.environment, cwd=self.root)
        assert not loaded.problems
        return loaded.settings

    @contextmanager
    def running(self) -> Iterator["House"]:
        """The daemon's process for the length of the block, ready."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def start(self) -> float:
        """Start the daemon; seconds until it said that it is ready."""
        self._unread.clear()
        began = time.time()
        self.daemon = subprocess.Popen(
            (sys.executable, "-m", "llmdbenchd", "serve"),
            env=self.environment,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return at(self.wait_for("daemon.ready")[-1]) - began

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self.daemon is None:
            return
        self.daemon.send_signal(signal.SIGTERM)
        try:
            self.daemon.communicate(timeout=WITHIN_S)
        finally:
            self.daemon.kill()
        self.daemon = None

    def write(self, name: str, mapping: Mapping[str, Any]) -> Path:
        """A job file outside of the queue; its job will have this name as its id."""
        path = self.root / "outside" / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"id": name, **mapping}), encoding="utf-8")
        return path

    def move_in(self, file: Path) -> float:
        """Rename a file into the queue; the moment just before."""
        now = time.time()
        file.rename(self.root / "queue" / file.name)
        return now

    def copy_in(self, file: Path) -> float:
        """Copy a file into the queue as `cp` does; the moment after its close."""
        (self.root / "queue" / file.name).write_bytes(file.read_bytes())
        return time.time()

    def wait_for(self, name: str, **facts: object) -> list[Event]:
        """All events of the log from the last one read until this one, which is the last."""
        events = []
        deadline = time.monotonic() + WITHIN_S
        while True:
            event = self._next_event(deadline)
            events.append(event)
            if event["event"] == name and all(event.get(key) == facts[key] for key in facts):
                return events

    def _next_event(self, deadline: float) -> Event:
        assert self.daemon is not None
        assert self.daemon.stdout is not None
        pipe = self.daemon.stdout.fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(pipe, 1 << 16) if ready else b""
            if not part:
                raise RuntimeError(f"the daemon said no more: {bytes(self._unread)!r}")
            self._unread += part
        line, _, rest = bytes(self._unread).partition(b"\n")
        self._unread = bytearray(rest)
        try:
            event: Event = json.loads(line)
        except ValueError:
            return {"event": line.decode(errors="replace")}
        return event


def at(event: Event) -> float:
    """When an event was told, in seconds since 1970."""
    return datetime.fromisoformat(event["timestamp"]).timestamp()


def moved(events: list[Event], phase: str) -> float:
    """When the run came into this phase, by these events."""
    return next(at(one) for one in events if one["event"] == "run.moved" and one["now"] == phase)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process's threads by now, to the nanosecond; its children are left out."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return (
        sum(int((one / "schedstat").read_text(encoding="ascii").split()[0]) for one in tasks) / 1e9
    )


def resident_mib(pid: int) -> float:
    """Resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def stamps(file: Path) -> list[float]:
    """The moments that a harness wrote down with `date +%s%N`, in seconds since 1970."""
    return [int(line) / 1e9 for line in file.read_text(encoding="ascii").split()]
