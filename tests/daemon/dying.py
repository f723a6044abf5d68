"""`llmdbenchd serve` that dies, as by SIGKILL, right before its n-th step on the filesystem.

The number comes from DIE_AT, counted from the moment all is imported.
"""

import itertools
import os
import signal
import sys
from typing import Any

from llmdbenchd.cli import main, serve

STEPS = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.posix_spawn"})


def watch(die_at: int) -> None:
    """From now on count the steps of all threads."""
    steps = itertools.count(1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and bool(int(arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
        if (writes or event in STEPS) and next(steps) >= die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    serve.register  # noqa: B018 - imported by now, so that imports are no steps
    watch(int(os.environ["DIE_AT"]))
    sys.exit(main(["serve"]))
