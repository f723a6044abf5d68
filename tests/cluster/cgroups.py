"""A cluster's own subtree of cgroups: made before its kubelet, removed after its last process."""

import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.trouble import Trouble

_MOUNT = Path("/sys/fs/cgroup")
_NEEDED = ("cpuset", "cpu", "memory", "pids")
_PATIENCE_S = 10.0


def make(name: str) -> None:
    """Make the group in the one hierarchy of v2, or in each of v1.

    Raises:
        Trouble: the controllers of v2 cannot be handed down.
    """
    if (_MOUNT / "cgroup.controllers").exists():
        _hand_down_controllers()
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):
            if hierarchy.name == "cpuset":  # a new group of v1 has no processors and no memory
                (group / file).write_bytes((hierarchy / file).read_bytes())


def remove(name: str) -> None:
    """Remove the group and all below it; nothing happens if there is none.

    Raises:
        Trouble: processes are left in it.
    """
    deadline = time.monotonic() + _PATIENCE_S
    for hierarchy in _hierarchies():
        top = hierarchy / name
        below = [path for path in top.rglob("*") if path.is_dir()] if top.exists() else []
        for group in sorted([top, *below], key=lambda path: -len(path.parts)):
            _remove_one(group, deadline)


def _remove_one(group: Path, deadline: float) -> None:
    while group.exists():
        try:
            group.rmdir()
        except OSError as error:  # the kernel takes a moment to empty a group of killed processes
            if time.monotonic() > deadline:
                raise Trouble(f"{group} is still busy: {error}") from error
            time.sleep(0.02)


def _hierarchies() -> Iterator[Path]:
    if (_MOUNT / "cgroup.controllers").exists():
        yield _MOUNT
        return
    for path in _MOUNT.iterdir():
        if not path.is_symlink() and (path / "cgroup.procs").exists():
            yield path


def _hand_down_controllers() -> None:
    offered = (_MOUNT / "cgroup.controllers").read_text().split()
    if absent := set(_NEEDED) - set(offered):
        raise Trouble(f"cgroup v2 at {_MOUNT} has no controller {', '.join(sorted(absent))}")
    words = " ".join(f"+{name}" for name in offered)
    try:
        (_MOUNT / "cgroup.subtree_control").write_text(words)
    except OSError as error:
        raise Trouble(
            f"cgroup v2: controllers cannot be handed down from {_MOUNT} ({error.strerror}): in a "
            "container, move its processes into a group of their own first"
        ) from error
