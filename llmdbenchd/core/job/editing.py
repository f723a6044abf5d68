"""The text of a job file with some of its fields set anew, and everything else as it was."""

import math
from collections.abc import Iterator, Mapping

import yaml

from llmdbenchd.core.job.decoding import LARGEST

_MAP = "tag:yaml.org,2002:map"
_NOTHING = "tag:yaml.org,2002:null"

Pairs = list[tuple[yaml.Node, yaml.Node]]


class NoJobFile(ValueError):
    """The text cannot be a job file; the message says why."""


def value_at(text: str, field: str) -> str | None:
    """The text of a field that holds a single word, or None.

    Args:
        text: a job file.
        field: its dotted name.

    Raises:
        NoJobFile: it is too large, or no single mapping in YAML.
    """
    node: yaml.Node | None = _top(text)
    for key in field.split("."):
        node = _child(node, key)
    return str(node.value) if isinstance(node, yaml.ScalarNode) and node.value else None


def has(text: str, field: str) -> bool:
    """Whether a job file says anything of a top-level field; raises as `value_at`."""
    return _child(_top(text), field) is not None


def own_id(text: str) -> str | None:
    """The job file's own `id:`, or None; raises as `value_at`."""
    return value_at(text, "id")


def edited(text: str, changes: Mapping[str, object]) -> str:
    """The job file with these fields in it.

    What is not changed stays as it is written, lines and comments included, unless the
    text is so unusual that only writing it anew is sure to mean the same.

    Args:
        text: a job file; an empty one is a job of defaults.
        changes: dotted field names, and their values: plain ones, or nodes of YAML.

    Raises:
        NoJobFile: the text, or what it would become, is none.
    """
    wanted: dict[str, dict[str, object]] = {}
    for field, value in changes.items():
        section, _, rest = field.partition(".")
        wanted.setdefault(section, {})[rest] = value
    for key, values in wanted.items():
        text = _with(text, key, values)
    return text


def _with(text: str, key: str, values: Mapping[str, object]) -> str:
    top = _top(text)
    old = _child(top, key)
    new = _node(values[""]) if "" in values else _merged(key, old, values)
    pairs: Pairs = [pair for pair in (top.value if top else []) if pair[0].value != key]
    expected = yaml.MappingNode(_MAP, [*pairs, (_node(key), new)])
    for candidate in _ways(text, top, key, old, _in_one_line(new)):
        if _same(expected, candidate):
            return candidate
    anew = str(yaml.serialize(expected, Dumper=_Blocks, allow_unicode=True, width=math.inf))
    _top(anew)
    return anew


def _merged(key: str, old: yaml.Node | None, values: Mapping[str, object]) -> yaml.Node:
    """A section with these values; `harness: NAME` is short for a section, too."""
    pairs: Pairs = []
    if isinstance(old, yaml.MappingNode):
        pairs = [(inner, value) for inner, value in old.value if inner.value not in values]
    elif key == "harness" and isinstance(old, yaml.ScalarNode) and old.value:
        pairs = [] if "name" in values else [(_node("name"), old)]
    elif old is not None and old.tag != _NOTHING:
        raise NoJobFile(f"`{key}` is no section, so `{key}.{next(iter(values))}` has no place")
    pairs += [(_node(name), _node(value)) for name, value in values.items()]
    return yaml.MappingNode(_MAP, pairs)


def _ways(
    text: str, top: yaml.MappingNode | None, key: str, old: yaml.Node | None, new: str
) -> Iterator[str]:
    """Texts that may be the wanted one; whoever asks must look."""
    if old is not None:
        before, after = text[: old.start_mark.index], text[_end(old) :]
        yield f"{before}{new}{after}"
        yield f"{before} {new}\n{after}"
    elif top is None:
        yield f"{_ended(text)}{key}: {new}\n"
    elif top.flow_style:
        at = top.start_mark.index + 1
        yield f"{text[:at]}{key}: {new}, {text[at:]}"
    else:
        at, indent = top.end_mark.index, " " * top.start_mark.column
        yield f"{_ended(text[:at].rstrip(' '))}{indent}{key}: {new}\n{text[at:]}"
        at = top.start_mark.index
        yield f"{text[:at]}{key}: {new}\n{indent}{text[at:]}"


def _end(node: yaml.Node) -> int:
    """Where the text of a node ends; a block's own mark lies behind the comments after it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _top(text: str) -> yaml.MappingNode | None:
    if len(text.encode()) > LARGEST:
        raise NoJobFile(f"it is larger than the {LARGEST} bytes of a job file")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise NoJobFile(str(error)) from error
    except RecursionError as error:
        raise NoJobFile("it is nested too deeply") from error
    if node is not None and not isinstance(node, yaml.MappingNode):
        raise NoJobFile("it is no mapping (`field: value` lines)")
    return node


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key; of a key that is there twice the first, since both stay."""
    for inner, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if inner.value == key and isinstance(value, yaml.Node):
            return value
    return None


def _node(value: object) -> yaml.Node:
    if isinstance(value, yaml.Node):
        return value
    return yaml.representer.SafeRepresenter(sort_keys=False).represent_data(value)


def _in_one_line(node: yaml.Node) -> str:
    text = str(yaml.serialize(node, Dumper=_OneLine, allow_unicode=True, width=math.inf))
    return text.removesuffix("\n").removesuffix("...").removesuffix("\n")


class _OneLine(yaml.SafeDumper):
    """Writes nodes without line breaks; shared ones stay shared, so no alias is unrolled."""

    def emit(self, event: yaml.Event) -> None:
        """Write one event, in the style that fits into a line, and never with a tag."""
        if isinstance(event, yaml.CollectionStartEvent):
            event.flow_style = True
        elif isinstance(event, yaml.ScalarEvent):
            plain, _ = event.implicit
            if "\n" in event.value:
                event.style = '"'
            elif plain and ":" in event.value:  # 1:30 has no plain form between brackets
                event.implicit = (plain, True)
        super().emit(event)


class _Blocks(yaml.SafeDumper):
    """Writes nodes in indented lines: there everything has the form in which it was written."""

    def emit(self, event: yaml.Event) -> None:
        """Write one event, in block style."""
        if isinstance(event, yaml.CollectionStartEvent):
            event.flow_style = False
        super().emit(event)


def _same(expected: yaml.MappingNode, text: str) -> bool:
    """Whether a text means what is expected; where a key stands does not matter."""
    try:
        found = _top(text)
    except NoJobFile:
        return False
    return found is not None and _canonical(found) == _canonical(expected)


def _canonical(node: yaml.MappingNode) -> str:
    pairs = sorted(node.value, key=lambda pair: str(pair[0].value))
    return str(yaml.serialize(yaml.MappingNode(_MAP, pairs), canonical=True))


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
