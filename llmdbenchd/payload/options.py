"""Profiles that are a list of a program's options: `name: value`, one a line.

`none` and `true` make a bare flag; `false`, `null` and nothing leave the option out. Quotes
make a text of anything. What YAML can do besides is refused with its line: it could not be
an option.
"""

from __future__ import annotations

import json

_BARE = frozenset({"none", "None", "true", "True"})
_LEFT_OUT = frozenset({"", "~", "null", "Null", "NULL", "false", "False"})
_NOT_A_VALUE = "[]{}|>&*!%@`,"


def read(text: str) -> dict[str, str | None]:
    """The options in the order of their lines; names with dashes, None for a bare flag.

    Raises:
        ValueError: a line is no option; says which.
    """
    options: dict[str, str | None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare[0] == "#" or bare in {"---", "..."}:
            continue
        name, colon, rest = line.rstrip().partition(":")
        if not colon or not _is_name(name) or (rest and rest[0] not in " \t"):
            raise ValueError(f"line {number} is not an option: `name: value` is")
        name = name.replace("_", "-")
        if name in options:
            raise ValueError(f"line {number}: {name} is given twice")
        try:
            given = _value(rest.strip())
        except ValueError as error:
            raise ValueError(f"line {number}: {name}: {error}") from error
        if given is not False:
            options[name] = None if given is True else given
    return options


def arguments(options: dict[str, str | None]) -> list[str]:
    """The options as a command line has them."""
    return [
        f"--{name}" if value is None else f"--{name}={value}" for name, value in options.items()
    ]


def _is_name(name: str) -> bool:
    return name[:1].isalnum() and name.replace("-", "").replace("_", "").isalnum()


def _value(text: str) -> str | bool:
    """The text of a value, or whether its option stands alone (True) or not at all (False)."""
    if text[:1] in {'"', "'"}:
        return _quoted(text)
    plain = "" if text.startswith("#") else text.partition(" #")[0].rstrip()
    if plain in _BARE:
        return True
    if plain in _LEFT_OUT:
        return False
    if plain[0] in _NOT_A_VALUE:
        raise ValueError("a value is one word or a quoted text, neither a list nor a mapping")
    return plain


def _quoted(text: str) -> str:
    if text[0] == '"':
        try:
            value, end = json.JSONDecoder().raw_decode(text)
        except ValueError as error:
            raise ValueError("its double quotes are not closed, or hold an escape") from error
    else:
        pieces, end = [], 1
        while True:
            close = text.find("'", end)
            if close < 0:
                raise ValueError("its single quotes are not closed")
            pieces.append(text[end:close])
            end = close + 1
            if text[end : end + 1] != "'":
                break
            pieces.append("'")
            end += 1
        value = "".join(pieces)
    rest = text[end:].strip()
    if rest and not rest.startswith("#"):
        raise ValueError(f"{rest!r} follows its quotes")
    return str(value)
