"""Shows results to the daemon: read-only, over HTTP, below a path that nobody can guess.

    python3 -I -S serve.py                              serve
    python3 -I -S serve.py manifest FOLDER              the same answers on stdout, for exec
    python3 -I -S serve.py folders
    python3 -I -S serve.py file FOLDER PATH FROM COUNT
    python3 -I -S serve.py small FOLDER LIMIT MOST [PATH]
    python3 -I -S serve.py barrier
    python3 -I -S serve.py go

    LLMDBENCHD_SERVE_ROOT      /requests: results folders lie below it
    LLMDBENCHD_SERVE_PORT      8080; 0 = any, told in the first line on stdout
    LLMDBENCHD_SERVE_SECRET    the first part of every path
    LLMDBENCHD_SERVE_IDLE_S    ends by itself when nobody asked for so long; 0 = never

    GET  /SECRET/ready
    GET  /SECRET/folders                     names of all results folders, a list
    GET  /SECRET/manifest/FOLDER[?final=1]   {"maker": "launcher" | "late",
                                              "manifest": text | null, "done": text | null,
                                              "late": entries that the manifest does not list};
                                             409 without a done mark, unless it is final
    GET  /SECRET/file/FOLDER/PATH            Range: bytes=N-, ETag, If-Range
    GET  /SECRET/small/FOLDER[/PATH][?limit=BYTES]
                                             every file of at most BYTES (1 MiB), of each folder
                                             its files before its folders, from the one after PATH
                                             on: a line {"path", "size"}, then so many bytes, and
                                             so on
    GET  /SECRET/barrier                     true if the launcher beside us could begin
    POST /SECRET/go                          tells it that all could
    POST /SECRET/stop                        asks it to end
    POST /SECRET/release                     ends this server

Paths are quoted bytes, for commands too. Links are never followed; nothing above the root is
read. An answer that cannot be finished is cut off: what was promised and is not there is never
made up. Exit codes: 0 good, 1 it cannot be read, 4 no such thing, 64 wrong usage. Standard
library only, Python 3.9 or newer, as all that runs in a launcher's image.
"""

from __future__ import annotations

import hmac
import json
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import ModuleType
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

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

from llmdbenchd.payload.barrier import GO, READY  # noqa: E402 - found only now
from llmdbenchd.payload.commands import USAGE, answered, has, leave_word  # noqa: E402 - found only now
from llmdbenchd.payload.lying import Missing, Results, Running  # noqa: E402 - found only now


