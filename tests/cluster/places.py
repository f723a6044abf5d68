"""The test cluster's places: everything that it builds or keeps lies outside the checkout."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
INSIDE = "LLMDBENCHD_TEST_INSIDE"  # set for a program that `exec` runs: the cluster's state folder


def cache() -> Path:
    """The folder of what costs time to make: LLMDBENCHD_TEST_CACHE, or the user's cache."""
    if own := os.environ.get("LLMDBENCHD_TEST_CACHE"):
        return Path(own).absolute()
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(user).absolute() / "llmdbenchd"


def state() -> Path:
    """The cluster meant when none is named: LLMDBENCHD_TEST_CLUSTER, or one in the cache."""
    if own := os.environ.get("LLMDBENCHD_TEST_CLUSTER"):
        return Path(own).absolute()
    return cache() / "cluster" / "state"


def fingerprint(parts: Iterable[str | bytes | Path]) -> str:
    """Twelve hexadecimal digits that change with any text, or with any file's name or content."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            data = part.name.encode() + b"\0" + part.read_bytes()
        else:
            data = part if isinstance(part, bytes) else part.encode()
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:12]
