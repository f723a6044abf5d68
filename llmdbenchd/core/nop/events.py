"""What is told of a log while it grows."""

from dataclasses import dataclass

import msgspec

from llmdbenchd.core.nop.attempt import Failed, Mark, Reading, Ready


@dataclass(frozen=True, slots=True)
class Began:
    """A start began."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """It was asked to end, or ended orderly."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines are missing here."""


What = Began | Reading | Mark | Ready | Failed | Stopped | Gap


class Event(msgspec.Struct, frozen=True):
    """News of one start; a later one of the same line and name takes an earlier one's place."""

    attempt: int
    line: int
    what: What
