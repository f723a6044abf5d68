"""What one version of vLLM writes: the parser's own table of wordings, read the other way round."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.core.nop.row import Wording
from llmdbenchd.core.nop.wording import TABLE

Version = tuple[int, ...]
_PIECE = re.compile(r"\{([^{}]*)\}")
_OPTIONAL = re.compile(r"<((?:[^<>{}]|\{[^{}]*\})*)>")
_VERSION = re.compile(r"\d+(?:\.\d+){1,3}")
_OPTIONAL_SINCE = {
    " memory": "0.11.2",
    "(s)": "0.8.4",
    ", took {graph_capture_gib} GiB": "0.6.4",
    ", Maximum concurrency for {N} tokens per request: {max_concurrency}x": "0.28",
    " (compilation: {engine_init_compilation_s} s{...})": "0.20.2",
}
"""Parts that a row may leave out, and since when they are written; all others never are."""
_LONG = frozenset({"model_load_s", "weights_download_s", "sleep_s", "wake_s"})
_COUNTS = frozenset({"kv_cache_gpu_blocks", "kv_cache_cpu_blocks"})


class UnknownVersion(ValueError):
    """Its wording is not known; the message says which are."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What stands in a row's slots that hold no named value.

    Attributes:
        numbers: for each `{N}`, in order; 0 where there are fewer.
        rest: for the last `{...}`.
        word: for `{?}`.
        tag: for `{tag}` and `{tags}`.
        text: for `{text:field}`, by field.
    """

    numbers: Sequence[str] = ()
    rest: str = ""
    word: str = "GPU"
    tag: str = ""
    text: Mapping[str, str] = field(default_factory=dict)


_EMPTY = Filling()


@dataclass(frozen=True, slots=True)
class Said:
    """A message.

    Attributes:
        text: as it is written.
        values: by name, that can be read from it.
    """

    text: str
    values: Mapping[str, float] = field(default_factory=dict)


class Wordings:
    """The wordings of one version.

    Attributes:
        label: as the log prints it.
    """

    def __init__(self, asked: str) -> None:
        """Find the version.

        Args:
            asked: such as `0.19` (the newest of these that was looked at) or `0.19.1`.

        Raises:
            UnknownVersion: it is none, or older or newer than all that were looked at.
        """
        if not _VERSION.fullmatch(asked):
            raise UnknownVersion(f"{asked!r} is no version: write 0.19 or 0.19.1")
        wanted = _numbers(asked)
        same = [one for one in _CHECKED if _is_of(one, wanted)]
        older = [one for one in _CHECKED if one <= wanted]
        if not (same or older) or wanted[: len(_CHECKED[-1])] > _CHECKED[-1]:
            first, last = (".".join(map(str, one)) for one in (_CHECKED[0], _CHECKED[-1]))
            raise UnknownVersion(f"the wording of vLLM {asked} is not known: {first} to {last} are")
        self._version = max(same or older)
        self.label = asked if len(wanted) > _SHORT else _label(max(same or [wanted]))

    def since(self, version: str) -> bool:
        """Whether it is this version or a newer one."""
        return self._version >= _numbers(version)

    def say(
        self, mark: str = "", told: Mapping[str, float] | None = None, filling: Filling = _EMPTY
    ) -> Said | None:
        """The message by which this version tells the values, or marks the moment.

        Args:
            mark: of the row.
            told: values by name, in the name's unit; the row that tells most of them is taken.
            filling: of its other slots.

        Returns:
            None if this version writes no such message.
        """
        values = told or {}
        best: tuple[int, str] | None = None
        for row in TABLE:
            if row.mark != mark or not self._writes(row):
                continue
            literal = self._whole(row.literal)
            names = set(_names(literal))
            fields = {one.partition(":")[2] for one in _slots(literal) if one.startswith("text:")}
            if not names <= values.keys() or not fields <= filling.text.keys():
                continue
            if (names or not values) and (best is None or len(names) > best[0]):
                best = len(names), literal
        return None if best is None else _filled(best[1], values, filling)

    def _writes(self, row: Wording) -> bool:
        first, dots, last = row.versions.partition("..")
        if not dots:
            return row.versions != "plugin"  # of another platform than the stand-in's
        until = _numbers(last)
        return _numbers(first) <= self._version and self._version[: len(until)] <= until

    def _whole(self, literal: str) -> str:
        def kept(found: "re.Match[str]") -> str:
            since = _OPTIONAL_SINCE.get(found[1])
            return found[1] if since and self.since(since) else ""

        return _OPTIONAL.sub(kept, literal)


def _filled(literal: str, values: Mapping[str, float], filling: Filling) -> Said:
    numbers = iter(filling.numbers)
    said: dict[str, float] = {}

    def fill(found: "re.Match[str]") -> str:
        name, _, unit = found[1].partition(":")
        if name in NAMES:
            said[name] = values[name]
            return _number(name, values[name] * (1000 if unit == "ms" else 1))
        if name == "text":
            return filling.text[unit]
        is_last = found.end() == literal.rfind("{...}") + len("{...}")
        plain = {"?": filling.word, "tag": filling.tag, "tags": filling.tag,
                 "...": filling.rest if is_last else ""}  # fmt: skip
        return next(numbers, "0") if name == "N" else plain[name]

    return Said(_PIECE.sub(fill, literal), said)


def _number(name: str, value: float) -> str:
    """As vLLM writes it, with more digits where those would say another value."""
    if NAMES[name].unit == "tokens":
        return f"{value:,.0f}"
    if name in _COUNTS:
        return f"{value:.0f}"
    digits = 6 if name in _LONG or round(value, 2) != value else 2
    return f"{value:.{digits}f}"


def _slots(literal: str) -> list[str]:
    return [one[1] for one in _PIECE.finditer(literal)]


def _names(literal: str) -> Iterator[str]:
    return (name for one in _slots(literal) if (name := one.partition(":")[0]) in NAMES)


def _numbers(version: str) -> Version:
    return tuple(map(int, version.split(".")))


def _is_of(version: Version, wanted: Version) -> bool:
    return version[: len(wanted)] == wanted


def _label(version: Version) -> str:
    return ".".join(map(str, (*version, 0, 0)[:3]))


_SHORT = 2  # a version without its last number, which is then the newest
_CHECKED = sorted(
    {_numbers(one) for row in TABLE if ".." in row.versions for one in row.versions.split("..")}
)
"""The versions that the table names; others are worded like the newest before them."""
