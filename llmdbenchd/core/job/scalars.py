"""The room of plain words: what YAML makes of a scalar without quotes.

YAML 1.1 reads more words as something else than people expect (`no`, `1:30`, `010`,
dates), and YAML 1.2 reads `1e3` as a number where 1.1 does not. Whoever wants text
must be told, so the kind is kept beside the value.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import yaml

Kind = Literal["text", "null", "boolean", "number", "date"]

_RESOLVER = yaml.resolver.Resolver()
_EXPONENT = re.compile(r"[-+]?(?:\d+|\d*\.\d+|\d+\.)[eE][-+]?\d+")
_KINDS: dict[str, Kind] = {
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:bool": "boolean",
    "tag:yaml.org,2002:int": "number",
    "tag:yaml.org,2002:float": "number",
    "tag:yaml.org,2002:timestamp": "date",
}
_INFINITE = {".inf": float("inf"), "-.inf": float("-inf"), "+.inf": float("inf")}
_LONGEST_NUMBER = 64


@dataclass(frozen=True, slots=True)
class Word:
    """What a plain scalar means.

    Attributes:
        kind: what YAML takes it for.
        value: the value; a date stays the text that was written.
        surprise: why the value is probably not what was meant, or empty.
    """

    kind: Kind
    value: str | int | float | bool | None
    surprise: str = ""


def read_word(text: str) -> Word:
    """What YAML makes of a plain (unquoted) scalar."""
    if len(text) > _LONGEST_NUMBER:
        return Word("text", text)
    resolve: Callable[..., object] = _RESOLVER.resolve
    tag = resolve(yaml.ScalarNode, text, (True, False))
    kind = "number" if _EXPONENT.fullmatch(text) else _KINDS.get(str(tag), "text")
    match kind:
        case "null":
            return Word(kind, None)
        case "boolean":
            return Word(kind, text.lower() in {"yes", "true", "on"})
        case "number":
            return _number(text)
        case _:
            return Word(kind, text)


def _number(text: str) -> Word:
    digits = text.replace("_", "")
    unsigned = digits.lstrip("+-").lower()
    if ":" in digits:
        return Word("number", text, "YAML reads it as a number to the base of 60")
    if unsigned in {".inf", ".nan"}:
        return Word("number", _INFINITE.get(digits.lower(), float("nan")))
    if unsigned.startswith(("0x", "0b")):
        return Word("number", int(digits, 0))
    if re.fullmatch(r"0\d+", unsigned):
        return Word("number", text, "YAML reads it as an octal number")
    if unsigned.isdigit():
        return Word("number", int(digits))
    return Word("number", float(digits))
