"""What a scenario file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Assigned:
    """One variable as the file leaves it.

    Attributes:
        text: its value; of a temporary file, what was written into it.
        line: where it was assigned last, from 1.
        missing: variables that its value refers to and that nobody has set; they are empty
            in it, as in a shell.
    """

    text: str
    line: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario.

    Attributes:
        file: its name as people know it.
        variables: by name, in the order of their first assignment.
    """

    file: str
    variables: Mapping[str, Assigned] = field(default_factory=dict)

    @classmethod
    def of(cls, file: str, texts: Mapping[str, str], lines: Mapping[str, int]) -> Self:
        """A scenario of values that stand somewhere else already, each at its line."""
        return cls(file, {name: Assigned(text, lines[name]) for name, text in texts.items()})

    def place(self, name: str) -> str:
        """FILE:LINE of a variable."""
        return f"{self.file}:{self.variables[name].line}"
