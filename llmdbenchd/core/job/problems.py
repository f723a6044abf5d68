"""The room of mistakes: what is wrong, where, and what to do about it."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from llmdbenchd.core.job.credentials import masked

_WIDEST = 100  # columns of an excerpt; a longer line is cut around the caret
_LONGEST_QUOTE = 60
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    Attributes:
        line: line in the job file, from 1; 0 when the mistake is not in the file
            (the daemon's environment).
        column: column in characters, from 1; 0 likewise.
        field: dotted path of the field, or empty when the text as a whole is meant.
        message: what is wrong, without a full stop.
        hint: what to do about it, or empty.
    """

    line: int
    column: int
    field: str
    message: str
    hint: str = ""


def in_line_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems as a reader meets them; those outside of the file come last."""
    return tuple(sorted(problems, key=lambda one: (one.line == 0, one.line, one.column, one.field)))


def show(problem: Problem, text: str, file: str) -> str:
    """A problem as people read it: place, message, the line with a caret, the hint.

    Args:
        problem: what to show.
        text: the job file's text; empty when it could not be decoded (no line is shown).
        file: the file's name, as the reader knows it.

    Returns:
        One to four lines without a newline at the end. Values that look like
        credentials are masked.
    """
    what = f"{problem.field}: {problem.message}" if problem.field else problem.message
    if problem.line == 0:
        shown = [f"{file}: {what}"]
    else:
        shown = [f"{file}:{problem.line}:{problem.column}: {what}", *_excerpt(problem, text)]
    if problem.hint:
        shown.append(f"    hint: {problem.hint}")
    return "\n".join(shown)


def did_you_mean(word: str, known: Iterable[str], *, alike: float = 0.6) -> str:
    """`did you mean "..."?` for the known word nearest to `word`, or empty.

    Args:
        word: what was written.
        known: what could have been meant.
        alike: how much of both words must agree, 0 to 1.
    """
    if len(word) > _LONGEST_QUOTE:
        return ""
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=alike)
    return f'did you mean "{by_lower[near[0]]}"?' if near else ""


def quoted(text: str) -> str:
    """The text between back quotes: one line, printable, masked, at most 60 characters."""
    safe = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", masked(text))
    return f"`{safe}`" if len(safe) <= _LONGEST_QUOTE else f"`{safe[: _LONGEST_QUOTE - 1]}…`"


def lines_of(text: str) -> list[str]:
    """The lines as YAML counts them (`str.splitlines` knows more line ends than YAML)."""
    return re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)


def _excerpt(problem: Problem, text: str) -> list[str]:
    lines = lines_of(text)
    if problem.line > len(lines) or not lines[problem.line - 1].strip():
        return []
    line = _UNPRINTABLE.sub(" ", masked(lines[problem.line - 1]))
    caret = min(problem.column - 1, len(line))
    line, caret = _window(line, caret)
    return [f"    {line}", f"    {' ' * _width(line[:caret])}^"]


def _window(line: str, caret: int) -> tuple[str, int]:
    """The part of a long line around the caret, and where the caret is in it."""
    if len(line) <= _WIDEST:
        return line, caret
    start = max(0, min(caret - _WIDEST // 2, len(line) - _WIDEST))
    part = line[start : start + _WIDEST]
    before = "…" if start else ""
    after = "…" if start + _WIDEST < len(line) else ""
    return f"{before}{part}{after}", caret - start + len(before)


def _width(text: str) -> int:
    """Columns that a terminal uses for the text: wide letters take two, accents none."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )
