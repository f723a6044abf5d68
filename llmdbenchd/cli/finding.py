"""What `doctor` finds: one line each, with a remedy."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check came out; one `bad` makes the answer no."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "?"  # it could not be found out, and nothing can be said without it


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, what was seen, and what to do about it."""

    check: str
    verdict: Verdict
    said: str
    fix: str = ""
