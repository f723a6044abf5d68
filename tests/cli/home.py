"""A daemon's folders as it left them, for the commands that read them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llmdbenchd import cli
from llmdbenchd.core.job.accepted import encoded as encoded_job
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.files.inbox import prepare_queue
from llmdbenchd.edge.files.records import encoded
from tests.fakes.jobs import accepted


@dataclass(frozen=True)
class Said:
    """A command's exit code, and what it printed."""

    code: int
    out: str
    err: str


class Home:
    """The folder that the commands are called in, and what lies there."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.queue = folder / "queue"
        self.state = folder / ".llmdbenchd"
        self.archive = folder / "archive"
        self._capsys = capsys
        prepare_queue(self.queue)

    def keep(self, *records: Record, **fields: object) -> None:
        """These records are on disk; their jobs say these fields."""
        for one in records:
            folder = self.state / "jobs" / one.job
            (folder / "runs").mkdir(parents=True, exist_ok=True)
            (folder / "runs" / f"{one.run}.json").write_bytes(encoded(one))
            (folder / "spec.json").write_bytes(encoded_job(accepted(one.job, **fields)))  # type: ignore[arg-type]  # fields of a job

    def daemon_says(self, *, age_s: float = 0, **more: object) -> None:
        """The daemon wrote its status so long ago."""
        now = datetime.now(UTC) - timedelta(seconds=age_s)
        status = {"pid": 7, "started": now.isoformat(), "written": now.isoformat(), **more}
        self.state.mkdir(exist_ok=True)
        (self.state / "status.json").write_text(json.dumps(status))

    def live_log(self, one: Record, index: int, data: bytes) -> Path:
        """What was followed of a launcher's log so far."""
        folder = self.state / "live" / one.job / one.run / str(one.attempt)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"launcher-{index}.log"
        path.write_bytes(data)
        return path

    def kept_log(self, one: Record, index: int, data: bytes) -> None:
        """A launcher's log in the archive."""
        folder = self.archive / one.job / one.run / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"launcher-{index}.log").write_bytes(data)

    def call(self, *words: str) -> Said:
        """Say `llmdbenchd WORDS`."""
        code = cli.main(words)
        captured = self._capsys.readouterr()
        return Said(code, captured.out, captured.err)

    def json(self, *words: str) -> object:
        """What a command says to machines."""
        said = self.call(*words, "--json")
        assert said.code == 0, said.err
        return json.loads(said.out)
