"""`llmdbenchd check`: what a person and a machine are told of a job file."""

import argparse
import json
from pathlib import Path

import pytest

from llmdbenchd.cli import check, schema

PROFILE = """\
# a profile
load:
  stages:
  - {rate: 1, duration: 30}
server:
  base_url: REPLACE_ENV_LLMDBENCH_HARNESS_STACK_ENDPOINT_URL
  model_name: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL
data:
  input_distribution: {min: 10}
  output_distribution: {min: 10}
"""
GOOD = """\
endpoint: http://h:8000
models: a/b-1b,c/d
harness: {parallelism: 2}
overrides: min=20
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with profiles, and a home without a cluster."""
    shelf = tmp_path / "profiles" / "inference-perf"
    shelf.mkdir(parents=True)
    (shelf / "sanity_random.yaml.in").write_text(PROFILE)
    (shelf / "needs.yaml.in").write_text("a: REPLACE_ENV_LLMDBENCH_MISSING\nmin: 1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "LLMDBENCH_HARNESS_CPU_NR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def call(folder: Path, text: str, *options: str) -> int:
    (folder / "job.yaml").write_text(text)
    return told(str(folder / "job.yaml"), "--profiles", str(folder / "profiles"), *options)


def told(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    check.register(commands)
    args = parser.parse_args(["check", *arguments])
    code: int = args.run(args)
    return code


def test_a_good_job_ends_with_the_list_of_its_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(folder, GOOD) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split() == ["r001", "a/b-1b", "endpoint", "1", "sanity_random.yaml", "2"]
    assert lines[-1].split()[:2] == ["r002", "c/d"]


def test_five_mistakes_are_five_findings_with_their_lines(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "endpont: x\nrepeat: 0\nharness: {cpus: 1}\noverrides: {mim: 2}\nengine: lokal\n"

    assert call(folder, text) == 1

    out = capsys.readouterr().out
    places = [line.split(":")[1] for line in out.splitlines() if line.startswith(str(folder))][:5]
    assert places == ["1", "2", "3", "4", "5"]
    assert out.splitlines()[-1].endswith("job.yaml: 5 mistakes")
    assert "r001" not in out


def test_a_machine_is_told_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, GOOD, "--json") == 0

    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is True
    assert found["problems"] == []
    assert found["values"]["harness.parallelism"] == {"value": 2, "origin": "job file"}
    assert found["values"]["repeat"] == {"value": 1, "origin": "default"}
    first, second = found["runs"]
    assert (first["run"], first["model"], first["method"]) == ("r001", "a/b-1b", "endpoint")
    assert (first["treatment"], first["repetition"]) == ("", 1)
    assert "model_name: c/d" in second["workload"]
    assert "base_url: http://h:8000" in second["workload"]
    assert first["workload"].count("min: 20") == 2
    assert len(first["launchers"]) == 2
    plan = first["launchers"][0]
    assert plan["files"][0]["text"] == first["workload"]
    assert plan["env"]["LLMDBENCH_CONTROL_WORK_DIR"] == f"/requests/{plan['results_folder']}"


def test_a_scenarios_values_are_explained_with_its_file_and_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "scenarios" / "guides").mkdir(parents=True)
    (folder / "scenarios" / "guides" / "pd.sh").write_text("\nexport LLMDBENCH_HARNESS_CPU_NR=3\n")
    monkeypatch.setenv("LLMDBENCHD_SCENARIOS", str(folder / "scenarios"))

    assert call(folder, GOOD + "scenario: pd\n", "--explain") == 0
    shown = next(
        line for line in capsys.readouterr().out.splitlines() if line.startswith("harness.cpu ")
    )
    assert shown.split(maxsplit=2) == [
        "harness.cpu", "3", "scenario guides/pd.sh:2 (LLMDBENCH_HARNESS_CPU_NR)"
    ]  # fmt: skip

    call(folder, GOOD + "scenario: pd\n", "--json")
    assert json.loads(capsys.readouterr().out)["values"]["harness.cpu"] == {
        "value": "3",
        "origin": "scenario",
        "place": "guides/pd.sh:2",
    }


def test_treatments_have_a_column_where_there_are_some(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "profiles" / "sweep.yaml").write_text("treatments: [{name: fast, rate: 30}, {}]")

    assert call(folder, GOOD + "treatments: sweep\n") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "same workload" not in "".join(lines)
    assert [line.split()[3] for line in lines[-5:]] == ["treatment", "fast", "t1", "fast", "t1"]


def test_a_machine_is_told_every_mistake(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "repeat: 0\n", "--json") == 1

    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert found["runs"] == []
    assert found["problems"][0] == {
        "line": 1,
        "column": 9,
        "field": "repeat",
        "message": "wants 1 to 1000",
        "hint": "",
    }


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("endpoint: http://h\nworkload: sanity\n", 2, "workload"),
        ("endpoint: http://h\nworkload: needs\n", 2, "workload"),
        ("endpoint: http://h\nharness: inference-perv\n", 2, "harness.name"),
        ("endpoint: http://h\noverrides:\n  min: 1\n  mim: 2\n", 4, "overrides.mim"),
        ("endpoint: http://h\nworkload: {a: REPLACE_ENV_LLMDBENCH_NO}\n", 2, "workload"),
        ("endpoint: http://h\nworkload: ../elsewhere.yaml\n", 2, "workload"),
        ("endpoint: http://h\nstorage: {claim: c}\n", 2, "storage.claim"),
        ("models: a\n", 1, "endpoint"),
    ],
)
def test_a_workload_or_engine_that_cannot_be_is_found_at_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, line: int, field: str
) -> None:
    assert call(folder, text, "--json") == 1

    found = json.loads(capsys.readouterr().out)["problems"]
    assert [(one["line"], one["field"]) for one in found] == [(line, field)]


