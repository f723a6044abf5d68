"""The server that shows results: only below its secret, only files, and nothing above the root."""

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import llmdbenchd.payload
from llmdbenchd.core.results.manifest import parse

SERVE = Path(llmdbenchd.payload.__file__).parent / "serve.py"
SECRET = "0123456789abcdef"  # noqa: S105 - a test's
FOLDER = "inference-perf_1_stack_1"


class Window:
    """A running server, and the folder that it shows."""

    def __init__(self, root: Path, **env: str) -> None:
        self.root = root
        self.results = root / FOLDER
        self.results.mkdir()
        told = {
            "LLMDBENCHD_SERVE_ROOT": str(root),
            "LLMDBENCHD_SERVE_PORT": "0",
            "LLMDBENCHD_SERVE_SECRET": SECRET,
            **env,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SERVE)],
            env=told,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().split()[-1])

    def ask(
        self, path: str, method: str = "GET", secret: str = SECRET, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/{secret}/{path}", headers=names)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body, dict(answer.headers)

    def manifest(self, query: str = "") -> dict[str, Any]:
        """What is told of the folder."""
        status, body, _ = self.ask(f"manifest/{FOLDER}{query}")
        assert status == 200, body
        told: dict[str, Any] = json.loads(body)
        return told

    def end(self) -> None:
        """End it, if it still runs."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Window]:
    made = Window(tmp_path)
    yield made
    made.end()


def test_without_the_secret_there_is_nothing(window: Window) -> None:
    for secret in ("", "wrong", SECRET[:-1], SECRET.upper()):
        assert window.ask("ready", secret=secret)[0] == 404
    assert window.ask("ready")[0] == 200


def test_a_file_is_sent_whole_or_from_a_byte_on(window: Window) -> None:
    (window.results / "a b").write_bytes(b"0123456789")

    status, body, headers = window.ask(f"file/{FOLDER}/a%20b")
    part = window.ask(f"file/{FOLDER}/a%20b", Range="bytes=4-", If_Range=headers["ETag"])
    changed = window.ask(f"file/{FOLDER}/a%20b", Range="bytes=4-", If_Range='"other"')

    assert (status, body) == (200, b"0123456789")
    assert part[:2] == (206, b"456789")
    assert part[2]["Content-Range"] == "bytes 4-9/10"
    assert changed[:2] == (200, b"0123456789")


def test_links_and_what_lies_above_are_never_shown(window: Window, tmp_path: Path) -> None:
    (tmp_path.parent / "outside").write_bytes(b"secret")
    (window.results / "link").symlink_to(tmp_path.parent / "outside")
    (window.results / "folder").symlink_to(tmp_path.parent)
    os.mkfifo(window.results / "pipe")

    for path in ("link", "folder/outside", "../../outside", "pipe", "%2e%2e/x", "folder%2Foutside"):
        assert window.ask(f"file/{FOLDER}/{path}")[0] == 404
    assert window.ask("file/..%2F..%2F/outside")[0] == 404


def test_a_manifest_is_shown_once_the_launcher_has_ended(window: Window) -> None:
    (window.results / "a").write_bytes(b"x")

    assert window.ask(f"manifest/{FOLDER}")[0] == 409
    late = window.manifest("?final=1")

    assert late["maker"] == "late"
    [entry] = parse(late["manifest"].encode())
    assert entry.path == "a"


def test_the_launchers_own_manifest_is_shown_as_it_is(window: Window) -> None:
    (window.results / "a").write_bytes(b"x")
    sha256 = hashlib.sha256(b"x").hexdigest()
    text = f'{{"version": 1}}\n{{"path": "a", "size": 1, "sha256": "{sha256}"}}\n'
    (window.results / "MANIFEST.jsonl").write_text(text)
    (window.results / "DONE.json").write_text("{}")

    assert window.manifest() == {"maker": "launcher", "manifest": text, "done": "{}"}


def test_a_folder_that_never_came_to_be_holds_nothing(window: Window) -> None:
    window.results.rmdir()

    assert window.manifest("?final=1")["manifest"] == '{"version": 1}\n'


def test_small_files_travel_together(window: Window) -> None:
    (window.results / "b").mkdir()
    (window.results / "b" / "one").write_bytes(b"1\n2")
    (window.results / "a").write_bytes(b"")
    (window.results / "large").write_bytes(b"x" * 100)

    status, body, _ = window.ask(f"small/{FOLDER}?limit=10")

    assert status == 200
    assert body == b'{"path": "a", "size": 0}\n{"path": "b/one", "size": 3}\n1\n2'
    assert window.ask(f"small/{FOLDER}?limit=10&after=a")[1].startswith(b'{"path": "b/one"')


def test_it_is_asked_to_stop_the_launcher_and_to_end_itself(window: Window) -> None:
    assert window.ask("stop", "POST")[0] == 200
    assert (window.root / ".llmdbenchd-stop").exists()

    assert window.ask("release", "POST")[0] == 200
    assert window.process.wait(10) == 0


def test_as_process_one_it_must_hear_sigterm_itself(window: Window) -> None:
    window.process.send_signal(signal.SIGTERM)

    assert window.process.wait(10) == 0


def test_nobody_asks_and_it_ends(tmp_path: Path) -> None:
    forgotten = Window(tmp_path, LLMDBENCHD_SERVE_IDLE_S="0.2")

    assert forgotten.process.wait(20) == 0
    forgotten.end()


def test_by_commands_it_answers_the_same(window: Window) -> None:
    (window.results / "a").write_bytes(b"0123456789")
    env = {"LLMDBENCHD_SERVE_ROOT": str(window.root)}

    def run(*words: str) -> bytes:
        command = [sys.executable, "-I", "-S", str(SERVE), *words]
        return subprocess.run(command, env=env, capture_output=True, check=True).stdout

    assert json.loads(run("manifest", FOLDER)) == window.manifest("?final=1")
    assert run("file", FOLDER, "a", "4", "3") == b"456"


def test_a_file_larger_than_what_a_socket_holds_comes_whole(window: Window) -> None:
    content = os.urandom(1 << 20) * 48
    (window.results / "large").write_bytes(content)

    assert window.ask(f"file/{FOLDER}/large")[:2] == (200, content)
