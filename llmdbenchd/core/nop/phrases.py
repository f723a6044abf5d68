"""The table of wordings, made ready to be matched: the first word of a message finds its rows."""

import re
from collections.abc import Iterator

import msgspec

from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.core.nop.row import Wording
from llmdbenchd.core.nop.wording import TABLE

NUMBER = r"-?(?:\d[\d,]{0,30}(?:\.\d{1,30})?|\.\d{1,30})"
_PIECE = re.compile(r"\{([^{}]*)\}|<([^<>]*(?:\{[^{}]*\}[^<>]*)*)>")
_TAG = r"(?:\[(?P<part>[\w.-]{1,64})\] )?"
_END = r"\.?(?: ?\[repeated \d+x across cluster\])?\s*\Z"
_TO_UNIT = {"ms": 1e-3, "MiB": 2.0**-10}
_BYTES = {
    unit: size / 2**30
    for power, letter in enumerate(("", "K", "M", "G", "T"))
    for unit, size in ((f"{letter}B", 1000.0**power), (f"{letter}iB", 1024.0**power))
}


class Found(msgspec.Struct, frozen=True):
    """What a message says by one row of the table.

    Attributes:
        wording: the row.
        readings: values by name, in the name's unit, never a number that is not there.
        tag: which shape, range, model or tags; empty if the row has none.
        part: the `[part] ` that stood before the message, as newer versions write.
        text: what the row keeps, by field.
    """

    wording: Wording
    readings: dict[str, float] = {}
    tag: str = ""
    part: str = ""
    text: dict[str, str] = {}


class Phrase:
    """One row, compiled."""

    __slots__ = ("_names", "_pattern", "_scale", "_texts", "key", "stem", "wording")

    def __init__(self, wording: Wording) -> None:
        self.wording = wording
        self._names: list[str] = []
        self._texts: list[str] = []
        self._scale: dict[str, float] = {}
        literal = wording.literal
        body = self._compiled(literal)
        end = "" if literal.endswith("{...}") else _END
        self._pattern = re.compile(_TAG + body + end, re.DOTALL)
        words = literal.split(" ")
        self.key = words[1] if words[0] == "{?}" else re.split(r"[{<]", words[0])[0]
        plain = re.split(r"[{<]", literal.removeprefix("{?}"))[0]
        self.stem = plain

    def match(self, message: str, at: int = 0) -> Found | None:
        """What `message` says from `at` on, if it is this row's."""
        found = self._pattern.match(message, at)
        if found is None:
            return None
        groups = found.groupdict()
        readings = {}
        for name in self._names:
            number = groups[name]
            if number is not None:
                scale = self._scale.get(name) or _BYTES.get(_unit(groups[f"{name}__unit"]), 1.0)
                readings[name] = _exact(number, scale)
        tag = groups.get("tag") or _tags(groups.get("tags"))
        text = {name: groups[f"text_{name}"] for name in self._texts}
        return Found(self.wording, readings, tag, groups["part"] or "", text)

    def _compiled(self, literal: str) -> str:
        body = ""
        done = 0
        for piece in _PIECE.finditer(literal):
            body += re.escape(literal[done : piece.start()])
            inside, optional = piece.groups()
            body += self._slot(inside) if optional is None else f"(?:{self._compiled(optional)})?"
            done = piece.end()
        return body + re.escape(literal[done:])

    def _slot(self, inside: str) -> str:
        plain = {"N": NUMBER, "...": ".*?", "?": r"\S+", "tag": "(?P<tag>.+?)"}
        if inside in plain:
            return plain[inside]
        if inside == "tags":
            return r"(?P<tags>[\[{(].*?[\])}]|\S+?)"
        name, _, unit = inside.partition(":")
        if name == "text":
            self._texts.append(unit)
            return f"(?P<text_{unit}>.+?)"
        assert name in NAMES, f"{self.wording.literal}: no such name: {name}"  # noqa: S101 - a table at fault
        self._names.append(name)
        if unit == "auto":
            return rf"(?P<{name}>{NUMBER}) ?(?P<{name}__unit>[kKMGT]?i?B)"
        self._scale[name] = _TO_UNIT.get(unit, 1.0)
        return f"(?P<{name}>{NUMBER})"


