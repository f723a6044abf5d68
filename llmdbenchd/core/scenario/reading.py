"""The door of the room: a scenario by the ending of its file."""

from collections.abc import Mapping

from llmdbenchd.core.scenario.mapping import read_mapping
from llmdbenchd.core.scenario.scenario import Scenario
from llmdbenchd.core.scenario.shell import read_shell

SUFFIXES = (".yaml", ".yml")


def read_scenario(text: str, *, file: str, given: Mapping[str, str]) -> Scenario:
    """Read a scenario: YAML if the file's name says so, else a shell's assignments.

    Args:
        text: the whole file.
        file: its name.
        given: the variables that a shell's scenario may refer to without assigning them.

    Raises:
        ScenarioError: where it holds something else, and what.
    """
    if file.endswith(SUFFIXES):
        return read_mapping(text, file=file)
    return read_shell(text, file=file, given=given)
