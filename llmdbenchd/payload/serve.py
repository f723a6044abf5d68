"""Shows results to the daemon: read-only, over HTTP, below a path that nobody can guess.

    python3 -I -S serve.py                              serve
    python3 -I -S serve.py manifest FOLDER              the same answers on stdout, for exec
    python3 -I -S serve.py file FOLDER PATH FROM COUNT

    LLMDBENCHD_SERVE_ROOT      /requests: results folders lie below it
    LLMDBENCHD_SERVE_PORT      8080; 0 = any, told in the first line on stdout
    LLMDBENCHD_SERVE_SECRET    the first part of every path
    LLMDBENCHD_SERVE_IDLE_S    ends by itself when nobody asked for so long; 0 = never

    GET  /SECRET/ready
    GET  /SECRET/manifest/FOLDER[?final=1]   {"maker": "launcher" | "late", "manifest": text,
                                             "done": text | null}; 409 while the launcher runs
    GET  /SECRET/file/FOLDER/PATH            Range: bytes=N-, ETag, If-Range
    GET  /SECRET/small/FOLDER?limit=BYTES&after=PATH
                                             every file of at most BYTES, sorted by path: a line
                                             {"path", "size"}, then so many bytes, and so on
    POST /SECRET/stop                        asks the launcher beside us to end
    POST /SECRET/release                     ends this server

Paths are quoted bytes. Links are never followed; nothing above the root is read. Standard
library only, Python 3.9 or newer, as all that runs in a launcher's image.
"""

from __future__ import annotations

import hmac
import json
import os
import select
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
STOP_FILE = ".llmdbenchd-stop"
SMALL = 1 << 20
SHORTEST = 16  # characters of a secret


def become_a_package() -> None:
    """Let the files beside this one be `llmdbenchd.payload` where no such package exists."""
    for name, path in (("llmdbenchd", []), ("llmdbenchd.payload", [HERE])):
        package = ModuleType(name)
        package.__path__ = path
        sys.modules[name] = package


if __name__ == "__main__":
    become_a_package()

from llmdbenchd.payload.lying import Missing, Results, Running  # noqa: E402 - found only now


