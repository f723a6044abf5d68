"""The kinds of values that fields have: each reads every accepted form, or says why not.

Every kind is a check that runs before pydantic's own and leaves it nothing to complain
about, so one mistake is one error, whatever unions the type is made of. Text is accepted
wherever a variable may set the field, because variables hold text.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from llmdbenchd.core.job.mistakes import mistake
from llmdbenchd.core.job.problems import did_you_mean, quoted

Object = Mapping[str, object]
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


class DateText(str):
    """A date that was written without quotes: text, but YAML's own idea of a date."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class OrText:
    """Annotation: JSON Schema shall know the short form of a field, a text."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The long form's schema, or a string."""
        return {"anyOf": [{"type": "string"}, handler(core_schema)]}


def text(value: object) -> str:
    """A text that is not empty."""
    if isinstance(value, DateText) or not isinstance(value, str):
        raise mistake("wants text", wants_text=True)
    if not value.strip():
        raise mistake("is empty", "write a value, or remove the line")
    return str(value)


def flag(value: object) -> bool:
    """True or false, also as variables write it."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise mistake("wants true or false")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number in a range."""

    lowest: int
    highest: int

    def __call__(self, value: object) -> int:
        """The number."""
        number = as_number(value)
        if number is None or not number.is_integer():
            raise mistake(f"wants a whole number, {self.lowest} to {self.highest}")
        if not self.lowest <= number <= self.highest:
            raise mistake(f"wants {self.lowest} to {self.highest}")
        return int(number)


@dataclass(frozen=True, slots=True)
class Choice:
    """One word out of a few."""

    words: tuple[str, ...]

    def __call__(self, value: object) -> str:
        """The word."""
        listed = ", ".join(self.words)
        if not isinstance(value, str):
            raise mistake(f"wants one of {listed}", wants_text=True)
        if value not in self.words:
            hint = did_you_mean(value, self.words)
            raise mistake(f"wants one of {listed}, not {quoted(value)}", hint)
        return value


def fraction(value: object) -> float:
    """A share, 0 to 1."""
    number = as_number(value)
    if number is None:
        raise mistake("wants a number, 0 to 1")
    if not 0 <= number <= 1:
        hint = f"{number / 100:g}" if 1 < number <= 100 else ""  # noqa: PLR2004 - per cent
        raise mistake("wants 0 to 1", hint and f"did you mean {hint}?")
    return number


def instant(value: object) -> datetime:
    """A moment with its time zone."""
    if not isinstance(value, str):
        raise mistake("wants a time such as 2026-03-01T08:00:00Z", wants_text=True)
    try:
        when = datetime.fromisoformat(value.strip())
    except ValueError:
        raise mistake(
            f"{quoted(value)} is not an ISO-8601 time", "write 2026-03-01T08:00:00Z"
        ) from None
    if when.tzinfo is None:
        raise mistake("has no time zone", "end it with Z (UTC), or +02:00")
    return when


def parts(value: object) -> tuple[object, ...]:
    """A list, or names joined by commas; no name twice."""
    if isinstance(value, str):
        text(value)
        return _different(tuple(part.strip() for part in value.split(",")))
    if isinstance(value, list | tuple):
        return _different(tuple(value))
    raise mistake("wants a list, or names joined by commas", wants_text=True)


def mapping_or_text(value: object) -> object:
    """A mapping, or a text."""
    return value if isinstance(value, dict) else text(value)


def as_number(value: object) -> float | None:
    """The finite number in a value or its text, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _different(values: tuple[object, ...]) -> tuple[object, ...]:
    if not values:
        raise mistake("is an empty list", "write a value, or remove the line")
    seen: set[str] = set()
    for index, value in enumerate(values):
        if not isinstance(value, str):
            continue
        if not value:
            raise mistake("has an empty name between its commas", at=(index,))
        if value in seen:
            raise mistake(f"names {quoted(value)} twice", at=(index,))
        seen.add(value)
    return values


_LIST = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_REFERENCE = {"anyOf": [{"type": "string"}, {"type": "object"}]}

Text = Annotated[str, Field(min_length=1), BeforeValidator(text)]
Flag = Annotated[bool, BeforeValidator(flag)]
Count = Annotated[int, Field(ge=1, le=1000), BeforeValidator(Whole(1, 1000))]
Seconds = Annotated[int, Field(ge=0, le=31_536_000), BeforeValidator(Whole(0, 31_536_000))]
Patience = Annotated[int, Field(ge=1, le=31_536_000), BeforeValidator(Whole(1, 31_536_000))]
Port = Annotated[int, Field(ge=1, le=65535), BeforeValidator(Whole(1, 65535))]
Priority = Annotated[int, Field(ge=-100, le=100), BeforeValidator(Whole(-100, 100))]
Fraction = Annotated[float, Field(ge=0, le=1), BeforeValidator(fraction)]
Instant = Annotated[
    datetime,
    BeforeValidator(instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Texts = Annotated[tuple[Text, ...], BeforeValidator(parts), WithJsonSchema(_LIST)]
TextOrMapping = Annotated[
    str | Object, BeforeValidator(mapping_or_text), WithJsonSchema(_REFERENCE)
]
EngineName = Annotated[
    Literal["auto", "kubernetes", "local"], BeforeValidator(Choice(("auto", "kubernetes", "local")))
]
StorageMode = Annotated[
    Literal["claim", "ephemeral"], BeforeValidator(Choice(("claim", "ephemeral")))
]
AccessMode = Annotated[
    Literal["ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"],
    BeforeValidator(Choice(("ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"))),
]
LoggingLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(Choice(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))),
]


def spelled(check: Callable[[str], None]) -> BeforeValidator:
    """A text that `check` finds nothing wrong with (it raises a `mistake`)."""

    def checked(value: object) -> str:
        word = text(value)
        check(word)
        return word

    return BeforeValidator(checked)
