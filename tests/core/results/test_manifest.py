"""The packing list of a results folder, as text."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmdbenchd.core.results.manifest import (
    Entry,
    FileEntry,
    LinkEntry,
    ManifestError,
    done_sha256,
    mistake_in_path,
    parse,
    render,
)

SHA = hashlib.sha256(b"").hexdigest()
PARTS = st.text(min_size=1, max_size=20).filter(lambda part: not mistake_in_path(part))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join).filter(lambda p: "//" not in p)


def _lines(*objects: object) -> bytes:
    return "".join(f"{json.dumps(line)}\n" for line in ({"version": 1}, *objects)).encode()


def _file(path: str, **fields: object) -> dict[str, object]:
    return {"path": path, "size": 0, "sha256": SHA, **fields}


@settings(deadline=None)  # no timing is a test
@given(st.sets(PATHS, max_size=6), st.integers(min_value=0))
def test_what_is_rendered_is_read_back_sorted(paths: set[str], size: int) -> None:
    separate = [p for p in paths if not any(other.startswith(f"{p}/") for other in paths)]
    entries: list[Entry] = [FileEntry(path, size, SHA) for path in separate]

    assert parse(render(reversed(entries))) == tuple(sorted(entries, key=lambda e: e.path))


def test_links_and_names_that_are_no_text_are_kept() -> None:
    entries = (LinkEntry("latest", "../../elsewhere"), FileEntry("odd\udcff.json", 3, SHA))

    assert parse(render(entries)) == entries


def test_a_folder_without_files_has_a_manifest_too() -> None:
    assert parse(render(())) == ()


def test_keys_of_later_days_are_passed_over() -> None:
    assert parse(_lines(_file("a", mode=0o644, mtime=1.5))) == (FileEntry("a", 0, SHA),)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty or cut off"),
        (_lines(_file("a"))[:-1], "cut off"),
        (b"[]\n", "line 1: not an object"),
        (b'{"version": 0}\n', "line 1: not"),
        (b'{"version": true}\n', "line 1: not"),
        (b'{"path": "a"}\n', "line 1: not"),
        (b'{"version": 2}\n', "version 2 is newer than this program knows (1)"),
        (_lines(_file("a")) + b"{\n", "line 3: not JSON"),
        (_lines(_file("a")) + b"\n", "line 3: not JSON"),
        (_lines(_file("a")) + b"\xff\n", "line 3: not JSON"),
        (_lines({"size": 1}), "line 2: no path"),
        (_lines(_file("a", size=-1)), "line 2: a: no size"),
        (_lines(_file("a", size=True)), "line 2: a: no size"),
        (_lines(_file("a", sha256=SHA.upper())), "line 2: a: no SHA-256"),
        (_lines(_file("a", sha256="")), "line 2: a: no SHA-256"),
        (_lines(_file("a"), _file("b"), _file("a")), "line 4: a is also in line 2"),
        (_lines(_file("a/b"), {"path": "a", "link": "/etc"}), "line 2: a/b lies below a"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_its_line(content: bytes, complaint: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(content)

    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "..", "../a", "a/../b", "a//b", "a/", "./a", "a\0b", "x" * 256]
)
def test_no_path_leaves_the_results_folder(path: str) -> None:
    with pytest.raises(ManifestError, match="line 2: path"):
        parse(_lines(_file(path)))


def test_the_done_mark_knows_the_manifests_hash_or_nothing() -> None:
    assert done_sha256(json.dumps({"version": 1, "manifest_sha256": SHA}).encode()) == SHA
    assert done_sha256(b'{"version": 1}') is None
    assert done_sha256(b'{"version": 1, "manifest_sha256": null}') is None
    with pytest.raises(ManifestError, match=r"DONE\.json: version 2 is newer"):
        done_sha256(b'{"version": 2}')
    with pytest.raises(ManifestError, match=r"DONE\.json: not JSON"):
        done_sha256(b"{")
    with pytest.raises(ManifestError, match=r"DONE\.json: not an object"):
        done_sha256(b"[]")
