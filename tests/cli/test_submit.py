"""A person submits a job file, and may wait for its end."""

import argparse
import asyncio
import io
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from llmdbenchd.cli import submit
from llmdbenchd.core.job.editing import own_id
from llmdbenchd.core.results.verdict import Outcome, Verdict
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.edge.files.claims import Claims, Order, submitted_id
from llmdbenchd.edge.files.inbox import Ready, _look_at, prepare_queue
from llmdbenchd.edge.files.records import Records, encoded
from tests.edge.files.make_samples import samples

VARIABLES = {"LLMDBENCH_HARNESS_NAME": "guidellm", "LLMDBENCH_X": 'a: "b" # ü'}


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    prepare_queue(tmp_path / "queue")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(submit, "process_environment", dict)
    return tmp_path / "queue"


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    submit.register(parser.add_subparsers())
    args = parser.parse_args(["submit", *words])
    code: int = args.run(args)
    return code


def dropped(queue: Path) -> Path:
    (path,) = queue.glob("*.yaml")
    return path


def serve(queue: Path, phases: dict[str, Phase]) -> None:
    """The daemon, in short: takes what lies there; its runs have ended already."""
    claims = Claims(queue, queue.parent / ".llmdbenchd", lambda name: submitted_id(name) or "x")
    claims.recover()
    looks = ((path.name, _look_at(path)) for path in queue.glob("*.yaml"))
    for taken in claims.take([Ready(name, look) for name, look in looks if look]).taken:
        job = own_id(taken.data.decode()) or taken.job
        verdict = Verdict(Outcome.FAILED, "launcher", "it broke")
        runs = {
            f"runs/{run}.json": encoded(
                replace(samples()["queued.json"], job=job, run=run, phase=phase, verdict=verdict)
            )
            for run, phase in phases.items()
        }
        for duplicate in claims.commit_many([Order(taken, job, runs)]):
            claims.reject(taken, str(duplicate))


def test_the_printed_id_is_the_name_under_which_the_file_lies(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "My Job.yaml").write_bytes(b"harness: nop  # as it is\n")
    assert call("My Job.yaml") == 0
    job = capsys.readouterr().out.strip()
    assert re.fullmatch(r"my-job-\d{8}t\d{6}-[0-9a-f]{4}", job)
    assert dropped(queue).name == f"{job}.yaml"
    assert submitted_id(dropped(queue).name) == job
    assert dropped(queue).read_bytes() == b"harness: nop  # as it is\n"
    assert dropped(queue).stat().st_mode & 0o777 == 0o640


def test_a_job_comes_from_stdin_and_has_the_name_that_was_given(
    queue: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    assert call("--name", "chat", "--queue", str(queue)) == 0
    assert capsys.readouterr().out.startswith("chat-")


def test_the_files_own_id_is_the_one_that_is_printed(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.yaml").write_text("id: mine\n", encoding="utf-8")
    assert call("x.yaml") == 0
    assert capsys.readouterr().out == "mine\n"
    assert dropped(queue).name.startswith("x-")


def test_the_callers_variables_go_along_and_credentials_do_not(
    queue: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secrets = {"LLMDBENCH_HF_TOKEN": "hf_abcdefghijk", "LLMDBENCH_DB_PASSWORD": "p"}
    others = {"HOME": "/root", "HF_TOKEN": "hf_abcdefghijk"}
    monkeypatch.setattr(submit, "process_environment", lambda: VARIABLES | secrets | others)
    (tmp_path / "x.yaml").write_text("harness: nop", encoding="utf-8")
    assert call("x.yaml") == 0
    text = dropped(queue).read_text(encoding="utf-8")
    assert yaml.safe_load(text) == {"harness": "nop", "submitted_environment": VARIABLES}
    error = capsys.readouterr().err
    assert all(name in error for name in secrets)
    assert "hf_" not in error + text


@pytest.mark.parametrize(
    ("phases", "code"),
    [
        ({"a": Phase.SUCCEEDED, "b": Phase.SUCCEEDED}, 0),
        ({"a": Phase.SUCCEEDED, "b": Phase.FAILED}, 1),
        ({"a": Phase.CANCELLED}, 1),
        ({"a": Phase.LEFT}, 1),
    ],
)
async def test_waiting_ends_well_only_if_all_runs_succeeded(
    queue: Path, tmp_path: Path, phases: dict[str, Phase], code: int
) -> None:
    name = "x-20260101t000000-abcd"
    (queue / f"{name}.yaml").write_text("{}", encoding="utf-8")
    waiting = submit.wait(submit.Submitted(name, f"{name}.yaml"), queue, Records(_state(tmp_path)))
    async with asyncio.TaskGroup() as tasks:
        result = tasks.create_task(waiting)
        await asyncio.sleep(60)
        assert not result.done()
        serve(queue, phases)
    assert result.result() == code


async def test_waiting_for_a_duplicate_tells_of_the_refusal_and_not_of_the_first_job(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("first.yaml", "x-20260101t000000-abcd.yaml"):
        (queue / name).write_text("id: mine\n", encoding="utf-8")
        serve(queue, {"a": Phase.SUCCEEDED})
    mine = submit.Submitted("mine", "x-20260101t000000-abcd.yaml")
    assert await submit.wait(mine, queue, Records(_state(tmp_path))) == 1
    assert "already known (dropped as first.yaml" in capsys.readouterr().err


def test_ctrl_c_says_that_the_job_goes_on(
    queue: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(submit, "wait", interrupted)
    (tmp_path / "x.yaml").write_text("{}", encoding="utf-8")
    assert call("x.yaml", "--wait") == 3
    said = capsys.readouterr()
    assert f"the job goes on: llmdbenchd status {said.out.strip()}" in said.err
    assert dropped(queue).exists()


@pytest.mark.parametrize("text", ["- a", "a: [", "just words", "a: 1\n---\nb: 2\n", "{" * 5000])
def test_what_is_no_job_file_is_not_dropped(queue: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    assert call("x.yaml") == 1
    assert list(queue.glob("*.yaml")) == []


def test_a_file_that_cannot_be_read_is_wrong_usage_and_a_lost_queue_is_not(
    queue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("nowhere.yaml") == 2
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    assert call("x.yaml") == 2
    (tmp_path / "x.yaml").write_bytes(b"{}")
    assert call("x.yaml", "--queue", str(queue / "nowhere")) == 3
    assert "folder is gone" in capsys.readouterr().err


def _state(tmp_path: Path) -> Path:
    return tmp_path / ".llmdbenchd"
