"""The machine's part: what one durable write costs here, before anything of ours runs."""

import os
import time
from pathlib import Path

from bench.table import Row, p50_and_p90

NAME = "disk"
TITLE = "The disk itself"
FULL, QUICK = 200, 50


def measure(folder: Path, count: int) -> list[Row]:
    """Time `count` times write, fsync, rename, fsync of the folder, for 1 KB."""
    parts: dict[str, list[float]] = {"fsync of a new 1 KB file": [], "fsync of its folder": []}
    for number in range(count):
        parts["fsync of a new 1 KB file"].append(_file(folder / f"{number}.part"))
        (folder / f"{number}.part").rename(folder / str(number))
        parts["fsync of its folder"].append(_synced(folder))
    return [row for what, times in parts.items() for row in p50_and_p90(what, times)]


def write_durably(path: Path, data: bytes) -> None:
    """The bare loop's body: write, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _synced(path.parent)


def _file(path: Path) -> float:
    with path.open("wb") as file:
        file.write(b"x" * 1000)
        file.flush()
        began = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000


def _synced(folder: Path) -> float:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        began = time.perf_counter()
        os.fsync(descriptor)
        return (time.perf_counter() - began) * 1000
    finally:
        os.close(descriptor)
