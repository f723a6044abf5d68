"""A registry on 127.0.0.1 for real pulls: late, or without what is asked for, as a test wants it.

containerd speaks plain HTTP to 127.0.0.1 without any configuration, so a test that runs
inside the cluster starts one and names images `127.0.0.1:PORT/anything:tag`.
"""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar

from tests.cluster.images.archive import Image, blobs


@dataclass(slots=True)
class Registry:
    """What it holds and how it behaves; may be changed while it runs.

    Attributes:
        delay_s: how long each pull's first question waits for its answer.
        missing: answer 404 to everything.
        port: where it listens.
        pulls: `name:tag` of each pull, in order.
    """

    delay_s: float = 0.0
    missing: bool = False
    port: int = 0
    pulls: list[str] = field(default_factory=list)

    def image(self, name: str = "pulled", tag: str = "1") -> str:
        """A reference that a pod can name; any name is the same image."""
        return f"127.0.0.1:{self.port}/{name}:{tag}"


@contextmanager
def serving(image: Image, *, delay_s: float = 0.0) -> Iterator[Registry]:
    """Serve an image under every name, until the block ends."""
    gone = threading.Event()
    registry = Registry(delay_s)
    facts = {"registry": registry, "image": image, "blobs": blobs(image), "gone": gone}
    handler = type("Handler", (_Handler,), facts)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    registry.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, name="registry")
    thread.start()
    try:
        yield registry
    finally:
        gone.set()  # answers that were to come late
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: ClassVar[Registry]
    image: ClassVar[Image]
    blobs: ClassVar[dict[str, bytes]]
    gone: ClassVar[threading.Event]

    def do_HEAD(self) -> None:
        """Every pull begins with a HEAD of the manifest, whatever is stored already."""
        folder, _, reference = self.path.partition("?")[0].rpartition("/")
        if folder.endswith("/manifests"):
            name = folder.removeprefix("/v2/").removesuffix("/manifests")
            self.registry.pulls.append(f"{name}:{reference}")
            self.gone.wait(self.registry.delay_s)
        self.do_GET()

    def do_GET(self) -> None:
        folder, _, reference = self.path.partition("?")[0].rpartition("/")
        digest = reference if reference.startswith("sha256:") else self.image.digest
        body = b"{}" if self.path == "/v2/" else self.blobs.get(digest)
        if body is None or self.registry.missing:
            self._send(HTTPStatus.NOT_FOUND, _unknown(), {"Content-Type": "application/json"})
            return
        is_manifest = folder.endswith("/manifests")
        media = self.image.media if is_manifest else "application/octet-stream"
        headers = {"Content-Type": media, "Docker-Content-Digest": digest}
        self._send(HTTPStatus.OK, body, headers)

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """A test's output is not the place."""


def _unknown() -> bytes:
    error = {"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}
    return json.dumps({"errors": [error]}).encode()
