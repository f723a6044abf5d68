"""The room of YAML: from text to a tree in which every node knows its place.

The parser's events are read one by one, so that aliases (and with them bombs), tags,
deep nesting and further documents are met, and refused, before anything is built.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from llmdbenchd.core.job.problems import Problem, lines_of, quoted
from llmdbenchd.core.job.scalars import Word, read_word

DEEPEST = 30
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the text: line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or text. `text` is as written, `word` what YAML makes of it."""

    mark: Mark
    text: str
    word: Word


@dataclass(frozen=True, slots=True)
class Items:
    """A sequence."""

    mark: Mark
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping and its value."""

    mark: Mark
    key: str
    value: "Node"


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping, in the order of the text, each key once."""

    mark: Mark
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that was refused already; nobody needs to complain about it again."""

    mark: Mark


Node = Scalar | Items | Entries | Broken


class _GiveUpError(Exception):
    """Reading on makes no sense; the reason is among the problems."""


def compose(text: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The tree of the first document, and everything that is wrong with the YAML.

    Returns:
        The tree, or None for an empty text or one that could not be read to its end.
    """
    composer = _Composer(yaml.parse(text, Loader=_LOADER))
    try:
        return composer.document(), tuple(composer.problems)
    except _GiveUpError:
        return None, tuple(composer.problems)
    except yaml.MarkedYAMLError as error:
        return None, (*composer.problems, _syntax(error, text))
    except yaml.YAMLError:  # a character; `decode` lets none through, an override's value may
        problem = Problem(1, 1, "", "holds a control character", "remove it")
        return None, (*composer.problems, problem)


class _Composer:
    """Builds the tree; collects problems on the way."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: set[str] = set()
        self.problems: list[Problem] = []

    def document(self) -> Node | None:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), 1)
        next(self._events)  # the document's end
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._refuse(_mark(after), "holds a second document", "one job, one file")
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        mark = _mark(event)
        if depth > DEEPEST:
            self._refuse(mark, f"is nested deeper than {DEEPEST} levels")
            raise _GiveUpError
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, mark)
        sound = self._plain_node(event, mark)
        if isinstance(event, yaml.ScalarEvent):
            node: Node = _scalar(event, mark)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(mark, depth)
        else:
            node = self._mapping(mark, depth)
        return node if sound else Broken(mark)

    def _alias(self, event: yaml.AliasEvent, mark: Mark) -> Broken:
        if event.anchor not in self._anchors:
            self._refuse(mark, f"uses an alias, {quoted(f'*{event.anchor}')}", "write it out")
        return Broken(mark)

    def _plain_node(self, event: yaml.Event, mark: Mark) -> bool:
        """Whether the node has neither an anchor nor a tag."""
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            self._anchors.add(anchor)
            name = quoted("&" + anchor)
            self._refuse(mark, f"uses an anchor, {name}", "write the value out where it is used")
        elif tag is not None:
            name = quoted(tag.replace("tag:yaml.org,2002:", "!!"))
            self._refuse(mark, f"uses a tag, {name}", "a job file holds plain values only")
        return anchor is None and tag is None

    def _sequence(self, mark: Mark, depth: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        whole = not any(isinstance(item, Broken) for item in items)
        return Items(mark, tuple(items)) if whole else Broken(mark)

    def _mapping(self, mark: Mark, depth: int) -> Entries:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            name = self._key(key, value)
            if name is None:
                continue
            if name in entries:
                first = entries[name].mark.line
                message = f"{quoted(name)} is given twice, in line {first} and here"
                self._refuse(key.mark, message, "keep one of them")
                continue
            entries[name] = Entry(key.mark, name, value)
        return Entries(mark, tuple(entries.values()))

    def _key(self, key: Node, value: Node) -> str | None:
        """The name that a key stands for, or None where it is none."""
        if isinstance(key, Broken):
            return None
        if not isinstance(key, Scalar):
            self._refuse(key.mark, "has a list or mapping as a key", "keys are words")
            return None
        if key.text == "<<" and key.word.kind == "text":
            if not isinstance(value, Broken):
                self._refuse(key.mark, "uses a merge key, `<<`", "write the values out")
            return None
        if key.word.kind != "text" or key.word.surprise:
            hint = f'quote it: "{key.text}"' if key.text else "write a name before the colon"
            self._refuse(key.mark, f"has the key {quoted(key.text)}, which is not text", hint)
            return None
        return key.text

    def _refuse(self, mark: Mark, message: str, hint: str = "") -> None:
        self.problems.append(Problem(mark.line, mark.column, "", message, hint))


def _scalar(event: yaml.ScalarEvent, mark: Mark) -> Scalar:
    plain = event.implicit[0] and not event.style
    word = read_word(event.value) if plain else Word("text", event.value)
    return Scalar(mark, event.value, word)


def _mark(event: yaml.Event) -> Mark:
    start = event.start_mark
    return Mark(start.line + 1, start.column + 1) if start is not None else Mark(1, 1)


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Problem:
    """A syntax error in people's words, at the place where the parser noticed it."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = lines_of(text)
    indent = lines[line][: column + 1] if line < len(lines) else ""
    if "\t" in indent and not indent.strip():
        return Problem(line + 1, indent.index("\t") + 1, "", "is indented with a tab", "use spaces")
    what = error.problem or error.context or "not YAML"
    started = error.context_mark
    since = f" (begun in line {started.line + 1})" if started and started.line != line else ""
    return Problem(line + 1, column + 1, "", f"is not YAML: {what}{since}", _advice(what))


def _advice(what: str) -> str:
    if "mapping values are not allowed" in what:
        return 'quote a text that holds ": ", and check the indentation of the line'
    if "cannot start any token" in what:
        return "quote the text"
    return "check quotes, brackets and indentation from here upwards"
