"""The field's tokens: `REPLACE_ENV_<NAME>` and `REPLACE_ENV_<NAME>++++default=<VALUE>`.

What a token is
    The name is the whole run of letters, digits and `_`: a longer name is never taken
    for a shorter one. A variable that is empty counts as unset. A value is put in as it
    is, whatever it holds, and is not searched for tokens again.

Where a default ends
    With its scalar: at the closing quote; without quotes at the end of the line or at
    ` #` (inside `[...]` and `{...}` also at `,` and the closing bracket). In a block
    scalar it ends with its line. Three places end it earlier: in a URL (`://` before it,
    no white space between) the next white space or quote; behind a quote opened on the
    same line, that quote's twin; and a default written in quotes is what they hold.
    `REPLACE_COMMA` in a default is a comma and `____` a space, as in the field. A default
    may hold tokens itself.

What is written
    The text, as in the field, in the style that the profile's author chose. An unquoted
    scalar gets quotes only when it would not be read back as the same text. A number,
    `true` or `null` in an unquoted place keeps that meaning; to make it text, quote the
    token in the profile. Comments are left alone, with the tokens in them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from llmdbenchd.core.workload import writing
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem, did_you_mean
from llmdbenchd.core.workload.source import Scalar, Source

_TOKEN = re.compile(
    r"REPLACE_ENV_(?P<name>\w*)(?:(?P<default>\+\+\+\+default=)|(?P<odd>\++def\w*=?))?", re.ASCII
)
_IN_URL = re.compile(r"://[^\s'\"]*$")
_OPENING = re.compile(r"(?<!\w)(?P<quote>['\"])")


@dataclass(slots=True)
class _Expansion:
    """One scalar's tokens being replaced, and what is wrong with them."""

    variables: Mapping[str, str]
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)

    def expand(self, text: str) -> str:
        pieces, at = [], 0
        while found := _TOKEN.search(text, at):
            pieces.append(text[at : found.start()])
            default, at = _default(text, found)
            pieces.append(self._value(found, default))
        return "".join([*pieces, text[at:]])

    def _value(self, found: re.Match[str], default: str | None) -> str:
        name = found["name"]
        if value := self.variables.get(name):
            return value
        if default is not None:
            return self.expand(default)
        self.wrong[found[0]] = self._complaint(name, found["odd"])
        return ""

    def _complaint(self, name: str, odd: str | None) -> tuple[str, str]:
        if odd:
            return "has a misspelt default", f"Write REPLACE_ENV_{name}++++default=VALUE."
        if not name:
            return "names no variable", "Write REPLACE_ENV_NAME."
        state = "is empty" if name in self.variables else "is not set"
        known = [each for each, value in self.variables.items() if value]
        suggestion = did_you_mean(name, known)
        return (
            f"cannot be replaced: {name} {state} and the token has no default",
            suggestion or f"Set {name}, or write REPLACE_ENV_{name}++++default=VALUE.",
        )


def render_tokens(text: str, variables: Mapping[str, str], *, file: str) -> str:
    """Replace every token outside of comments.

    Args:
        text: the profile, YAML in which tokens stand for text.
        variables: name to value.
        file: the profile's name, for errors.

    Raises:
        WorkloadError: tokens without a value (all of them), or text that is not YAML.
    """
    source = Source(text, file)
    pieces, at, expected = [], 0, []
    problems: dict[WorkloadProblem, None] = {}
    for scalar in source.scalars():
        expansion = _Expansion(variables)
        value = expansion.expand(scalar.value)
        problems |= dict.fromkeys(_problems(source, scalar, expansion))
        expected.append(value)
        if value != scalar.value and not expansion.wrong:
            old = text[scalar.start : scalar.end]
            pieces += [text[at : scalar.start], _written(old, scalar, value, variables)]
            at = scalar.end
    if problems:
        raise WorkloadError(list(problems))
    rendered = "".join([*pieces, text[at:]])
    _prove(source, rendered, expected)
    return rendered


def _default(text: str, found: re.Match[str]) -> tuple[str | None, int]:
    """The default behind a token, or None; and where the text goes on."""
    start = found.end()
    if found["default"] is None:
        return None, start
    line_start = text.rfind("\n", 0, found.start()) + 1
    end = (text + "\n").index("\n", start)
    before = text[line_start : found.start()]
    if _IN_URL.search(before):
        rest = enumerate(text[start:end], start)
        end = next((here for here, each in rest if each.isspace() or each in "'\""), end)
    elif (quote := _open_quote(before)) and quote in text[start:end]:
        end = text.index(quote, start)
    default = text[start:end]
    if len(default) > 1 and default[0] == default[-1] and default[0] in "'\"":
        default = default[1:-1]
    return default.replace("REPLACE_COMMA", ",").replace("____", " "), end


def _open_quote(before: str) -> str:
    """The quote character that is open at the end of this text, or an empty text."""
    at = 0
    while opening := _OPENING.search(before, at):
        closing = before.find(opening["quote"], opening.end())
        if closing < 0:
            return opening["quote"]
        at = closing + 1
    return ""


def _written(block: str, scalar: Scalar, value: str, variables: Mapping[str, str]) -> str:
    """The scalar's new text; `block` is its old one, `value` what YAML must read."""
    if scalar.style not in ("|", ">"):
        return writing.scalar(value, style=scalar.style, in_flow=scalar.in_flow)
    lines = [_block_line(line, variables) for line in block.splitlines(keepends=True)]
    candidate = "".join(lines)
    return candidate if _reads_as(candidate, value) else writing.scalar(value, style='"') + "\n"


def _block_line(line: str, variables: Mapping[str, str]) -> str:
    content = line.strip(" \r\n")
    if "REPLACE_ENV_" not in content:
        return line
    indent, _, ending = line.partition(content)
    lines = _Expansion(variables).expand(content).split("\n")
    return indent + ("\n" + indent).join(lines) + ending


def _reads_as(block: str, value: str) -> bool:
    try:
        return [each.value for each in Source(f"- {block}", "").scalars()] == [value]
    except WorkloadError:
        return False


def _problems(source: Source, scalar: Scalar, expansion: _Expansion) -> list[WorkloadProblem]:
    """The complaints of one scalar, each with the line on which its token stands."""
    problems = []
    for token, (message, hint) in expansion.wrong.items():
        here = re.compile(re.escape(token) + r"(?!\w)", re.ASCII)
        found = here.search(source.text, scalar.start, scalar.end)
        above = source.text.count("\n", scalar.start, found.start()) if found else 0
        name = token.partition("+")[0]
        problems.append(WorkloadProblem(source.file, scalar.line + above, name, message, hint))
    return problems


def _prove(source: Source, rendered: str, expected: list[str]) -> None:
    """Refuse a result that YAML does not read as the same structure with these values."""
    result = Source(rendered, source.file)
    for _ in result.events():
        pass
    found = list(result.scalars())
    if result.skeleton() == source.skeleton() and [each.value for each in found] == expected:
        return
    wrong = [each.line for each, value in zip(found, expected, strict=False) if each.value != value]
    raise WorkloadError(
        [
            WorkloadProblem(
                source.file,
                wrong[0] if wrong else 0,
                "the value",
                "cannot be written here so that YAML reads the same text",
                "Quote the token in the profile.",
            )
        ]
    )
