"""Which version of a program is installed, without starting it: that would take seconds."""

from __future__ import annotations

import os

from llmdbenchd.payload.contract import Context, Refusal, program

_SOURCES = "repos.txt"  # in the field's image: `name: repository commit`, one a line


def version(context: Context, name: str, *distributions: str) -> str:
    """The version of the program `name`, or empty when nothing says it.

    Args:
        context: whose PATH it is sought in.
        name: the program.
        distributions: what it may be installed as, as folders of metadata spell it.
    """
    try:
        return beside(program(name, context.env), *distributions)
    except (OSError, Refusal):
        return ""  # it went away during the load


def beside(path: str, *distributions: str) -> str:
    """The version in the folder of metadata beside the program `path`; or empty."""
    with open(path, "rb") as file:
        first = file.readline(4096)
    interpreter = os.fsdecode(first[2:].strip()) if first.startswith(b"#!/") else path
    for beside_it in (path, interpreter, os.path.realpath(path)):
        for folder in _packages(os.path.dirname(os.path.dirname(beside_it))):
            names = os.listdir(folder)
            for start in (f"{distribution}-" for distribution in distributions):
                for name in names:
                    if name.startswith(start) and name.endswith(".dist-info"):
                        return name[len(start) : -len(".dist-info")]
    return ""


def commit(context: Context, source: str) -> str:
    """The commit of a source tree that the image was built from, or empty."""
    try:
        with open(os.path.join(context.workspace, _SOURCES), encoding="utf-8") as file:
            for line in file:
                name, _, rest = line.partition(":")
                words = rest.split()
                if name.strip() == source and words:
                    return words[-1]
    except (OSError, UnicodeDecodeError):
        return ""  # it is no image of the field
    return ""


def _packages(prefix: str) -> list[str]:
    """The folders below an installation's prefix that hold Python packages."""
    roots = [os.path.join(prefix, lib) for lib in ("lib", "lib64")]
    return [
        folder
        for root in roots
        for python in (sorted(os.listdir(root)) if os.path.isdir(root) else [])
        if python.startswith("python3")
        for kind in ("site-packages", "dist-packages")
        if os.path.isdir(folder := os.path.join(root, python, kind))
    ]
