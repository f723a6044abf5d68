"""A person who used run.sh says the same thing to `submit`, with the same flags."""

import argparse
import io
import sys
from pathlib import Path

import pytest
import yaml

from llmdbenchd.cli import submit
from llmdbenchd.core.job.jobfile import Reading, read_job
from llmdbenchd.core.job.row import Row
from llmdbenchd.core.job.treatment_files import TreatmentsFile, read_file
from llmdbenchd.core.job.variables import TABLE
from llmdbenchd.edge.files.inbox import prepare_queue
from tests.core.job.test_treatments import ERA, TODAY


class Caller:
    """Somebody at a terminal, with a queue, files and variables of their own."""

    def __init__(self, folder: Path) -> None:
        self.queue = folder / "queue"
        self.environment: dict[str, str] = {}
        prepare_queue(self.queue)

    def submits(self, *words: str) -> int:
        parser = argparse.ArgumentParser()
        submit.register(parser.add_subparsers())
        args = parser.parse_args(["submit", "--queue", str(self.queue), *words])
        code: int = args.run(args)
        return code

    @property
    def text(self) -> str:
        (path,) = self.queue.glob("*.yaml")
        return path.read_text(encoding="utf-8")

    @property
    def job(self) -> dict[str, object]:
        loaded: dict[str, object] = yaml.safe_load(self.text)
        return loaded

    @property
    def reading(self) -> Reading:
        return read_job(self.text.encode(), stem="x", environment={})


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    caller = Caller(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(submit, "process_environment", lambda: caller.environment)
    return caller


VALUES = {
    "number": "7",
    "seconds": "77",
    "list": "LLMDBENCH_A,LLMDBENCH_B",
    "mapping or text": "min=20,max=30",
    "text or mapping": "other.yaml",
    "URL": "http://h/x",
    "text": "some-text",
    "kept": "gs://bucket",
}
EVERY_FLAG = [
    (row, flag)
    for row in TABLE
    for flag in row.flags
    if flag != "--wait"  # alone it is ours: see below
]


@pytest.mark.parametrize("spelling", ["{} {}", "{}={}"])
@pytest.mark.parametrize(
    ("row", "flag"), EVERY_FLAG, ids=lambda one: one if isinstance(one, str) else one.field
)
def test_every_flag_of_run_sh_reaches_what_it_is_about_in_both_spellings(
    caller: Caller, row: Row, flag: str, spelling: str
) -> None:
    value = "one,two" if row.part or row.field == "methods" else VALUES.get(row.type, "true")
    words = [flag] if row.constant else spelling.format(flag, value).split(" ")

    assert caller.submits(*words) == 0

    reading = caller.reading
    assert reading.problems == ()
    if row.field:
        assert reading.values[row.field].origin == "job file"
    else:
        assert caller.job == {"variables": {row.variables[0]: row.constant or value}}


def test_help_tells_of_every_flag_and_what_it_writes(
    capsys: pytest.CaptureFixture[str], caller: Caller
) -> None:
    with pytest.raises(SystemExit):
        caller.submits("--help")
    told = " ".join(capsys.readouterr().out.split())
    for row, flag in EVERY_FLAG:
        assert flag in told
        assert row.field in told
        assert all(name in told for name in row.variables)


def test_a_value_that_holds_an_equals_sign_is_not_cut(caller: Caller) -> None:
    assert caller.submits("-o=min=20,max=30", "--endpoint-url=http://h/v1;a=b") == 0

    assert caller.reading.values["overrides"].value == {"min": 20, "max": 30}
    assert caller.reading.values["endpoint"].value == "http://h/v1;a=b"


def test_an_override_with_commas_and_equals_signs_is_quoted(caller: Caller) -> None:
    assert caller.submits("-o", 'a.b="x,y=z",c=[1,2],total_count=200') == 0

    expected = {"a.b": "x,y=z", "c": [1, 2], "total_count": 200}
    assert caller.reading.values["overrides"].value == expected


def test_two_namespaces_come_in_one_flag_and_one_namespace_serves_both(caller: Caller) -> None:
    assert caller.submits("-p", "stack, load") == 0
    assert caller.job == {"namespace": "stack", "harness": {"namespace": "load"}}
    (dropped,) = caller.queue.glob("*.yaml")
    dropped.unlink()
    assert caller.submits("-p", "stack") == 0
    spec = caller.reading.spec
    assert spec is not None
    assert spec.harness_namespace == "stack"


@pytest.mark.parametrize("words", [("-p", "a,b,c"), ("-p", "a,"), ("-o", " ")])
def test_a_flag_without_the_value_that_it_wants_is_wrong_usage(
    caller: Caller, capsys: pytest.CaptureFixture[str], words: tuple[str, str]
) -> None:
    assert caller.submits(*words) == 2
    assert capsys.readouterr().err.startswith(f"{words[0]} wants ")
    assert list(caller.queue.glob("*.yaml")) == []


@pytest.mark.parametrize("flag", ["--experimentz", "--work", "-y"])
def test_an_unknown_flag_is_wrong_usage_and_no_flag_is_guessed(caller: Caller, flag: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        caller.submits(flag, "x")
    assert stopped.value.code == 2


def test_flags_are_stronger_than_the_file_and_leave_the_rest_of_it(caller: Caller) -> None:
    Path("x.yaml").write_text("models: a/b  # mine\nharness: guidellm\n")

    assert caller.submits("x.yaml", "-m", "c/d", "-j", "2") == 0

    assert caller.text == "models: c/d  # mine\nharness: {name: guidellm, parallelism: 2}\n"


def test_wait_with_a_number_is_run_shs_and_without_one_it_is_ours(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[str] = []

    async def wait(submitted: submit.Submitted, *_: object) -> int:
        followed.append(submitted.dropped)
        return 0

    monkeypatch.setattr(submit, "wait", wait)
    Path("x.yaml").write_text("{}")

    assert caller.submits("x.yaml", "--wait", "600") == 0
    assert followed == []
    assert caller.job == {"harness": {"wait_timeout": 600}}
    assert caller.submits("--wait", "x.yaml") == 0
    assert caller.submits("x.yaml", "-s", "0", "--wait") == 0
    assert len(followed) == 2
    assert caller.submits("x.yaml", "--wait", "y.yaml") == 2


def test_without_a_file_and_without_flags_the_job_comes_from_stdin(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"repeat: 3")))

    assert caller.submits() == 0
    assert caller.job == {"repeat": 3}


WORKLOAD = "load:  # a comment\n  rate: 1\nmodel: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL\n"


@pytest.mark.parametrize("word", ["{}/mine/chat.yaml.in", "./mine/chat.yaml.in", "mine/chat"])
def test_a_local_workload_goes_along_word_for_word(
    caller: Caller, tmp_path: Path, word: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/chat.yaml.in").write_text(WORKLOAD)

    assert caller.submits("-w", word.format(tmp_path)) == 0

    assert caller.job == {"workload": {"file": "chat.yaml.in", "text": WORKLOAD}}


def test_a_path_in_the_file_begins_where_the_file_lies(caller: Caller, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/w.yaml").write_text("a: 1\n")
    (tmp_path / "mine/x.yaml").write_text("workload: ./w.yaml\ntreatments: ./t\n")
    (tmp_path / "mine/t.yaml").write_text("run:\n  factors: [a, b]\n  treatments: ['01,x']\n")

    assert caller.submits("mine/x.yaml") == 0

    assert caller.job == {
        "workload": {"file": "w.yaml", "text": "a: 1\n"},
        "treatments": {"run": {"factors": ["a", "b"], "treatments": ["01,x"]}},
    }


def test_a_name_means_a_profile_even_when_a_file_of_that_name_lies_here(caller: Caller) -> None:
    Path("sanity_random.yaml").write_text("a: 1")

    assert caller.submits("-w", "sanity_random.yaml") == 0
    assert caller.job == {"workload": "sanity_random.yaml"}


def test_a_path_that_is_not_here_is_left_to_the_daemon_and_told(
    caller: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    assert caller.submits("-w", "/srv/w.yaml") == 0
    assert caller.job == {"workload": "/srv/w.yaml"}
    assert "/srv/w.yaml is not here" in capsys.readouterr().err


def test_a_path_in_the_callers_variable_goes_along_unless_something_nearer_is_said(
    caller: Caller, tmp_path: Path
) -> None:
    (tmp_path / "w.yaml").write_text("a: 1\n")
    caller.environment = {"LLMDBENCH_HARNESS_EXPERIMENT_PROFILE": str(tmp_path / "w.yaml")}

    assert caller.submits("-m", "a/b") == 0
    assert caller.job["workload"] == {"file": "w.yaml", "text": "a: 1\n"}
    next(caller.queue.glob("*.yaml")).unlink()
    assert caller.submits("-w", "other") == 0
    assert caller.text.startswith("workload: other\n")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("mine.sh", "export LLMDBENCH_HF_TOKEN={}\nexport LLMDBENCH_HARNESS_NAME=nop\n"),
        ("mine.yaml", "LLMDBENCH_HF_TOKEN: '{}'\nLLMDBENCH_HARNESS_NAME: nop\n"),
    ],
)
def test_a_scenario_goes_along_without_its_credentials(
    caller: Caller, capsys: pytest.CaptureFixture[str], name: str, line: str
) -> None:
    Path(name).write_text(line.format("hf_abcdefghijklm"))

    assert caller.submits("-c", "./mine") == 0

    assert caller.job == {"scenario": {"LLMDBENCH_HARNESS_NAME": "nop"}}
    assert f"{name}:1: LLMDBENCH_HF_TOKEN holds a credential: it is neither used nor kept" in (
        capsys.readouterr().err
    )


def test_a_scenario_is_read_with_the_callers_variables_where_they_are(
    caller: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.sh").write_text(
        "export LLMDBENCH_A=$HOME/a-$LLMDBENCH_HARNESS_NAME\n"
        "export LLMDBENCH_HARNESS_CPU_NR=$MY_PASSWORD$LLMDBENCH_CPUS\n"
        "export LLMDBENCH_EMPTY=\n"
    )
    caller.environment = {"HOME": "/home/me", "MY_PASSWORD": "12345", "LLMDBENCH_CPUS": "010"}

    assert caller.submits("-c", "./mine.sh") == 0

    assert caller.job["scenario"] == {
        "LLMDBENCH_A": "/home/me/a-inference-perf",
        "LLMDBENCH_HARNESS_CPU_NR": "010",
        "LLMDBENCH_EMPTY": "",
    }
    assert "12345" not in caller.text
    told = capsys.readouterr().err
    assert "mine.sh:2: LLMDBENCH_HARNESS_CPU_NR refers to MY_PASSWORD, which nobody" in told


def test_a_scenario_without_variables_still_takes_the_place_of_its_path(caller: Caller) -> None:
    Path("mine.sh").write_text("# nothing yet\n")

    assert caller.submits("-c", "./mine.sh") == 0
    assert caller.job == {"scenario": {}}
    assert caller.reading.problems == ()


def test_a_scenario_that_is_more_than_assignments_stops_the_job_with_its_line(
    caller: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.sh").write_text("\nif true; then\n")

    assert caller.submits("-c", "./mine.sh") == 1
    assert "mine.sh:2: a condition (`if`)" in capsys.readouterr().err
    assert list(caller.queue.glob("*.yaml")) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"token: hf_abcdefghijklm", "credential"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * (2**20 + 1), "is larger than"),
    ],
)
def test_a_local_file_that_cannot_go_along_stops_the_job(
    caller: Caller, capsys: pytest.CaptureFixture[str], content: bytes, why: str
) -> None:
    Path("w.yaml").write_bytes(content)

    assert caller.submits("-w", "./w.yaml") == 1
    assert why in capsys.readouterr().err
    assert list(caller.queue.glob("*.yaml")) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "is not YAML"),
        ("- a", "t.yaml:1: 0 wants a mapping"),
        ("just words", "t.yaml:1: the file is a text"),
        ("run:\n  factors: &f [a]\n  treatments: [1]\n", "t.yaml:2: uses an anchor"),
        ("constants: {}\ntreatment: []\n", "t.yaml:2: treatment is not a field"),
        ("", "t.yaml:1: "),
    ],
)
def test_treatments_that_are_none_stop_the_job_with_their_line(
    caller: Caller, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    Path("t.yaml").write_text(text)

    assert caller.submits("-e", "./t.yaml") == 1
    assert told in capsys.readouterr().err
    assert list(caller.queue.glob("*.yaml")) == []


@pytest.mark.parametrize("text", [ERA, f"# theirs\n{TODAY}", '- {name: "007", a: "1:30", b: 1.5}'])
def test_an_experiment_that_goes_along_is_the_one_that_the_daemon_would_have_read(
    caller: Caller, text: str
) -> None:
    Path("t.yaml").write_text(text)
    document, _ = read_file(TreatmentsFile("t.yaml", text))

    assert caller.submits("-e", "./t.yaml") == 0

    spec = caller.reading.spec
    assert spec is not None
    assert spec.treatments == document


def test_no_local_file_is_read_because_a_variable_names_it(caller: Caller, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("users: secret")
    caller.environment = {"LLMDBENCH_BASE64_CONTEXT_CONTENTS": str(tmp_path / "kubeconfig")}

    assert caller.submits("-m", "a/b") == 0
    assert "secret" not in caller.text
