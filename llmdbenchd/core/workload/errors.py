"""The mistakes that a profile, its overrides or its variables can hold."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import yaml

_LONGEST_LISTING = 40


@dataclass(frozen=True, slots=True)
class WorkloadProblem:
    """One mistake, where it is and what to do about it.

    Attributes:
        file: the profile's name as people know it.
        line: counted from 1; 0 when no single line is to blame.
        subject: what is wrong: a token, an override's key, a profile's name.
        message: what is wrong with it, a phrase that follows the subject.
        hint: what to do, a sentence, or empty.
    """

    file: str
    line: int
    subject: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.subject} {self.message}".strip()
        return f"{where}: {what}. {self.hint}" if self.hint else f"{where}: {what}"


class WorkloadError(Exception):
    """A workload cannot be made; `problems` has every reason that was found, never none."""

    def __init__(self, problems: Sequence[WorkloadProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def not_yaml(file: str, error: yaml.YAMLError) -> WorkloadError:
    """The error for text that PyYAML cannot read, with the line when it knows one."""
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    message = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
    line = mark.line + 1 if mark else 0
    return WorkloadError(
        [WorkloadProblem(file, line, "the profile", f"is not valid YAML: {message}")]
    )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that names the nearest known name, or an empty text."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    nearest = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return f"Did you mean `{by_folded[nearest[0]]}`?" if nearest else ""


def listing(label: str, names: Iterable[str]) -> str:
    """`label: a, b, c.` without repetition, in the order given, cut when it is long."""
    unique = list(dict.fromkeys(names))
    shown, left_out = unique[:_LONGEST_LISTING], len(unique[_LONGEST_LISTING:])
    more = f" and {left_out} more" if left_out else ""
    return f"{label}: {', '.join(shown) or 'nothing'}{more}."
