"""A home to be audited: runs as they end, launchers of this machine, archives."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmdbenchd.core.job.names import launcher, run8
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.files.archive import Archive
from tests.cli.home import Home, Said
from tests.core.run.cases import record

INSTANCE = "cafe0123"


class Audited:
    """A home with one good run `j/r001`, and what the audit says of it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.keep("r001")
        self.seal("r001")
        (home.state / "instance").write_text(f"{INSTANCE}\n")

    def keep(self, run: str, phase: Phase = Phase.SUCCEEDED, **facts: object) -> None:
        self.home.keep(record(phase, run=run, **facts), engine="local")

    def seal(self, run: str) -> Path:
        archive = Archive(self.home.archive)
        folder = archive.staging("j", run) / "attempts/1/results/1"
        folder.mkdir(parents=True)
        (folder / "stage.json").write_text("{}")
        return archive.seal("j", run, attempt=1, documents={"run.json": b"{}"})

    def launcher(self, run: str, *, ended: bool = True, started: bool = True) -> Path:
        """A launcher's folder, as its shim leaves it."""
        name = launcher("inference-perf", run8(INSTANCE, "j", run), 1, 1, 1)
        folder = self.home.state / "local" / name
        (folder / "requests").mkdir(parents=True)
        (folder / "lock").touch()
        process = {"pid": 1, "ticks": 1}
        claim = {"version": 1, "boot_id": "b", "shim": process, "launcher": process}
        if started:
            (folder / "shim.json").write_text(json.dumps(claim))
        if ended:
            end = {"version": 1, "cause": "exited", "code": 0, "ended": "2026-11-24T12:00:00Z"}
            (folder / "ended.json").write_text(json.dumps(end))
        return folder

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """Somebody serves the queue."""
        with locked(self.home.queue):
            yield

    def call(self, *words: str) -> Said:
        return self.home.call("fsck", *words)

    def differences(self, *words: str, code: int = 1) -> list[dict[str, Any]]:
        said = self.call("--json", *words)
        assert said.code == code, said.out + said.err
        found: list[dict[str, Any]] = json.loads(said.out)["differences"]
        return found

    def kinds(self, *words: str, code: int = 1) -> list[str]:
        return [one["kind"] for one in self.differences(*words, code=code)]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file or a folder, as another process would."""
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)
