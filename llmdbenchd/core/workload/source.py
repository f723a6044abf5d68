"""A profile's text as YAML sees it while its tokens still stand in it.

A default such as `REPLACE_ENV_X++++default=a: b` is text for people and a syntax error
for YAML. So the colons of unquoted defaults are masked, one character for one, before
YAML looks: every position found in the masked text is right in the original.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import yaml

from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem, not_yaml

_DEFAULT = re.compile(r"REPLACE_ENV_\w+\+\+\+\+default=", re.ASCII)
_DEFAULT_TO_END_OF_LINE = re.compile(_DEFAULT.pattern + r"[^\r\n]*", re.ASCII)
_FLOW_STARTS = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_FLOW_ENDS = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_PRIVATE_USE = range(0xE000, 0xF900)


@dataclass(frozen=True, slots=True)
class Scalar:
    """One scalar of the text.

    Attributes:
        start: index of its first character, quotes included; `end` is behind its last.
        line: of its first character, counted from 1.
        value: what YAML reads, tokens untouched.
        style: `""` for plain, otherwise one of `'`, `"`, `|`, `>`.
        in_flow: whether it stands inside `[...]` or `{...}`.
    """

    start: int
    end: int
    line: int
    value: str
    style: str
    in_flow: bool


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands: `start` of its first character, `end` behind its last, its line."""

    start: int
    end: int
    line: int


class Source:
    """A profile's text, and what YAML finds in it."""

    def __init__(self, text: str, file: str) -> None:
        """Mask what hides the structure.

        Raises:
            WorkloadError: the text uses every character that could serve as a mask.
        """
        self.text = text
        self.file = file
        mask = next((chr(code) for code in _PRIVATE_USE if chr(code) not in text), None)
        if mask is None:
            raise WorkloadError([WorkloadProblem(file, 0, "the profile", "is not text")])
        self._mask = mask
        self._masked = _mask_defaults(text, mask)
        self._seen: list[tuple[yaml.Token, int]] | None = None

    def scalars(self) -> Iterator[Scalar]:
        """Every scalar, in the order of the text; comments are not among them.

        Raises:
            WorkloadError: the text is not YAML.
        """
        for token, depth in self._tokens():
            if isinstance(token, yaml.ScalarToken):
                yield Scalar(
                    start=token.start_mark.index,
                    end=token.end_mark.index,
                    line=token.start_mark.line + 1,
                    value=self._unmasked(token.value),
                    style="" if token.plain else token.style,
                    in_flow=depth > 0,
                )

    def skeleton(self) -> list[str]:
        """The kind of every token of the grammar, in order: the structure without values."""
        return [type(token).__name__ for token, _ in self._tokens()]

    def events(self) -> Iterator[tuple[yaml.Event, Span]]:
        """What the YAML parser sees, and where; the values of scalars are the original ones.

        Raises:
            WorkloadError: the text is not YAML.
        """
        try:
            for event in yaml.parse(self._masked):
                if isinstance(event, yaml.ScalarEvent):
                    event.value = self._unmasked(event.value)
                # Always there when text is parsed; their types do not say so.
                start, end = cast("yaml.Mark", event.start_mark), cast("yaml.Mark", event.end_mark)
                yield event, Span(start.index, end.index, start.line + 1)
        except yaml.YAMLError as error:
            raise not_yaml(self.file, error) from error

    def _tokens(self) -> list[tuple[yaml.Token, int]]:
        if self._seen is None:
            try:
                self._seen = list(_with_depth(self._masked))
            except yaml.YAMLError as error:
                raise not_yaml(self.file, error) from error
        return self._seen

    def _unmasked(self, value: str) -> str:
        return value.replace(self._mask, ":")


def _mask_defaults(text: str, mask: str) -> str:
    """Mask the colons of unquoted defaults that stand outside of `[...]` and `{...}`."""
    trial = _DEFAULT_TO_END_OF_LINE.sub(lambda found: found[0].replace(":", mask), text)
    if trial == text:
        return text
    pieces, at = [], 0
    try:
        for token, depth in _with_depth(trial):
            if isinstance(token, yaml.ScalarToken) and token.plain and depth == 0:
                start, end = token.start_mark.index, token.end_mark.index
                pieces += [text[at:start], trial[start:end]]
                at = end
    except yaml.YAMLError:
        return text  # whoever reads it next meets the mistake and can name its line
    return "".join([*pieces, text[at:]])


def _with_depth(text: str) -> Iterator[tuple[yaml.Token, int]]:
    depth = 0
    for token in yaml.scan(text):
        depth += isinstance(token, _FLOW_STARTS)
        depth -= isinstance(token, _FLOW_ENDS)
        yield token, depth
