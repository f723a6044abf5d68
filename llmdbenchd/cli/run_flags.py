"""The flags of run.sh, out of the table of fields: what each of them writes into a job file."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from llmdbenchd.core.job.row import Row
from llmdbenchd.core.job.variables import TABLE

_TITLE = "run.sh's flags"
_TEXT = "Each writes the field of the job file that it is named after, whatever FILE says."
_WHOLE = frozenset({"number", "seconds"})


class WrongFlag(ValueError):
    """A flag's value has not its form; the message says which, and what it wants."""


def add_run_flags(parser: argparse.ArgumentParser, besides: frozenset[str]) -> None:
    """Add every flag of the table.

    Args:
        parser: the command's; its abbreviations must be off, since run.sh takes none.
        besides: flags that mean something else in this command.
    """
    group = parser.add_argument_group(_TITLE, _TEXT)
    for flags, rows in _by_flags():
        names = [flag for flag in flags if flag not in besides]
        if rows[0].constant:
            group.add_argument(*names, dest=flags[0], action="store_true", help=_help(rows))
        else:
            metavar = ",".join(_metavar(row) for row in rows)
            group.add_argument(*names, dest=flags[0], metavar=metavar, help=_help(rows))


def asked(args: argparse.Namespace) -> dict[str, object]:
    """What the flags say: values by dotted field names; `variables.NAME` where there is none.

    Raises:
        WrongFlag: a value has not the form of its flag.
    """
    given: Mapping[str, object] = vars(args)
    found: dict[str, object] = {}
    for flags, rows in _by_flags():
        value = given.get(flags[0])
        if isinstance(value, str):
            found |= _values(flags[0], rows, value)
        elif value:
            found |= {_place(row): _value(row, row.constant) for row in rows}
    return found


def _by_flags() -> Iterator[tuple[Sequence[str], list[Row]]]:
    with_flags = [row for row in TABLE if row.flags]
    return ((flags, list(rows)) for flags, rows in groupby(with_flags, lambda row: row.flags))


def _values(flag: str, rows: Sequence[Row], text: str) -> dict[str, object]:
    if not text.strip():
        raise WrongFlag(f"{flag} wants a value")
    if not rows[0].part:
        return {_place(rows[0]): _value(rows[0], text)}
    words = [word.strip() for word in text.split(",")]
    if len(words) > len(rows) or not all(words):
        raise WrongFlag(f"{flag} wants {','.join(map(_metavar, rows))}, not {text!r}")
    return {_place(row): _value(row, word) for row, word in zip(rows, words, strict=False)}


def _place(row: Row) -> str:
    return row.field or f"variables.{row.variables[0]}"


def _value(row: Row, text: str) -> object:
    """The value as people would write it; the job file's reader judges what it is worth."""
    if row.field and row.type in _WHOLE and text.isascii() and text.isdigit():
        return int(text)
    if row.field and row.constant:
        return True if text == "true" else text
    return text


def _metavar(row: Row) -> str:
    return (row.field.rpartition(".")[2] or row.type).upper().replace("KEPT", "TEXT")


def _help(rows: Sequence[Row]) -> str:
    return "; ".join(_line(row) for row in rows).replace("%", "%%")


def _line(row: Row) -> str:
    names = ", ".join(filter(None, (row.field, *row.variables)))
    default = f", default {row.default}" if row.default else ""
    return f"{row.meaning} ({names}{default})"
