"""What a job file may name on this machine."""

import sys
from pathlib import Path

import pytest

from llmdbenchd.core.job.decoding import LARGEST
from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.workload.errors import WorkloadError
from llmdbenchd.edge.desk import FileDesk
from llmdbenchd.edge.files.profiles import Profiles
from llmdbenchd.settings import Settings


@pytest.fixture
def desk(tmp_path: Path) -> FileDesk:
    for folder in ("profiles/experiments", "scenarios", "more"):
        (tmp_path / folder).mkdir(parents=True)
    settings = Settings(scenarios=tmp_path / "scenarios", path_roots=(tmp_path / "more",))
    return FileDesk(Profiles(tmp_path / "profiles"), {}, settings)


@pytest.mark.parametrize(
    "file", ["profiles/x.yaml", "profiles/experiments/x.yaml", "scenarios/x.yaml", "more/x.yaml"]
)
def test_a_treatments_file_is_sought_in_every_folder_that_a_job_may_name(
    desk: FileDesk, tmp_path: Path, file: str
) -> None:
    (tmp_path / file).write_text("treatments: []")

    for name in ("x", "x.yaml", str(tmp_path / file)):
        found = desk.open_treatments(name)
        assert (found.file, found.text) == (name, "treatments: []")


@pytest.mark.parametrize("name", ["missing", "../outside", "{root}/outside.yaml"])
def test_a_treatments_file_that_is_missing_or_elsewhere_is_refused(
    desk: FileDesk, tmp_path: Path, name: str
) -> None:
    (tmp_path / "outside.yaml").write_text("treatments: []")

    with pytest.raises(WorkloadError, match=r"cannot be read|outside"):
        desk.open_treatments(name.format(root=tmp_path))


def test_a_job_is_read_with_the_environments_of_this_machine(tmp_path: Path) -> None:
    desk = FileDesk(Profiles(tmp_path), {}, Settings(harness_venvs=tmp_path / "venvs"))
    text = b"analyze_locally: true\nharness: {conda_env: mine}\n"
    reading = read_job(text, stem="x", environment={})

    (problem,) = desk.completed(reading, "local").problems
    assert (problem.line, problem.field) == (2, "harness.conda_env")
    assert f"looked in {tmp_path}/venvs" in problem.message

    python = tmp_path / "venvs" / "mine" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert desk.completed(reading, "local").problems == ()


def test_without_a_scenarios_folder_the_profiles_are_searched(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("a: 1")

    assert FileDesk(Profiles(tmp_path), {}, Settings()).open_treatments("x").text == "a: 1"


def test_a_workload_that_is_too_large_is_refused_and_never_cut(
    desk: FileDesk, tmp_path: Path
) -> None:
    (tmp_path / "more" / "big.yaml").write_text("# " + "x" * LARGEST)

    with pytest.raises(WorkloadError, match="is larger than 1048576 bytes"):
        desk.read_path(str(tmp_path / "more" / "big.yaml"))


def test_a_scenario_is_read_at_the_same_desk(desk: FileDesk, tmp_path: Path) -> None:
    (tmp_path / "scenarios" / "x.sh").write_text("A=1")

    assert desk.open_scenario("x").text == "A=1"
