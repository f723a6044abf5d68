"""What people read first: `summary.txt` of the analysis, the end of what the harness printed."""

from __future__ import annotations

import os
from collections.abc import Callable

from llmdbenchd.payload.contract import Code, Context, Refusal

SUMMARY = "summary.txt"
_LONGEST = 256 << 10  # bytes of a log that are looked at, from its end


def native_files(context: Context, is_native: Callable[[str], bool]) -> list[str]:
    """The native result files by name: plain files at the top of the results folder."""
    return sorted(
        entry.name
        for entry in os.scandir(context.results)
        if is_native(entry.name) and entry.is_file(follow_symlinks=False)
    )


def summarise(context: Context, source: str, heading: str = "") -> None:
    """Write the summary: `source`, a file among the results, from its last line with `heading`.

    Wordings change: without such a line it is the end of the file, never nothing. Without the
    file, or with an empty one, there is no summary.

    Raises:
        Refusal: it cannot be written.
    """
    write(context, _from_heading(_end(os.path.join(context.results, source)), heading.encode()))


def write(context: Context, text: bytes) -> None:
    """Write the summary, unless there is nothing in it.

    Raises:
        Refusal: it cannot be written.
    """
    if not text.strip():
        return
    path = os.path.join(context.analysis, SUMMARY)
    try:
        os.makedirs(context.analysis, exist_ok=True)
        with open(path, "wb") as file:
            file.write(text)
    except OSError as error:
        sentence = f"{path} cannot be written: {error.strerror}"
        raise Refusal(Code.NOT_WRITTEN, "not written", sentence) from error


def _end(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LONGEST))
            return file.read()
    except OSError:
        return b""


def _from_heading(text: bytes, heading: bytes) -> bytes:
    found = text.rfind(heading) if heading else 0
    return text if found < 0 else text[text.rfind(b"\n", 0, found) + 1 :]