def test_a_wrong_override_does_not_hide_a_missing_variable(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(folder, "endpoint: http://h\nworkload: needs\noverrides: {mim: 2}\n", "--json")

    found = json.loads(capsys.readouterr().out)["problems"]
    assert [one["field"] for one in found] == ["workload", "overrides.mim"]


def test_an_engine_that_cannot_do_it_is_named_only_when_all_else_is_right(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(folder, "storage: {claim: c}\nrepeat: 0\n", "--json")

    found = json.loads(capsys.readouterr().out)["problems"]
    assert [one["field"] for one in found] == ["repeat"]


def test_an_engine_may_be_asked_about(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, GOOD, "--engine", "kubernetes", "--json") == 0

    answer = json.loads(capsys.readouterr().out)
    assert answer["engine"]["name"] == "kubernetes"
    assert answer["values"]["harness.image"]["value"].startswith("ghcr.io/llm-d/")


def test_a_configured_cluster_is_what_auto_means(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".kube").mkdir()
    (folder / ".kube" / "config").write_text("{}")

    assert call(folder, GOOD, "--json") == 0
    assert json.loads(capsys.readouterr().out)["engine"]["name"] == "kubernetes"


def test_the_list_of_what_goes_into_a_launcher_is_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        f"{GOOD}engine: kubernetes\nhf_token: {{secret: s}}\nvariables: {{LLMDBENCH_RUN_X: '7'}}\n"
    )

    assert call(folder, text, "--explain") == 0

    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["LLMDBENCH_RUN_X", "7"] in lines
    assert ["LLMDBENCH_HARNESS_NAME", "inference-perf"] in lines
    assert ["HF_TOKEN", "key HF_TOKEN of the secret s"] in lines


def test_every_value_is_explained_with_its_origin(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMDBENCH_HARNESS_CPU_NR", "4")

    assert call(folder, GOOD, "--explain") == 0

    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "daemon environment (LLMDBENCH_HARNESS_CPU_NR)" in rows["harness.cpu"]
    assert rows["harness.parallelism"].endswith("job file")
    assert rows["repeat"].endswith("default")
    assert rows["harness.cpu"].index("daemon") == rows["repeat"].index("default")


def test_stages_that_outlast_the_patience_are_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "endpoint: http://h\nharness:\n  wait_timeout: 20\n"

    assert call(folder, text, "--json") == 0

    (found,) = json.loads(capsys.readouterr().out)["warnings"]
    assert (found["line"], found["field"]) == (3, "harness.wait_timeout")
    assert "30 s" in found["message"]


def test_a_path_below_the_profiles_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "endpoint: http://h\nworkload: inference-perf/sanity_random.yaml.in\n"

    assert call(folder, text, "--json") == 0
    assert "base_url: http://h" in json.loads(capsys.readouterr().out)["runs"][0]["workload"]


def test_a_file_that_is_not_there_cannot_be_judged(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(str(folder / "none.yaml"), "--profiles", str(folder)) == 3

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "cannot be read" in captured.err


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    schema.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["schema", "job"])

    assert args.run(args) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "llmdbenchd job file"
