"""Scenarios in YAML, and which of the two languages a file is in."""

import pytest

from llmdbenchd.core.scenario.errors import ScenarioError
from llmdbenchd.core.scenario.reading import read_scenario


def read(text: str, file: str = "x.yaml") -> dict[str, tuple[str, int]]:
    found = read_scenario(text, file=file, given={})
    return {name: (one.text, one.line) for name, one in found.variables.items()}


def test_values_are_the_text_that_was_written() -> None:
    text = "# why\nA: 010\nB: no\nC: 1.50\nD:\nE: ''\nF: |\n  a\n  b\nG: ~\nH: '~'\n"

    assert read(text) == {
        "A": ("010", 2), "B": ("no", 3), "C": ("1.50", 4), "D": ("", 5), "E": ("", 6),
        "F": ("a\nb\n", 7), "G": ("", 10), "H": ("~", 11),
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing\n", "~\n"])
def test_a_scenario_may_say_nothing(text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- A\n", 1, "something else than a mapping"),
        ("A: 1\nscenario:\n  - x: 1\n", 3, "a mapping or list"),
        ("A: 1\nmy key: 2\n", 2, "a key that is no variable's name"),
        ("? [a]\n: 2\n", 1, "a key that is no variable's name"),
        ("A: 1\nA: 2\n", 2, "given twice"),
        ("A: 1\nB: [\n", 3, "not YAML"),
        ("A: \x00\n", 0, "not YAML"),
    ],
)
def test_anything_but_names_and_values_is_refused_with_its_line(
    text: str, line: int, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        read(text)

    assert caught.value.line == line


def test_the_files_ending_says_which_language_it_is_in() -> None:
    assert read("A: 1", "x.yml") == {"A": ("1", 1)}
    assert read("A=1", "x.sh") == {"A": ("1", 1)}
    with pytest.raises(ScenarioError):
        read("A: 1", "x.sh")
