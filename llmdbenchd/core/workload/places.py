"""Where every value of a YAML text stands, so that one can be changed and no other.

Made from the parser's events, not from its nodes: an alias keeps its own position, nothing
is shared, and the end of a block is the end of its last value, not of the comments below.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import yaml

from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from llmdbenchd.core.workload.source import Source, Span

_DEEPEST = 100
_COMPLEX_KEY = "?"


class Kind(StrEnum):
    """What stands at a place."""

    SCALAR = "value"
    ALIAS = "alias"
    MAPPING = "mapping"
    SEQUENCE = "list"


Path = tuple[str | int, ...]


@dataclass(slots=True, kw_only=True)
class Place:
    """One value.

    Attributes:
        path: keys and list indices that lead to it from the top.
        start: index of its first character, anchor and tag included; `end` is behind its last.
        line: of its first character, counted from 1.
        key_end: index behind the key that it is the value of, or None.
        text: a scalar's value; an alias' name; otherwise empty.
        look: what decides how YAML reads a scalar: its tag, and whether it is plain.
        children: of a mapping or list, in order.
    """

    path: Path
    kind: Kind
    start: int
    end: int
    line: int
    key_end: int | None = None
    text: str = ""
    look: tuple[str | None, bool] = (None, True)
    anchor: str | None = None
    in_flow: bool = False
    children: list["Place"] = field(default_factory=list)

    @property
    def key(self) -> str | None:
        """The key that it is the value of; None for the top and for items of a list."""
        return str(self.path[-1]) if self.key_end is not None else None

    @property
    def name(self) -> str:
        """Its path in the form in which overrides name it."""
        return ".".join(map(str, self.path))

    def keys(self) -> list[str]:
        """The keys (or indices) of what it holds."""
        return [str(child.path[-1]) for child in self.children]

    def walk(self) -> Iterator["Place"]:
        """Everything below it, in the order of the text."""
        for child in self.children:
            yield child
            yield from child.walk()


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    place: Place
    flow: bool
    key: tuple[str, int] | None = None  # of a mapping: the key that waits, and where it ends

    def next_path(self) -> tuple[Path, int | None]:
        """The path of the next value, and where its key ends."""
        if self.place.kind is Kind.SEQUENCE:
            return (*self.place.path, len(self.place.children)), None
        text, end = self.key or (_COMPLEX_KEY, None)
        return (*self.place.path, text), end


def read_places(source: Source) -> Place:
    """The whole text as one place; its path is empty.

    Raises:
        WorkloadError: not YAML, not exactly one document, nested too deeply, or a key twice.
    """
    top: list[Place] = []
    stack: list[_Open] = []
    for event, span in source.events():
        if isinstance(event, yaml.CollectionEndEvent):
            closed = stack.pop()
            _close(closed, span.end)
            _add(closed.place, stack, top)
        elif isinstance(event, yaml.NodeEvent):
            place = _opened(event, span, stack)
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append(_Open(place, flow=bool(event.flow_style)))
            else:
                _add(place, stack, top)
        if len(stack) > _DEEPEST:
            raise _refused(source, stack[-1].place, "is nested too deeply")
    if len(top) != 1:
        raise WorkloadError(
            [WorkloadProblem(source.file, 0, "the profile", f"holds {len(top)} documents, not one")]
        )
    for place in [top[0], *top[0].walk()]:
        _refuse_double_keys(source, place)
    return top[0]


def _opened(event: yaml.NodeEvent, span: Span, stack: list[_Open]) -> Place:
    path, key_end = stack[-1].next_path() if stack else ((), None)
    place = Place(
        path=path,
        kind=_kind(event),
        start=span.start,
        end=span.end,
        line=span.line,
        key_end=key_end,
        in_flow=bool(stack) and stack[-1].flow,
    )
    if isinstance(event, yaml.AliasEvent):
        place.text = event.anchor or ""
        return place
    place.anchor = event.anchor
    place.look = (getattr(event, "tag", None), not getattr(event, "style", None))
    if isinstance(event, yaml.ScalarEvent):
        place.text = event.value
    return place


def _kind(event: yaml.NodeEvent) -> Kind:
    match event:
        case yaml.MappingStartEvent():
            return Kind.MAPPING
        case yaml.SequenceStartEvent():
            return Kind.SEQUENCE
        case yaml.AliasEvent():
            return Kind.ALIAS
        case _:
            return Kind.SCALAR


def _close(closed: _Open, end: int) -> None:
    """A flow collection ends with its bracket, a block with its last value."""
    if closed.flow:
        closed.place.end = end
    else:
        closed.place.end = closed.place.children[-1].end


def _add(place: Place, stack: list[_Open], top: list[Place]) -> None:
    """Give a finished value to what holds it, or keep it as the key of the next."""
    if not stack:
        top.append(place)
        return
    above = stack[-1]
    if above.place.kind is Kind.MAPPING and above.key is None:
        above.key = (place.text if place.kind is Kind.SCALAR else _COMPLEX_KEY, place.end)
        return
    above.place.children.append(place)
    above.key = None


def _refuse_double_keys(source: Source, place: Place) -> None:
    if place.kind is not Kind.MAPPING:
        return
    seen: set[str | int] = set()
    for child in place.children:
        if child.path[-1] in seen and child.path[-1] not in (_COMPLEX_KEY, "<<"):
            raise _refused(source, child, "is there twice")
        seen.add(child.path[-1])


def _refused(source: Source, place: Place, message: str) -> WorkloadError:
    problem = WorkloadProblem(source.file, place.line, place.name or "the profile", message)
    return WorkloadError([problem])
