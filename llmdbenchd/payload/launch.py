"""What runs in a launcher, on every engine: one harness, once, and proof of what it did.

    python3 -I -S launch.py

The contract is the environment (see `contract.Context`). The harness's output goes byte by
byte into `stdout.log` and `stderr.log` among the results and to our own stdout and stderr.
However it ends, `run_metadata.yaml`, `MANIFEST.jsonl` and, last, `DONE.json` are written:

    {"version": 1, "harness_rc": int | null, "signal": int | null, "stopped": bool,
     "started": ISO-8601 | null, "stopped_at": ISO-8601 | null, "exit_code": int,
     "manifest_sha256": hex | null, "facts": {...}, "problems": [{"kind", "detail"}]}

`signal` killed the harness; `stopped` says that we were asked to end while it ran.
Exit code: the harness's, 128 + N when signal N killed it or asked us to end (143), or one
of `contract.Code`. SIGTERM, SIGINT and SIGHUP end the harness within the grace period.

Standard library only, Python 3.9 or newer, and nothing is imported before it is needed:
the time from our start to the harness's start is part of every run.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

HERE = os.path.dirname(os.path.abspath(__file__))


def become_a_package() -> None:
    """Let the files beside this one be `llmdbenchd.payload` where no such package exists.

    They may also lie in LLMDBENCHD_PAYLOAD_DIR, should this file be mounted on its own.
    """
    folders = [HERE, os.environ.get("LLMDBENCHD_PAYLOAD_DIR") or HERE]
    for name, path in (("llmdbenchd", []), ("llmdbenchd.payload", folders)):
        package = ModuleType(name)
        package.__path__ = path
        sys.modules[name] = package


def keep_low_numbers() -> None:
    """Open what is closed of stdin, stdout and stderr: no file of ours may get its number."""
    for low in range(3):
        try:
            os.fstat(low)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    keep_low_numbers()
    become_a_package()
    if sys.argv[1:] == ["analyse"]:  # no launcher: results that have come home
        from llmdbenchd.payload.analyst import main
    else:
        from llmdbenchd.payload.launcher import main

    sys.exit(main(os.path.join(HERE, "harness")))
