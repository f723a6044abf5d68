"""The short form of `overrides`: `min=20,total_count=200`, with quotes where needed."""

from collections.abc import Iterator

from llmdbenchd.core.job.kinds import text
from llmdbenchd.core.job.mistakes import mistake
from llmdbenchd.core.job.nodes import compose
from llmdbenchd.core.job.problems import quoted
from llmdbenchd.core.job.tree import free

_EXAMPLE = 'write key=value,key=value; quote a value that holds , or = ("a,b")'


def read_overrides(value: object) -> dict[str, object]:
    """The overrides in a mapping, or in the text form.

    In the text form a value is what YAML makes of it; inside quotes and brackets it may
    hold commas and equals signs.
    """
    if isinstance(value, dict):
        if any(not key.strip() for key in value):
            raise mistake("has an empty key", "write the key of the profile to change")
        return value
    if not isinstance(value, str):
        raise mistake("wants a mapping, or text such as min=20,total_count=200")
    found: dict[str, object] = {}
    for piece in _pieces(text(value)):
        key, new = _pair(piece)
        if key in found:
            raise mistake(f"{quoted(key)} is given twice", "keep one of them")
        found[key] = new
    return found


def _pair(piece: str) -> tuple[str, object]:
    key, equals, written = (part.strip() for part in piece.partition("="))
    if not equals or not key:
        raise mistake(f"{quoted(piece.strip())} is not of the form key=value", _EXAMPLE)
    if not written:
        raise mistake(f"{quoted(key)} has no value", _EXAMPLE)
    if "=" in written and written[0] not in "\"'[{":
        raise mistake(f"{quoted(piece.strip())} has a second =", _EXAMPLE)
    node, problems = compose(written)
    if node is None or problems:
        why = problems[0].message if problems else "has no value"
        raise mistake(f"the value of {quoted(key)} {why}", _EXAMPLE)
    return key, free(node)


def _pieces(line: str) -> Iterator[str]:
    """Split at commas outside of quotes and brackets."""
    start, depth, quote, before, closed = 0, 0, "", ",", -1
    for at, letter in enumerate(line):
        if quote:
            if letter == quote and before != "\\":
                quote, closed = "", at + 1
        elif letter in "'\"" and (before in "=,:[{" or closed == at):  # '' is a quote in quotes
            quote = letter
        elif letter == "," and depth <= 0:
            yield line[start:at]
            start = at + 1
        else:
            depth += (letter in "[{") - (letter in "]}")
        before = letter if letter != " " or quote else before
    yield line[start:]
