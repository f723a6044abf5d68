"""Somebody's log file, piece by piece: plain, gzip or UTF-16, a file or a stream."""

import codecs
import errno
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from llmdbenchd.ports import Refused

CHUNK = 1 << 18
_GZIP = b"\x1f\x8b"
_OTHERS = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"),
    b"\xfd7zXZ\x00": ("xz", "xz -dc"),
    b"BZh": ("bzip2", "bzip2 -dc"),
    b"PK\x03\x04": ("a zip archive", "unzip -p"),
}
_BYTE_ORDERS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_WINDOW_OF_GZIP = 31


def read_log(name: str, standard_input: BinaryIO) -> Iterator[bytes]:
    """The bytes of a log, never more than a piece of it in memory.

    Args:
        name: a path, or `-` for standard input.
        standard_input: what `-` means.

    Raises:
        Refused: there is no such file, it cannot be read, or it is packed in a way that is not
            read here; says what to do.
    """
    if name == "-":
        yield from _pieces("standard input", standard_input)
        return
    try:
        with Path(name).open("rb") as file:
            yield from _pieces(name, file)
    except OSError as error:
        if error.errno == errno.EISDIR:
            raise Refused(f"{name}: is a directory; name the log files in it") from error
        raise Refused(f"{name}: {error.strerror or error}") from error
    except ValueError as error:  # a null byte in the name
        raise Refused(f"{name!r}: {error}") from error


def _pieces(name: str, stream: BinaryIO) -> Iterator[bytes]:
    start = stream.read(CHUNK)
    for magic, (packer, unpack) in _OTHERS.items():
        if start.startswith(magic):
            where = "" if name == "standard input" else f" {name}"
            raise Refused(f"{name}: packed with {packer}; try `{unpack}{where} | llmdbenchd nop -`")
    pieces = _from(start, stream)
    if start.startswith(_GZIP):
        pieces = _unpacked(name, pieces)
    elif order := _BYTE_ORDERS.get(start[:2]):
        pieces = _recoded(order, pieces)
    yield from pieces


def _from(start: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while start:
        yield start
        start = stream.read(CHUNK)


def _unpacked(name: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Every member of a gzip file; one that ends too soon gives what there is of it."""
    unpacker = zlib.decompressobj(_WINDOW_OF_GZIP)
    for piece in pieces:
        packed = piece
        while packed:
            try:
                yield unpacker.decompress(packed, CHUNK)
            except zlib.error as error:
                raise Refused(f"{name}: damaged gzip: {error}") from error
            packed = unpacker.unconsumed_tail
            if unpacker.eof:
                packed = unpacker.unused_data.lstrip(b"\0")
                unpacker = zlib.decompressobj(_WINDOW_OF_GZIP)


def _recoded(order: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(order)("replace")
    for piece in pieces:
        yield decoder.decode(piece).removeprefix("\ufeff").encode("utf-8", "replace")
