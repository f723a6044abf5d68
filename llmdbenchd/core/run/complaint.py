"""What a log complains of: the last line in it that tells of an error."""

import re
from collections.abc import Iterable

_LONGEST = 300  # characters; the rest is in the log
_LEVEL = r"\b(?:ERROR|CRITICAL|FATAL)\b"
_RAISED = r"\b(?:[A-Z]\w*)?(?:Error|Exception)\b: "
_SAID = r"^\s*(?:error|fatal): "
_TELLS = re.compile(f"{_LEVEL}|{_RAISED}|{_SAID}", re.ASCII)


def complaint(lines: Iterable[str]) -> str:
    """The last line that tells of an error, cut to what a sentence holds; empty if none does."""
    last = ""
    for line in lines:
        if _TELLS.search(line):
            last = line
    shown = " ".join("".join(c if c.isprintable() else " " for c in last).split())
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} ..."
