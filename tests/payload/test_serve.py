"""The server that shows results: only below its secret, only files, and nothing above the root."""

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import llmdbenchd.payload
from llmdbenchd.edge.kubernetes.framing import Unpacker
from llmdbenchd.payload.lying import order

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
        self,
        path: str,
        method: str = "GET",
        *,
        secret: str = SECRET,
        host: str = "127.0.0.1",
        **headers: str,
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection(host, self.port, timeout=10)) as connection:
            connection.request(method, f"/{secret}/{path}", headers=names)
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.headers)

    @contextmanager
    def asking(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """An answer that is read bit by bit."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", f"/{SECRET}/{path}")
            yield connection.getresponse()

    def run(self, *words: str) -> bytes:
        """What a command says on stdout."""
        env = {"LLMDBENCHD_SERVE_ROOT": str(self.root)}
        command = [sys.executable, "-I", "-S", str(SERVE), *words]
        return subprocess.run(command, env=env, capture_output=True, check=True).stdout

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


def test_the_folders_below_the_root_are_told_and_nothing_else(window: Window) -> None:
    for name in ("b", ".llmdbenchd-barrier-x", "lost+found"):
        (window.root / name).mkdir()
    (window.root / "file").write_bytes(b"x")
    (window.root / "link").symlink_to(window.root / "b")

    status, body, _ = window.ask("folders")

    assert (status, json.loads(body)) == (200, ["b", FOLDER])
    assert json.loads(window.run("folders")) == ["b", FOLDER]


def test_a_manifest_is_shown_once_the_launcher_has_ended(window: Window) -> None:
    (window.results / "a").write_bytes(b"x")

    assert window.ask(f"manifest/{FOLDER}")[0] == 409
    late = window.manifest("?final=1")

    sha256 = hashlib.sha256(b"x").hexdigest()
    assert late == {
        "maker": "late",
        "manifest": None,
        "done": None,
        "late": [{"path": "a", "size": 1, "sha256": sha256}],
    }


def test_the_launchers_own_manifest_is_shown_as_it_is(window: Window) -> None:
    (window.results / "a").write_bytes(b"x")
    sha256 = hashlib.sha256(b"x").hexdigest()
    text = f'{{"version": 1}}\n{{"path": "a", "size": 1, "sha256": "{sha256}"}}\n'
    (window.results / "MANIFEST.jsonl").write_text(text)
    (window.results / "DONE.json").write_text("{}")

    told = window.manifest()

    assert told == {"maker": "launcher", "manifest": text, "done": "{}", "late": []}


def test_what_a_manifest_does_not_list_is_told_beside_it(window: Window) -> None:
    (window.results / "MANIFEST.jsonl").write_text('{"version": 1}\n')
    (window.results / "DONE.json").write_text("{}")
    (window.results / "folder").mkdir()
    (window.results / "to folder").symlink_to("folder")
    (window.results / "folder" / "late").write_bytes(b"")

    told = window.manifest()

    assert told["maker"] == "late"
    assert told["manifest"] == '{"version": 1}\n'
    assert [entry["path"] for entry in told["late"]] == ["to folder", "folder/late"]
    assert told["late"][0]["link"] == "folder"


def test_a_folder_that_never_came_to_be_holds_nothing(window: Window) -> None:
    window.results.rmdir()

    told = window.manifest("?final=1")

    assert told == {"maker": "late", "manifest": None, "done": None, "late": []}


def test_small_files_travel_together(window: Window) -> None:
    (window.results / "b").mkdir()
    (window.results / "b" / "one").write_bytes(b"1\n2")
    (window.results / "a").write_bytes(b"")
    (window.results / "large").write_bytes(b"x" * 100)

    status, body, _ = window.ask(f"small/{FOLDER}?limit=10")

    assert status == 200
    assert body == b'{"path": "a", "size": 0}\n{"path": "b/one", "size": 3}\n1\n2'
    assert window.ask(f"small/{FOLDER}/a?limit=10")[1].startswith(b'{"path": "b/one"')
    assert window.ask(f"small/{FOLDER}/b/one?limit=10")[:2] == (200, b"")


def test_small_files_come_as_a_walk_meets_them_from_any_of_them_on(window: Window) -> None:
    paths = ["b", "z", "a/1", "a/2", "a/c/0", "a-b/0"]
    for path in reversed(paths):
        (window.results / path).parent.mkdir(parents=True, exist_ok=True)
        (window.results / path).write_bytes(path.encode())

    def after(path: str) -> list[str]:
        body = window.ask(f"small/{FOLDER}{path and '/'}{path}")[1]
        return [found for found, _ in Unpacker(1000).feed(body)]

    assert after("") == paths == sorted(paths, key=order)
    for number, path in enumerate(paths):
        assert after(path) == paths[number + 1 :]
    assert after("a/0") == paths[2:]


def test_a_name_need_not_be_utf_8(window: Window) -> None:
    name = os.fsdecode(b"caf\xe9 +%")
    (window.results / name).write_bytes(b"1")
    quoted = quote(os.fsencode(name))

    assert window.ask(f"file/{FOLDER}/{quoted}")[:2] == (200, b"1")
    assert Unpacker(9).feed(window.ask(f"small/{FOLDER}")[1]) == [(name, b"1")]
    assert window.ask(f"small/{FOLDER}/{quoted}")[:2] == (200, b"")
    assert window.run("file", FOLDER, quoted, "0", "9") == b"1"
    assert window.run("small", FOLDER, "9", "9", quoted) == b""
    assert window.manifest("?final=1")["late"][0]["path"] == name


def test_a_file_that_goes_away_in_mid_answer_is_left_out_of_it(window: Window) -> None:
    names = [f"{number:03}" for number in range(100)]
    for name in names:
        (window.results / name).write_bytes(bytes(1 << 19))  # more than sockets hold
    with window.asking(f"small/{FOLDER}") as answer:
        begun = answer.read(1 << 19)
        (window.results / names[-1]).unlink()
        (window.results / names[-2]).unlink()
        (window.results / names[-2]).symlink_to("/etc/passwd")
        body = begun + answer.read()

    assert [path for path, _ in Unpacker(1 << 20).feed(body)] == names[:-2]


def test_a_file_that_becomes_shorter_in_mid_answer_cuts_it_off(window: Window) -> None:
    size = 1 << 26
    (window.results / "large").write_bytes(bytes(size))
    with window.asking(f"file/{FOLDER}/large") as answer:
        begun = len(answer.read(1000))
        os.truncate(window.results / "large", 2000)
        with pytest.raises(http.client.IncompleteRead) as caught:
            answer.read()

    assert begun + len(caught.value.partial) < size
    assert not caught.value.partial.strip(b"\0")  # and no word of ours is among the bytes


def test_what_cannot_be_shown_is_said_before_anything_is_promised(window: Window) -> None:
    assert window.ask("small/nothing")[0] == 404
    assert window.ask(f"file/{FOLDER}/nothing")[0] == 404
    assert window.ask(f"small/{FOLDER}?limit=much")[0] == 500


def test_either_family_of_addresses_is_heard(window: Window) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")

    assert window.ask("ready", host="127.0.0.1")[0] == 200
    assert window.ask("ready", host="::1")[0] == 200


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
    (window.results / "b").write_bytes(b"x")

    assert json.loads(window.run("manifest", FOLDER)) == window.manifest("?final=1")
    assert window.run("file", FOLDER, "a", "4", "3") == b"456"
    assert window.run("small", FOLDER, "9", "9") == window.ask(f"small/{FOLDER}?limit=9")[1]


def test_a_file_larger_than_what_a_socket_holds_comes_whole(window: Window) -> None:
    content = os.urandom(1 << 20) * 48
    (window.results / "large").write_bytes(content)

    assert window.ask(f"file/{FOLDER}/large")[:2] == (200, content)


def test_a_launcher_beside_us_that_could_begin_is_told_to(window: Window) -> None:
    assert window.ask("barrier")[:2] == (200, b"false")
    (window.root / ".llmdbenchd-ready").touch()
    assert window.ask("barrier")[:2] == (200, b"true")
    assert not (window.root / ".llmdbenchd-go").exists()

    assert [window.ask("go", "POST")[0] for _ in range(2)] == [200, 200]
    assert (window.root / ".llmdbenchd-go").exists()
    assert window.ask("go")[0] == 404


def test_by_commands_too(window: Window) -> None:
    (window.root / ".llmdbenchd-ready").touch()
    told = {"LLMDBENCHD_SERVE_ROOT": str(window.root)}
    words = ("barrier", "go")
    done = [
        subprocess.run(
            [sys.executable, "-I", "-S", str(SERVE), word],
            env=told,
            capture_output=True,
            check=False,
        )
        for word in words
    ]

    assert [(one.returncode, one.stdout) for one in done] == [(0, b"true"), (0, b"")]
    assert (window.root / ".llmdbenchd-go").exists()
