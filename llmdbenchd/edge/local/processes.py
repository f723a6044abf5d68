"""The local room's eye on processes: who lives, who came out of whom. Read from `/proc`.

Imported by the shim: standard library only, and nothing that takes long to import.
"""

import os


def stat_fields(pid: int) -> list[str]:
    """The fields of `/proc/PID/stat` from the state (the third) on; empty when it is gone."""
    try:
        text = _read(f"/proc/{pid}/stat")
    except OSError:
        return []
    return text[text.rindex(b")") + 2 :].decode("ascii").split()


def start_ticks(pid: int) -> int:
    """When the process started, in clock ticks since boot; 0 when it is gone.

    A pid together with its start is never used again within one boot.
    """
    fields = stat_fields(pid)
    return int(fields[19]) if fields else 0


def alive(pid: int, ticks: int) -> bool:
    """Whether that very process still runs (one that waits to be reaped does not)."""
    fields = stat_fields(pid)
    return bool(fields) and fields[0] not in "ZX" and int(fields[19]) == ticks


def descendants(ancestor: int) -> set[int]:
    """Pids of the living children of `ancestor`, their children, and so on."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        fields = stat_fields(pid)
        if fields and fields[0] not in "ZX":
            children.setdefault(int(fields[1]), []).append(pid)
    found: set[int] = set()
    unseen = [ancestor]
    while unseen:
        below = children.get(unseen.pop(), [])
        found.update(below)
        unseen.extend(below)
    return found


def carrying(variable: str, value: str) -> set[int]:
    """Pids of the living processes that were started with this environment variable."""
    wanted = f"{variable}={value}".encode()
    found = set()
    for pid in _pids():
        try:
            environment = _read(f"/proc/{pid}/environ")
        except OSError:
            continue  # gone, or somebody else's
        if wanted in environment.split(b"\0"):
            found.add(pid)
    return found


def send(pid: int, number: int) -> None:
    """Signal one process, or the group `-pid`; gone already is fine."""
    try:
        os.kill(pid, number)
    except OSError:
        return


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 -- pathlib imports slowly


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 -- pathlib imports slowly
        return file.read()
