"""From the tree of nodes to plain values, with an index of where each of them stands."""

from dataclasses import dataclass, field
from typing import assert_never

from llmdbenchd.core.job.kinds import DateText
from llmdbenchd.core.job.nodes import Broken, Entries, Items, Mark, Node, Scalar
from llmdbenchd.core.job.problems import Problem

Path = tuple[str | int, ...]

_AS_WRITTEN = frozenset(  # variables hold text: 010 and no are what was written
    {
        ("variables",), ("submitted_environment",), ("scenario",), ("harness", "env"),
        ("harness", "node_selector"),
    }
)  # fmt: skip
_FREE = frozenset(  # not ours to judge
    {("workload",), ("overrides",), ("treatments",), ("harness", "tolerations")}
)


@dataclass(slots=True)
class Plain:
    """A job file as plain values.

    Attributes:
        values: nested mappings, lists and scalars.
        nodes: the node of each value, by its path.
        keys: where each key stands.
        problems: what was found on the way.
        broken: paths with a problem of their own already.
    """

    values: dict[str, object] = field(default_factory=dict)
    nodes: dict[Path, Node] = field(default_factory=dict)
    keys: dict[Path, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)

    def mark(self, path: Path) -> Mark:
        """Where the value stands, or the nearest thing around it that does."""
        for length in range(len(path), 0, -1):
            node = self.nodes.get(path[:length])
            if node is not None and not _without_place(node):
                return node.mark
            if path[:length] in self.keys:
                return self.keys[path[:length]]
        return Mark(1, 1)


def plain(root: Node | None) -> Plain:
    """The values of a job file; a file with nothing in it is a job of defaults."""
    found = Plain()
    if root is None or isinstance(root, Broken):
        return found
    if isinstance(root, Scalar) and root.word.kind == "null":
        return found
    if not isinstance(root, Entries):
        kind = "a list" if isinstance(root, Items) else "a single text"
        problem = Problem(
            root.mark.line, root.mark.column, "", f"is {kind}, not a mapping of fields",
            "write lines such as `harness: inference-perf`",
        )  # fmt: skip
        found.problems.append(problem)
        return found
    found.values = _entries(root, (), found)
    return found


def free(node: Node) -> object:
    """The value of a node that is not ours to judge."""
    return _value(node, ("overrides", ""), Plain())


def _entries(node: Entries, path: Path, found: Plain) -> dict[str, object]:
    values: dict[str, object] = {}
    for entry in node.entries:
        here = (*path, entry.key)
        found.keys[here] = entry.mark
        value = _value(entry.value, here, found)
        if here not in found.broken:
            values[entry.key] = value
    return values


def _value(node: Node, path: Path, found: Plain) -> object:
    found.nodes[path] = node
    match node:
        case Broken():
            found.broken.add(path)
            return None
        case Entries():
            return _entries(node, path, found)
        case Items(items=items):
            return [_value(item, (*path, at), found) for at, item in enumerate(items)]
        case Scalar():
            return _scalar(node, path, found)
        case _:
            assert_never(node)


def _scalar(node: Scalar, path: Path, found: Plain) -> object:
    free = any(path[:2][: len(one)] == one and len(path) > len(one) for one in _FREE)
    written = any(path[:-1] == one for one in _AS_WRITTEN)
    if node.word.kind == "null" and not free:
        hint = 'for an empty text write ""' if written else "write a value, or remove the line"
        _refuse(path, "has no value", hint, found)
        return None
    if written:
        return node.text
    if node.word.surprise:
        hint = f'write it plainly, or, where text is meant, quote it: "{node.text}"'
        _refuse(path, node.word.surprise, hint, found)
        return None
    if node.word.kind == "date" and not free:
        return DateText(node.text)
    return node.word.value


def _refuse(path: Path, message: str, hint: str, found: Plain) -> None:
    mark = found.mark(path)
    name = ".".join(map(str, path))
    found.problems.append(Problem(mark.line, mark.column, name, message, hint))
    found.broken.add(path)


def _without_place(node: Node) -> bool:
    """Whether a node is nothing at all (its key has a place, it has none)."""
    return isinstance(node, Scalar) and node.word.kind == "null" and not node.text
