"""Reads the source for the events it logs, without running it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log"})
_MAKERS = frozenset({"get_logger", "getLogger", "bind", "new"})
_NOT_FACTS = frozenset({"exc_info", "stack_info"})


@dataclass(frozen=True, slots=True)
class Emitted:
    """One call that logs.

    Attributes:
        where: `FILE:LINE`.
        event: its name, or None when that is not a constant.
        level: the method's name; `log` when the level is an argument.
        keys: the facts given by name.
    """

    where: str
    event: str | None
    level: str
    keys: frozenset[str]


def emitted(source: Path) -> list[Emitted]:
    """Every call on a structlog logger in the files below `source`."""
    trees = {path: ast.parse(path.read_text()) for path in sorted(source.rglob("*.py"))}
    return [
        one
        for path, tree in trees.items()
        for call, method in _calls(tree, _loggers(tree))
        for one in _emissions(f"{path}:{call.lineno}", call, method)
    ]


def _loggers(tree: ast.Module) -> frozenset[str]:
    """Names (and attributes) bound to a logger: made by structlog, or bound from one."""
    found: set[str] = set()
    while True:
        more = {
            name
            for node in ast.walk(tree)
            for name, value in _bindings(node)
            if _makes_logger(value, found)
        }
        if more <= found:
            return frozenset(found)
        found |= more


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((_name(target), value) for target in targets)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield _name(target), value
        case ast.NamedExpr(target=target, value=value):
            yield _name(target), value
        case _:
            pass


def _makes_logger(value: ast.expr, known: set[str]) -> bool:
    match value:
        case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _MAKERS:
            return _name(owner) in known | {"structlog", "stdlib"}
        case _:
            return False


def _calls(tree: ast.Module, loggers: frozenset[str]) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in LEVELS:
                if _name(owner) in loggers or _makes_logger(owner, set(loggers)):
                    yield node, attr
            case _:
                pass


def _emissions(where: str, call: ast.Call, method: str) -> Iterator[Emitted]:
    place = 1 if method == "log" else 0
    names = _constants(call.args[place]) if len(call.args) > place else (None,)
    keys = frozenset(word.arg for word in call.keywords if word.arg) - _NOT_FACTS
    for name in names:
        yield Emitted(where, name, "error" if method == "exception" else method, keys)


def _constants(name: ast.expr) -> tuple[str | None, ...]:
    match name:
        case ast.Constant(value=str() as text):
            return (text,)
        case ast.IfExp(body=body, orelse=orelse):
            return _constants(body) + _constants(orelse)
        case _:
            return (None,)


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
