"""The shape of one row of the table of fields, variables and flags."""

from dataclasses import dataclass
from typing import Literal

Era = Literal["seed", "code", "later", "ours"]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a job can say, and all its names.

    Attributes:
        field: dotted path in the job file; empty where a variable or flag of the era has none.
        type: one word for people (`text`, `list`, `number`, `yes or no`, ...). Without a
            field it says what becomes of the variable: `kept` (recorded, and there for
            tokens and `env_to_pod`), `derived`, `setting` (the daemon's), `credential` (refused).
        default: the default as people read it.
        meaning: one line.
        variables: the era's variables, the one that wins first.
        flags: run.sh's flags, short form first.
        era: where the names come from: the `seed`'s text, the era's `code`, a `later`
            version, or `ours`.
        part: which value of a flag that takes several, joined by commas (from 1).
        constant: what the flag sets, for a flag without a value; else empty.
    """

    field: str
    type: str
    default: str
    meaning: str
    variables: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    era: Era = "ours"
    part: int = 0
    constant: str = ""