class Server(ThreadingHTTPServer):
    """Knows who may ask, and when somebody last did."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, results: Results, secret: str) -> None:
        super().__init__(("0.0.0.0", port), Handler)  # noqa: S104 - a pod's own address
        self.results = results
        self.secret = secret.encode()
        self.asked = time.monotonic()
        self.busy = 0

    def end(self) -> None:
        """Stop serving, from any thread."""
        threading.Thread(target=self.shutdown).start()

    def watch(self, idle_s: float) -> None:
        """End when nobody asked for so long; a long answer counts as asking."""
        while idle_s:
            time.sleep(min(idle_s, 5.0))
            if not self.busy and time.monotonic() - self.asked > idle_s:
                self.end()
                return


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server
    timeout = 300

    def do_GET(self) -> None:
        """Answer a question."""
        self._guarded("GET")

    def do_POST(self) -> None:
        """Do what is asked."""
        self._guarded("POST")

    def log_message(self, *_: object) -> None:
        """Say nothing: the path holds the secret."""

    def _guarded(self, method: str) -> None:
        self.server.busy += 1
        try:
            self._route(method)
        except Missing:
            self._say(404, b"not found\n")
        except Running:
            self._say(409, b"the launcher has not ended\n")
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        except (OSError, ValueError) as error:
            self._say(500, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
        finally:
            self.server.busy -= 1
            self.server.asked = time.monotonic()

    def _route(self, method: str) -> None:
        url = urlsplit(self.path)
        parts = [unquote_to_bytes(part) for part in url.path.split("/")[1:]]
        if not parts or not hmac.compare_digest(parts[0], self.server.secret):
            raise Missing
        words = [part.decode("utf-8", "surrogateescape") for part in parts[1:]]
        if (method, words) == ("GET", ["ready"]):
            self._say(200, b"ready\n")
        elif (method, words) == ("POST", ["stop"]):
            with open(os.path.join(self.server.results.root, STOP_FILE), "wb"):
                self._say(200, b"asked\n")
        elif (method, words) == ("POST", ["release"]):
            self._say(200, b"bye\n")
            self.server.end()
        elif method == "GET":
            self._show(words, {name: values[-1] for name, values in parse_qs(url.query).items()})
        else:
            raise Missing

    def _show(self, words: list[str], asked: dict[str, str]) -> None:
        kind, folder, path = (*words[:2], "/".join(words[2:])) if words[1:] else ("", "", "")
        if kind == "file" and path:
            self._file(folder, path)
        elif kind == "manifest" and not path:
            found = self.server.results.manifest(folder, final=asked.get("final") == "1")
            self._say(200, json.dumps(found).encode("ascii"))
        elif kind == "small" and not path:
            self._small(folder, int(asked.get("limit", SMALL)), asked.get("after", ""))
        else:
            raise Missing

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _small(self, folder: str, limit: int, after: str) -> None:
        results = self.server.results
        found = results.small(folder, limit, after)
        heads = [_head(path, size) for path, size in found]
        length = sum(map(len, heads)) + sum(size for _, size in found)
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        for (path, size), head in zip(found, heads):  # noqa: B905 - Python 3.9
            self.wfile.write(head)
            fd = results.open(folder, path)
            try:
                self._send(fd, 0, size)
            finally:
                os.close(fd)

    def _file(self, folder: str, path: str) -> None:
        fd = self.server.results.open(folder, path)
        try:
            status = os.fstat(fd)
            tag = f'"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}"'
            begin = self._begin(tag, status.st_size)
            self.send_response(200 if begin is None else 206)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(status.st_size - (begin or 0)))
            if begin is not None:
                last = status.st_size - 1
                self.send_header("Content-Range", f"bytes {begin}-{last}/{status.st_size}")
            self.end_headers()
            self._send(fd, begin or 0, status.st_size - (begin or 0))
        finally:
            os.close(fd)

    def _begin(self, tag: str, size: int) -> int | None:
        """Where the asked part begins; None where the whole file is to be sent."""
        asked, condition = self.headers.get("Range", ""), self.headers.get("If-Range", tag)
        begin = asked[len("bytes=") : -1]
        if not asked.startswith("bytes=") or not asked.endswith("-") or not begin.isdigit():
            return None
        return int(begin) if condition == tag and int(begin) < size else None

    def _send(self, fd: int, begin: int, count: int) -> None:
        self.wfile.flush()
        end = begin + count
        while begin < end:
            try:
                sent = os.sendfile(self.connection.fileno(), fd, begin, min(end - begin, 1 << 26))
            except BlockingIOError:  # a socket with a time-out never waits by itself
                if not select.select([], [self.connection], [], self.timeout)[1]:
                    raise TimeoutError from None
                continue
            if sent == 0:  # it became shorter: the answer is not what was promised
                raise BrokenPipeError
            begin += sent
            self.server.asked = time.monotonic()


def _head(path: str, size: int) -> bytes:
    return json.dumps({"path": path, "size": size}).encode("ascii") + b"\n"


def answer(words: list[str], results: Results) -> int:
    """One answer on stdout, for whoever can only execute commands here."""
    out = sys.stdout.buffer
    try:
        if words[0] == "manifest":
            out.write(json.dumps(results.manifest(words[1], final=True)).encode("ascii"))
        else:
            folder, path, begin, count = words[1:]
            fd = results.open(folder, path)
            out.write(os.pread(fd, int(count), int(begin)))
        out.flush()
    except Missing:
        return 4
    return 0


def main(words: list[str]) -> int:
    """Serve until told to end, or until nobody asks any more."""
    env = os.environ
    results = Results(env.get("LLMDBENCHD_SERVE_ROOT") or "/requests")
    if words:
        return answer(words, results)
    secret = env.get("LLMDBENCHD_SERVE_SECRET", "")
    if len(secret) < SHORTEST:
        sys.stderr.write("LLMDBENCHD_SERVE_SECRET is not set, or too short\n")
        return 64
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as process 1 it would hear nothing
    server = Server(int(env.get("LLMDBENCHD_SERVE_PORT") or 8080), results, secret)
    sys.stdout.write(f"serving on port {server.server_address[1]}\n")
    sys.stdout.flush()
    idle_s = float(env.get("LLMDBENCHD_SERVE_IDLE_S") or 0)
    threading.Thread(target=server.watch, args=(idle_s,), daemon=True).start()
    server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
