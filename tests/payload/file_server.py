"""A web server with one file, which breaks off, changes its mind or says no as a test wants."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 4096  # 1 MiB


class FileServer(ThreadingHTTPServer):
    """Serves `content` at every path.

    Attributes:
        content, etag: what is served; without an ETag nothing can be resumed.
        breaks: after how many bytes the next answers break off, one each.
        status: of answers that say no, one each.
        pause: waited for in the middle of each answer.
        redirect: where every request is sent, or empty.
        asked: the headers of all requests.
        begun: set when an answer was begun.
    """

    daemon_threads = False  # closing waits for the last answer

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = CONTENT
        self.etag = '"1"'
        self.breaks: list[int] = []
        self.status: list[int] = []
        self.pause: threading.Event | None = None
        self.redirect = ""
        self.asked: list[dict[str, str]] = []
        self.begun = threading.Event()

    @property
    def url(self) -> str:
        """Of the file, with a signature that must not be told."""
        return f"http://127.0.0.1:{self.server_port}/a/data.json?signature=hush"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_GET(self) -> None:
        house = self.server
        house.asked.append(dict(self.headers))
        self.close_connection = True
        if house.status:
            self.send_error(house.status.pop(0))
            return
        if house.redirect:
            self.send_response(302)
            self.send_header("Location", house.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(self._begin())

    def _begin(self) -> bytes:
        house = self.server
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if self.headers.get("If-Range") != house.etag:
            start = 0
        rest = house.content[start:]
        self.send_response(206 if start else 200)
        if start:
            last = len(house.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(house.content)}")
        if house.etag:
            self.send_header("ETag", house.etag)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        return rest

    def _send(self, rest: bytes) -> None:
        house = self.server
        if house.breaks:
            rest = rest[: house.breaks.pop(0)]
        half = len(rest) // 2
        self.wfile.write(rest[:half])
        house.begun.set()
        if house.pause:
            house.pause.wait(60)
        self.wfile.write(rest[half:])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def file_server() -> Iterator[FileServer]:
    """A running one."""
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
