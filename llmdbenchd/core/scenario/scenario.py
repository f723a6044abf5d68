"""What a scenario file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
