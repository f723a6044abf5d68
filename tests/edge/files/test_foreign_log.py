"""Logs of other people's making are read piece by piece, or refused with a word."""

import gzip
import io
import os
from pathlib import Path

import pytest

from llmdbenchd.edge.files.foreign_log import CHUNK, read_log
from llmdbenchd.ports import Refused

NOTHING = io.BytesIO()
TEXT = b"".join(b"line %d of a log\n" % number for number in range(60_000))


def whole(path: Path | str) -> bytes:
    return b"".join(read_log(str(path), NOTHING))


def test_a_file_comes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(TEXT)
    pieces = list(read_log(str(path), NOTHING))

    assert b"".join(pieces) == TEXT
    assert max(map(len, pieces)) <= CHUNK


def test_standard_input_is_a_dash() -> None:
    assert b"".join(read_log("-", io.BytesIO(TEXT))) == TEXT


def test_gzip_is_unpacked_by_pieces_and_every_member_of_it(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"a\n" * CHUNK * 4) + gzip.compress(TEXT) + b"\0\0")
    pieces = list(read_log(str(path), NOTHING))

    assert b"".join(pieces) == b"a\n" * CHUNK * 4 + TEXT
    assert max(map(len, pieces)) <= CHUNK


def test_gzip_that_ends_too_soon_gives_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    packed = gzip.compress(os.urandom(1000) + TEXT)
    path.write_bytes(packed[:-40])

    assert len(whole(path)) > 1000


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"abc")[:10] + b"\xff" * 50)

    with pytest.raises(Refused, match="damaged gzip"):
        whole(path)


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_what_windows_wrote_is_read(tmp_path: Path, order: str) -> None:
    path = tmp_path / "log"
    path.write_bytes("\ufeffe\u0301 INFO\n".encode(order))

    assert whole(path) == "e\u0301 INFO\n".encode()


@pytest.mark.parametrize(
    ("magic", "words"),
    [
        (b"\x28\xb5\x2f\xfd..", "packed with zstd; try `zstd -dc"),
        (b"\xfd7zXZ\x00", "packed with xz"),
        (b"BZh9", "packed with bzip2"),
        (b"PK\x03\x04", "a zip archive"),
    ],
)
def test_other_packers_are_named_with_a_way_out(tmp_path: Path, magic: bytes, words: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(magic)

    with pytest.raises(Refused, match=words):
        whole(path)
    with pytest.raises(Refused, match="standard input"):
        list(read_log("-", io.BytesIO(magic)))


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is a directory; name the log files in it"):
        whole(tmp_path)
    with pytest.raises(Refused, match="No such file"):
        whole(tmp_path / "none")
    with pytest.raises(Refused, match="embedded null"):
        whole("a\0b")
