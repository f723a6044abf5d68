"""Environments on this machine: found where people keep them, and never somebody else's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmdbenchd.edge.environments import Environments, python_of
from llmdbenchd.ports import Refused


def virtual(place: Path) -> Path:
    """A real virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    return place


def pretended(place: Path) -> Path:
    """A folder with an executable `bin/python`."""
    python = place / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    return place


def test_a_real_one_is_found_by_name_and_by_path_and_runs(tmp_path: Path) -> None:
    real = virtual(tmp_path / "envs" / "mine")
    known = Environments({}, tmp_path / "envs")

    assert known.of("mine", "guidellm") == known.of(str(real), "guidellm") == real
    said = subprocess.check_output(
        [python_of(real), "-c", "import sys; print(sys.prefix)"], text=True
    )
    assert said.strip() == str(real)


@pytest.mark.parametrize(
    ("place", "variables"),
    [
        ("a/x", {"CONDA_ENVS_PATH": "{}/b:{}/a"}),
        ("conda/envs/x", {"CONDA_EXE": "{}/conda/bin/conda"}),
        ("mamba/envs/x", {"MAMBA_ROOT_PREFIX": "{}/mamba"}),
        ("h/.conda/envs/x", {"HOME": "{}/h"}),
        ("h/miniforge3/envs/x", {"HOME": "{}/h"}),
        ("h/miniconda3/envs/x", {"HOME": "{}/h"}),
        ("venvs/x", {}),
    ],
)
def test_a_name_is_looked_up_where_conda_and_we_keep_environments(
    tmp_path: Path, place: str, variables: dict[str, str]
) -> None:
    there = pretended(tmp_path / place)
    known = {name: value.replace("{}", str(tmp_path)) for name, value in variables.items()}

    assert Environments(known, tmp_path / "venvs").of("x", "guidellm") == there


def test_an_environment_anywhere_is_found_by_name_when_conda_has_listed_it(tmp_path: Path) -> None:
    there = pretended(tmp_path / "far" / "x")
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"nonsense\n/gone/x\n{there}\n")

    assert Environments({"HOME": str(tmp_path)}).of("x", "guidellm") == there


def test_the_usual_one_is_taken_if_it_is_there_and_none_is_no_mistake(tmp_path: Path) -> None:
    known = Environments({}, tmp_path)
    assert known.of(None, "guidellm") is None

    usual = pretended(tmp_path / "guidellm-runner")
    assert known.of(None, "guidellm") == usual
    assert known.of(None, "aiperf") is None


def test_a_named_one_that_is_not_there_says_where_was_looked(tmp_path: Path) -> None:
    known = Environments({"HOME": "/h", "CONDA_ENVS_PATH": "/c:relative"}, tmp_path)

    with pytest.raises(Refused) as refused:
        known.of("mine", "guidellm")

    said = str(refused.value)
    assert (
        f"no environment mine with a bin/python; looked in {tmp_path}, /c, /h/.conda/envs" in said
    )
    assert "relative" not in said
    with pytest.raises(Refused, match=f"looked for {tmp_path}/x/bin/python"):
        known.of(f"{tmp_path}/x", "guidellm")


def test_a_folder_without_a_python_that_can_be_executed_is_none(tmp_path: Path) -> None:
    python_of(pretended(tmp_path / "x")).chmod(0o644)

    for asked in ("x", f"{tmp_path}/x"):
        with pytest.raises(Refused, match="no environment"):
            Environments({}, tmp_path).of(asked, "guidellm")


@pytest.mark.parametrize("asked", ["..", ".hidden", "a/b", "./a", "/a/../b", "a\0b", "/a\0b"])
def test_what_is_neither_a_name_nor_an_absolute_path_is_refused(tmp_path: Path, asked: str) -> None:
    with pytest.raises(Refused, match="neither a name nor an absolute path"):
        Environments({}, tmp_path).of(asked, "guidellm")


def test_a_path_that_others_can_change_is_not_run_as_the_daemons_user(tmp_path: Path) -> None:
    place = pretended(tmp_path / "x")
    known = Environments({})
    for part in (place, place / "bin", place / "bin" / "python"):
        part.chmod(0o777)
        with pytest.raises(Refused, match=f"everybody can change {part}"):
            known.of(str(place), "guidellm")
        part.chmod(0o755)

    assert known.of(str(place), "guidellm") == place


def test_a_path_whose_python_is_a_link_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    elsewhere, place = pretended(tmp_path / "open" / "y"), pretended(tmp_path / "x")
    python_of(place).unlink()
    python_of(place).symlink_to(python_of(elsewhere))
    (tmp_path / "open").chmod(0o777)

    with pytest.raises(Refused, match=f"everybody can change {tmp_path}/open"):
        Environments({}).of(str(place), "guidellm")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_environment_is_not_run_as_the_daemons_user(tmp_path: Path) -> None:
    place = pretended(tmp_path / "x")
    os.chown(place / "bin", 1234, 0)
    with pytest.raises(Refused, match="the user 1234 can change"):
        Environments({}).of(str(place), "guidellm")

    os.chown(place / "bin", 0, 1234)
    (place / "bin").chmod(0o775)
    with pytest.raises(Refused, match="the group 1234 can change"):
        Environments({}).of(str(place), "guidellm")
