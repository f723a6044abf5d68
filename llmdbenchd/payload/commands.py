"""The answers of `serve.py` on stdout, for whoever can only execute commands here."""

from __future__ import annotations

import json
import os
import sys
from urllib.parse import unquote_to_bytes

from llmdbenchd.payload.barrier import GO, READY
from llmdbenchd.payload.lying import Missing, Results

MISSING, USAGE = 4, 64


def answered(words: list[str], results: Results) -> int:
    """Give the answer on stdout; returns an exit code."""
    try:
        return _answer(words, results)
    except Missing:
        return MISSING
    except ValueError as error:
        sys.stderr.write(f"serve.py: {error}\n")
        return USAGE
    except OSError as error:
        sys.stderr.write(f"serve.py: {error}\n")
        return 1


def has(root: str, name: str) -> bool:
    """Whether a word of this name was left."""
    return os.path.lexists(os.path.join(root, name))


def leave_word(root: str, name: str) -> None:
    """An empty file for the launcher beside us; again is fine.

    Raises:
        OSError: it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    os.close(os.open(os.path.join(root, name), flags, 0o644))


def _answer(words: list[str], results: Results) -> int:
    out = sys.stdout.buffer
    if words == ["folders"]:
        out.write(json.dumps(results.folders()).encode("ascii"))
        out.flush()
        return 0
    if words == ["barrier"]:
        out.write(json.dumps(has(results.root, READY)).encode("ascii"))
        out.flush()
        return 0
    if words == ["go"]:
        leave_word(results.root, GO)
        return 0
    kind, folder, *more = words
    if kind == "manifest":
        out.write(json.dumps(results.manifest(folder, final=True)).encode("ascii"))
    elif kind == "small":
        limit, most, *after = more
        for block in results.packed(folder, int(limit), _unquoted("".join(after)), int(most)):
            out.write(block)
    elif kind == "file":
        path, begin, count = more
        with os.fdopen(results.open(folder, _unquoted(path)), "rb") as file:
            file.seek(int(begin))
            out.write(file.read(int(count)))
    else:
        raise ValueError(kind)
    out.flush()
    return 0


def _unquoted(path: str) -> str:
    return unquote_to_bytes(path).decode("utf-8", "surrogateescape")
