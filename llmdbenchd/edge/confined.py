"""The confinement: what we let others' code do, in a process that must not outlive us.

    PYTHON -I -S confined.py PARENT MEMORY PROGRAM ARGUMENT...

becomes that program, so that it is confined before its first instruction. Standard library only.
"""

import ctypes
import os
import resource
import signal
import sys

_NICENESS = 10
_LARGEST_FILE = 1 << 30  # bytes; what is said goes into one, too
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Be killed when the process `parent`, our own, ends; what it becomes is told likewise.

    Two daemons' children must never write the same file: the dead one's go with it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the daemon is gone")


def confine(memory_bytes: int) -> None:
    """Bound the address space, leave no core, and let everybody else go first."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_NICENESS)


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    confine(int(sys.argv[2]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    try:
        os.execv(sys.argv[3], sys.argv[3:])  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{sys.argv[3]} cannot be run: {error.strerror}")
