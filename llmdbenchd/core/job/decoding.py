"""The door for bytes: what is not a text of sensible size goes no further."""

import codecs
import re

from llmdbenchd.core.job.problems import Problem, lines_of

LARGEST = 1024 * 1024  # bytes

_WIDE = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark is its beginning
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_CONTROL = re.compile(  # what YAML does not allow in a text
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)


def decode(data: bytes) -> str | Problem:
    """The text in the bytes, without a byte order mark; or why there is none."""
    if len(data) > LARGEST:
        return _whole(f"is larger than {LARGEST} bytes (1 MiB)", "a job file has a few lines")
    for mark, name in _WIDE.items():
        if data.startswith(mark):
            return _whole(f"is {name}, not UTF-8", "save it as UTF-8")
    if b"\0" in data:
        return _binary(data)
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(data.removeprefix(codecs.BOM_UTF8), error)
    return _control(text) or text


def _binary(data: bytes) -> Problem:
    line = data.count(b"\n", 0, data.index(b"\0")) + 1
    half = len(data) // 2
    if data.count(b"\0") * 3 >= half:
        return Problem(line, 1, "", "is UTF-16 or binary, not UTF-8 text", "save it as UTF-8")
    return Problem(line, 1, "", f"is binary: a NUL byte in line {line}", "a job file is YAML text")


def _not_utf8(data: bytes, error: UnicodeDecodeError) -> Problem:
    before = data[: error.start]
    start = before.rfind(b"\n") + 1
    line = before.count(b"\n") + 1
    column = len(before[start:].decode("utf-8")) + 1
    byte = data[error.start]
    return Problem(
        line, column, "", f"is not UTF-8: byte 0x{byte:02x} in line {line}", "save it as UTF-8"
    )


def _control(text: str) -> Problem | None:
    found = _CONTROL.search(text)
    if found is None:
        return None
    lines = lines_of(text[: found.start()])
    message = f"holds the control character U+{ord(found.group()):04X}"
    return Problem(len(lines), len(lines[-1]) + 1, "", message, "remove it")


def _whole(message: str, hint: str) -> Problem:
    return Problem(1, 1, "", message, hint)
