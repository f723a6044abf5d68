"""The room of the launch: what can be said of an image by its reference alone."""

import re

_HOST = r"(?:[a-zA-Z0-9.-]+(?::\d+)?/)?"
_PATH = r"[a-z0-9]+(?:[._/-]+[a-z0-9]+)*"
_TAG = r"(?::(?P<tag>\w[\w.-]{0,127}))?"
_DIGEST = r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
_REFERENCE = re.compile(_HOST + _PATH + _TAG + _DIGEST)
_MOVING = frozenset({"latest", "main", "auto", ""})


def malformed(reference: str) -> bool:
    """Whether no registry could have such an image."""
    return _REFERENCE.fullmatch(reference) is None


def moves(reference: str) -> bool:
    """Whether the reference may be another image tomorrow."""
    found = _REFERENCE.fullmatch(reference)
    return found is not None and not found["digest"] and (found["tag"] or "") in _MOVING