def _unit(written: str) -> str:
    return written.replace("k", "K")


def _exact(number: str, scale: float) -> float:
    value = float(number.replace(",", ""))
    return value if scale == 1.0 else round(value * scale, 9)


def _tags(written: str | None) -> str:
    return ", ".join(sorted(re.findall(r"\w+", written))) if written else ""


_FEW = 2
PHRASES = tuple(Phrase(row) for row in TABLE)
_VARIED = tuple(one for one in PHRASES if one.wording.literal.startswith("{?}"))
_BY_KEY: dict[str, list[Phrase]] = {}
for _phrase in PHRASES:
    _BY_KEY.setdefault(_phrase.key, []).append(_phrase)
_SECOND_WORDS = frozenset(one.key.encode() for one in _VARIED)
_FIRST_WORDS = frozenset(key.encode() for key in _BY_KEY)


def _beginnings() -> Iterator[bytes]:
    """Of all rows: two words where they are plain, else one."""
    for phrase in PHRASES:
        words = re.split(r"[{<]", phrase.wording.literal)[0].split(" ", 2)
        if phrase not in _VARIED:
            yield " ".join(words[:2]).encode() if len(words) > _FEW else words[0].encode()


_BEGINNINGS = frozenset(_beginnings())
_CUT_WORDS = frozenset(
    word[:length] for word in _FIRST_WORDS | _SECOND_WORDS for length in range(len(word) + 1)
)
"""Such words, and what is left of them where the end of a terminal's line cuts them."""
_LONG_ENOUGH = 8
_LEVEL = re.compile(r"\b(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL)\b", re.IGNORECASE)
_STEMS = tuple((one.stem, one) for one in PHRASES if len(one.stem) >= _LONG_ENOUGH)


def _rows(message: str) -> Iterator[Phrase]:
    """The rows whose words the message begins with."""
    first, _, rest = message.partition(" ")
    keys = [first, rest.partition(" ")[0]]
    if first.startswith("["):
        keys += rest.split(" ", 2)[1:2]
    for key in keys:
        yield from _BY_KEY.get(key, ())


def may_be_told(message: bytes) -> bool:
    """Whether a message, or its first 160 bytes, can be in the table; all others it cannot."""
    first, _, rest = message.partition(b" ")
    if first[:1] == b"[" and first not in _BEGINNINGS:
        first, _, rest = rest.partition(b" ")
    second, more, _ = rest.partition(b" ")
    return (
        not more
        or first in _BEGINNINGS
        or second in _SECOND_WORDS
        or b"%b %b" % (first, second) in _BEGINNINGS
    )


def read(message: str) -> Found | None:
    """What a message says, if the table has a row for the whole of it."""
    for phrase in _rows(message):
        if found := phrase.match(message):
            return found
    return None


def may_begin(message: str) -> bool:
    """Whether the message, which matched nothing, may be the first part of one that would."""
    start = message.partition("] ")[2] if message.startswith("[") else message
    words = start.split(" ", 2)
    if len(words) == 1 or (len(words) == _FEW and words[1].encode() in _CUT_WORDS):
        return True
    rest = start[len(words[0]) :]
    return any(_agree(rest if one in _VARIED else start, one.stem) for one in _rows(message))


def _agree(start: str, stem: str) -> bool:
    """Whether both are the same as far as the shorter of them goes."""
    return start.startswith(stem) or stem.startswith(start)


def search(message: str) -> Found | None:
    """What stands at the end of a line of unknown form, if the table has a row for it.

    Only behind the name of a level, as every format has one, for anybody may quote a wording;
    what is printed and never logged may stand anywhere.
    """
    level = _LEVEL.search(message)
    for stem, phrase in _STEMS:
        is_printed = phrase.wording.versions == "printed"
        at = message.rfind(stem)
        if at < 0 or not (is_printed or (level and level.end() <= at)):
            continue
        if phrase in _VARIED:
            at = message.rfind(" ", 0, at) + 1
        if found := phrase.match(message, at):
            return found
    return None
