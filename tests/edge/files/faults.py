"""A disk that dies, or fills up, at a chosen call.

`kill -9` is an exception that nothing catches; after it the "process" can do no more, so
cleaning up in an `except` does not help it either.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from llmdbenchd.edge.files import kernel

_CALLS = ("open", "write", "fsync", "rename", "replace", "mkdir", "unlink", "rmdir", "link")


class Killed(BaseException):
    """The process is dead."""


class Faulty:
    """Counts the calls that touch the disk, and lets one of them go wrong.

    Attributes:
        calls: how many there were so far.
        struck: whether the chosen call was reached.
    """

    def __init__(self, at: int, error: int | None) -> None:
        self.calls = 0
        self.struck = False
        self._at = at
        self._error = error

    def wrap(self, call: Callable[..., Any], *, name: str) -> Callable[..., Any]:
        """The call, with the fault in it."""

        def faulty(*args: Any, **keywords: Any) -> Any:  # noqa: ANN401 -- any call of `os`
            if self.struck and self._error is None:
                raise Killed
            self.calls += 1
            if self.calls != self._at:
                return call(*args, **keywords)
            self.struck = True
            if name == "write":
                call(args[0], args[1][: len(args[1]) // 2])
            if self._error is None:
                raise Killed
            if name == "_call":
                return self._error
            raise OSError(self._error, os.strerror(self._error))

        return faulty


@contextmanager
def fault(at: int, *, error: int | None = None) -> Iterator[Faulty]:
    """Let call number `at` (from 1) fail with `error`, or kill the process when None.

    A kill in the middle of a write leaves half of it.
    """
    faulty = Faulty(at, error)
    with pytest.MonkeyPatch.context() as patch:
        for name in _CALLS:
            patch.setattr(os, name, faulty.wrap(getattr(os, name), name=name))
        patch.setattr(kernel, "_call", faulty.wrap(kernel._call, name="_call"))
        yield faulty


def killed_at(at: int, life: Callable[[], object]) -> bool:
    """Live until call number `at`; whether it came to that."""
    with fault(at) as faulty:
        try:
            life()
        except Killed:
            return True
        assert not faulty.struck
        return False


FULL = errno.ENOSPC
