"""Scenario files on disk."""

from pathlib import Path

import pytest

from llmdbenchd.core.scenario.errors import ScenarioError
from llmdbenchd.edge.files import scenarios
from llmdbenchd.edge.files.scenarios import Scenarios


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "scenarios"
    for name in ("guides/pd.sh", "guides/deep/wide.yaml", "examples/gpu.sh", "cicd/gpu.sh"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# {name}\n")
    return folder


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("pd", "guides/pd.sh"),
        ("pd.sh", "guides/pd.sh"),
        ("wide", "guides/deep/wide.yaml"),
        ("guides/pd", "guides/pd.sh"),
        ("deep/wide", "guides/deep/wide.yaml"),
        ("cicd/gpu", "cicd/gpu.sh"),
    ],
)
def test_a_name_is_sought_anywhere_below_the_folder_as_in_the_field(
    root: Path, name: str, file: str
) -> None:
    found = Scenarios(root).open(name)

    assert (found.file, found.text) == (file, f"# {file}\n")


def test_two_files_of_one_name_are_refused_by_name(root: Path) -> None:
    with pytest.raises(ScenarioError, match="2 scenarios") as caught:
        Scenarios(root).open("gpu")

    assert caught.value.hint == "name one: cicd/gpu.sh, examples/gpu.sh"


def test_a_link_to_a_scenario_is_no_second_one(root: Path) -> None:
    (root / "well-lit").symlink_to(root / "guides")
    (root / "pd.sh").symlink_to(root / "guides" / "pd.sh")

    assert Scenarios(root).open("pd").text == "# guides/pd.sh\n"


def test_a_link_that_leads_out_of_the_folder_is_none(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.sh").write_text("A=1")
    (root / "secret.sh").symlink_to(tmp_path / "secret.sh")

    with pytest.raises(ScenarioError, match="is not the name of a scenario"):
        Scenarios(root).open("secret")


def test_an_absolute_path_is_taken_as_it_is_below_folders_that_may_be_named(
    root: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.sh").write_text("A=1")

    assert Scenarios(root).open(str(root / "guides/pd.sh")).file == str(root / "guides/pd.sh")
    assert Scenarios(None, [other]).open(str(other / "x.sh")).text == "A=1"
    for path in (other / "x.sh", root / "../other/x.sh"):
        with pytest.raises(ScenarioError, match="outside"):
            Scenarios(root).open(str(path))


def test_a_name_never_leads_out_of_the_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "x.sh").write_text("A=1")

    with pytest.raises(ScenarioError, match="is not the name of a scenario"):
        Scenarios(root).open("../x.sh")


def test_a_name_that_is_none_is_answered_with_the_nearest(root: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenarios(root).open("pdd")

    assert caught.value.hint == 'did you mean "pd"?'


def test_without_a_folder_there_is_nothing_but_nothing() -> None:
    with pytest.raises(ScenarioError, match="no scenarios folder"):
        Scenarios(None).open("pd")

    assert Scenarios(None).open("none.sh").text == ""


def test_a_file_that_cannot_be_read_says_why(root: Path) -> None:
    (root / "latin.sh").write_bytes(b"A=1\nB=\xe9\n")
    (root / "folder.sh").mkdir()

    with pytest.raises(ScenarioError, match="not UTF-8") as caught:
        Scenarios(root).open("latin")
    assert caught.value.line == 2
    with pytest.raises(ScenarioError, match="Is a directory"):
        Scenarios(root).open(str(root / "folder.sh"))


def test_a_folder_of_other_things_is_not_searched_for_ever(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenarios, "_MOST", 3)

    with pytest.raises(ScenarioError, match="more than 3 files"):
        Scenarios(root).open("pd")
