"""The endpoint's key: how a load generator gets it, and that it is nowhere among the results."""

from __future__ import annotations

import os

from llmdbenchd.payload import keyed
from llmdbenchd.payload.contract import Command, Context, program

SHORTEST = 8  # bytes of a key that are no word of some result by chance
PIECE = 1 << 20


def command(name: str, argv: list[str], env: dict[str, str], context: Context) -> Command:
    """The program `name` as it stands, or with the key where the launcher has one.

    Raises:
        Refusal: with a key it must be found, and it is not there.
    """
    if not env.get(keyed.KEY):
        return Command(argv, env, context.workspace)
    beside = os.path.dirname(program(name, env))  # its own Python lies there
    python = os.path.join(beside, "python3")
    with_key = [python, os.path.abspath(keyed.__file__), name, *argv[1:]]
    return Command(with_key, env, context.workspace, told=argv)


def blot(folder: str, key: str) -> list[str]:
    """Put stars over the key in every file below the folder; returns the paths that had it.

    No program that we know writes it. A program of another version may, and a result that
    has come home cannot be called back.
    """
    secret = key.encode()
    if len(secret) < SHORTEST:
        return []
    found = []
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(where, name)
            if os.path.isfile(path) and not os.path.islink(path) and _blotted(path, secret):
                found.append(os.path.relpath(path, folder))
    return sorted(found)


def _blotted(path: str, secret: bytes) -> bool:
    """Whether the file had it; a place at a time, so that a file of any size will do."""
    had_it, begin, overlap = False, 0, len(secret) - 1
    with open(path, "r+b") as file:
        while True:
            file.seek(begin)
            piece = file.read(PIECE + overlap)
            at = piece.find(secret)
            if at >= 0:
                file.seek(begin + at)
                file.write(b"*" * len(secret))
                had_it = True
            elif len(piece) <= overlap:
                return had_it
            else:
                begin += max(1, len(piece) - overlap)
