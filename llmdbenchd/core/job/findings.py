"""From pydantic's errors to findings: one for each mistake, at its place in the file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic_core import ErrorDetails

from llmdbenchd.core.job.layers import DAEMON, DEFAULT, NAMED, SCENARIO, SUBMITTED, Source
from llmdbenchd.core.job.mistakes import MISTAKE
from llmdbenchd.core.job.nodes import Mark, Scalar
from llmdbenchd.core.job.problems import Problem, did_you_mean, quoted
from llmdbenchd.core.job.tree import Path, Plain
from llmdbenchd.core.job.variables import BY_FIELD, KNOWN_VARIABLES, row_of

_KEY = "[key]"  # how pydantic says that it means a mapping's key, not its value
_LONGEST_KEY = 60
_MOST_HINTS = 50  # looking for similar words takes time, and nobody reads more of them
_WANTED = {
    "missing": "is needed",
    "dict_type": "wants a mapping",
    "mapping_type": "wants a mapping",
    "tuple_type": "wants a list",
    "list_type": "wants a list",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, and the path of the value that has it."""

    path: Path
    problem: Problem


def findings(
    errors: Sequence[ErrorDetails], plain: Plain, sources: Mapping[str, Source]
) -> list[Finding]:
    """What validation found, without what was reported before."""
    found: dict[Path, Finding] = {}
    for number, error in enumerate(errors):
        path = _path(error)
        known_before = any(path[:length] in plain.broken for length in range(1, len(path) + 1))
        if path in found or known_before:
            continue
        if error["type"] == "extra_forbidden":
            found[path] = _unknown(path, plain, with_hint=number < _MOST_HINTS)
        else:
            found[path] = _wrong(path, error, plain, sources)
    return list(found.values())


def siblings(parent: Path) -> tuple[str, ...]:
    """The keys that a section (or, for an empty path, the job file) has."""
    depth = len(parent)
    start = ".".join(map(str, parent)) + "." if parent else ""
    names = [field.split(".")[depth] for field in BY_FIELD if field.startswith(start)]
    return tuple(dict.fromkeys(names))


def place_of(path: Path, plain: Plain, source: Source) -> Mark:
    """Where the text stands that a value came from; line 0 when it is not in the file."""
    match source.origin:
        case "job file":
            return plain.mark(path)
        case "variables":
            return plain.mark(("variables", source.variable))
        case "submitted environment":
            return plain.mark(("submitted_environment", source.variable))
        case "scenario":
            return plain.mark(("scenario",))
        case _:
            return Mark(0, 0)


def _path(error: ErrorDetails) -> Path:
    whole = tuple(part for part in error["loc"] if part != _KEY)
    return (*whole, *error.get("ctx", {}).get("at", ()))


def _unknown(path: Path, plain: Plain, *, with_hint: bool) -> Finding:
    mark = plain.keys.get(path, plain.mark(path))
    hint = _where_it_belongs(path) if with_hint else ""
    return Finding(path, Problem(mark.line, mark.column, _name(path), "is not a field", hint))


def _where_it_belongs(path: Path) -> str:
    word = str(path[-1])
    if word in KNOWN_VARIABLES:
        return "write LLMDBENCH_* values below `variables`"
    near = did_you_mean(word, siblings(path[:-1]))
    elsewhere = [field for field in BY_FIELD if field.rpartition(".")[2] == word]
    if elsewhere:
        return f'did you mean "{elsewhere[0]}"?'
    if near:
        return near
    names = siblings(path[:-1])
    return f"fields here: {', '.join(names)}" if len(path) > 1 else ""


def _wrong(path: Path, error: ErrorDetails, plain: Plain, sources: Mapping[str, Source]) -> Finding:
    row = row_of(path)
    source = sources.get(row.field if row else "", Source(NAMED))
    message, hint = _words(path, error, plain, source)
    if source.origin not in {NAMED, DEFAULT}:
        origin = f"{_origin_in_words(source.origin)} {source.place}".rstrip()
        message = f"{source.variable} from the {origin}: {message}"
    mark = plain.keys.get(path) if _KEY in error["loc"] else None
    mark = mark or place_of(path, plain, source)
    return Finding(path, Problem(mark.line, mark.column, _name(path), message, hint))


def _words(path: Path, error: ErrorDetails, plain: Plain, source: Source) -> tuple[str, str]:
    facts = error.get("ctx", {})
    node = plain.nodes.get(path) if source.origin == NAMED else None
    if facts.get("wants_text") and isinstance(node, Scalar) and node.word.kind != "text":
        read = f"YAML reads {quoted(node.text)} as a {node.word.kind}"
        return f"wants text, but {read}", f'quote it: "{node.text[:60]}"'
    if error["type"] == MISTAKE:
        return facts["message"], facts["hint"]
    if error["type"].startswith("model"):
        return "wants a mapping", f"fields here: {', '.join(siblings(path))}"
    return _WANTED.get(error["type"], error["msg"]), ""


def _origin_in_words(origin: str) -> str:
    return {DAEMON: "daemon's environment", SCENARIO: "scenario", SUBMITTED: origin}.get(
        origin, "job file's variables"
    )


def _name(path: Iterable[str | int]) -> str:
    words = [str(part) for part in path]
    return ".".join(
        word if len(word) <= _LONGEST_KEY else f"{word[:_LONGEST_KEY]}…" for word in words
    )