class Server(ThreadingHTTPServer):
    """Knows who may ask, and when somebody last did. A pod's address may be of either family."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, results: Results, secret: str) -> None:
        self.address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        super().__init__(("", port), Handler)
        self.results = results
        self.secret = secret.encode()
        self._asked = time.monotonic()
        self._busy = 0
        self._counting = threading.Lock()

    def server_bind(self) -> None:
        """Take the port on all addresses; what the base class asks of DNS first may take long."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        TCPServer.server_bind(self)

    def count(self, change: int) -> None:
        """So many more ask (or fewer, once their answers are given)."""
        with self._counting:
            self._busy += change
            self._asked = time.monotonic()

    def end(self) -> None:
        """Stop serving, from any thread."""
        threading.Thread(target=self.shutdown).start()

    def end_when_idle(self, idle_s: float) -> None:
        """End when nobody asked for so long; a long answer counts as asking. 0 = never."""
        while idle_s:
            time.sleep(min(idle_s, 5.0))
            with self._counting:
                is_idle = not self._busy and time.monotonic() - self._asked > idle_s
            if is_idle:
                self.end()
                return


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server
    timeout = 300  # seconds in which nothing moves
    _is_begun = False

    def do_GET(self) -> None:
        """Answer a question."""
        self._guarded("GET")

    def do_POST(self) -> None:
        """Do what is asked."""
        self.close_connection = True  # whatever its body holds is no next request
        self._guarded("POST")

    def log_message(self, *_: object) -> None:
        """Say nothing: the path holds the secret."""

    def send_error(self, code: int, *_: object) -> None:
        """Refuse what is no request, without a word about us."""
        self.close_connection = True
        self._say(code, b"")

    def version_string(self) -> str:
        """Who answers."""
        return "llmdbenchd"

    def _guarded(self, method: str) -> None:
        self._is_begun = False
        self.server.count(1)
        try:
            self._route(method)
        except Missing:
            self._sorry(404, "not found")
        except Running:
            self._sorry(409, "the launcher has not ended")
        except (OSError, ValueError) as error:
            self._sorry(500, f"{type(error).__name__}: {error}")
        finally:
            self.server.count(-1)

    def _sorry(self, status: int, reason: str) -> None:
        """Say no; too late for that, cut the answer off."""
        if self._is_begun:
            self.close_connection = True
            return
        try:
            self._say(status, f"{reason}\n".encode("utf-8", "replace"))
        except OSError:
            self.close_connection = True  # nobody listens any more

    def _route(self, method: str) -> None:
        url = urlsplit(self.path)
        parts = [unquote_to_bytes(part) for part in url.path.split("/")[1:]]
        if not parts or not hmac.compare_digest(parts[0], self.server.secret):
            raise Missing
        words = [part.decode("utf-8", "surrogateescape") for part in parts[1:]]
        if (method, words) == ("GET", ["ready"]):
            self._say(200, b"ready\n")
        elif (method, words) == ("GET", ["folders"]):
            self._say(200, json.dumps(self.server.results.folders()).encode("ascii"))
        elif (method, words) == ("GET", ["barrier"]):
            self._say(200, json.dumps(has(self.server.results.root, READY)).encode())
        elif (method, words) == ("POST", ["go"]):
            leave_word(self.server.results.root, GO)
            self._say(200, b"told\n")
        elif (method, words) == ("POST", ["stop"]):
            leave_word(self.server.results.root, STOP_FILE)
            self._say(200, b"asked\n")
        elif (method, words) == ("POST", ["release"]):
            self._say(200, b"bye\n")
            self.server.end()
        elif method == "GET" and words[1:]:
            self._show(words, dict(parse_qsl(url.query)))
        else:
            raise Missing

    def _show(self, words: list[str], asked: dict[str, str]) -> None:
        kind, folder, path = words[0], words[1], "/".join(words[2:])
        if kind == "file" and path:
            self._file(folder, path)
        elif kind == "manifest" and not path:
            found = self.server.results.manifest(folder, final=asked.get("final") == "1")
            self._say(200, json.dumps(found).encode("ascii"))
        elif kind == "small":
            self._small(folder, int(asked.get("limit", SMALL)), path)
        else:
            raise Missing

    def _begin(self, status: int, **headers: object) -> None:
        self._is_begun = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _say(self, status: int, body: bytes) -> None:
        self._begin(status, Content_Length=len(body))
        self.wfile.write(body)

    def _small(self, folder: str, limit: int, after: str) -> None:
        blocks = self.server.results.packed(folder, limit, after)
        block = next(blocks)  # before anything is promised
        self._begin(200, Transfer_Encoding="chunked")
        while block:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block))
            block = next(blocks, b"")
        self.wfile.write(b"0\r\n\r\n")

    def _file(self, folder: str, path: str) -> None:
        with os.fdopen(self.server.results.open(folder, path), "rb") as file:
            status = os.fstat(file.fileno())
            size = status.st_size
            tag = f'"{size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}"'
            begin = self._asked_begin(tag, size)
            if begin is None:
                begin = 0
                self._begin(200, ETag=tag, Accept_Ranges="bytes", Content_Length=size)
            else:
                part = f"bytes {begin}-{size - 1}/{size}"
                self._begin(206, ETag=tag, Content_Range=part, Content_Length=size - begin)
            count = size - begin
            if count and self.connection.sendfile(file, begin, count) < count:
                raise OSError("it became shorter")

    def _asked_begin(self, tag: str, size: int) -> int | None:
        """Where the asked part begins; None where the whole file is to be sent."""
        asked, condition = self.headers.get("Range", ""), self.headers.get("If-Range", tag)
        begin = asked[len("bytes=") : -1]
        if not asked.startswith("bytes=") or not asked.endswith("-") or not begin.isdigit():
            return None
        return int(begin) if condition == tag and int(begin) < size else None


def main(words: list[str]) -> int:
    """Serve until told to end, or until nobody asks any more."""
    env = os.environ
    results = Results(env.get("LLMDBENCHD_SERVE_ROOT") or "/requests")
    if words:
        return answered(words, results)
    secret = env.get("LLMDBENCHD_SERVE_SECRET", "")
    if len(secret) < SHORTEST:
        sys.stderr.write("LLMDBENCHD_SERVE_SECRET is not set, or too short\n")
        return USAGE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as process 1 it would hear nothing
    server = Server(int(env.get("LLMDBENCHD_SERVE_PORT") or 8080), results, secret)
    sys.stdout.write(f"serving on port {server.server_address[1]}\n")
    sys.stdout.flush()
    idle_s = float(env.get("LLMDBENCHD_SERVE_IDLE_S") or 0)
    threading.Thread(target=server.end_when_idle, args=(idle_s,), daemon=True).start()
    server.serve_forever(poll_interval=0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
