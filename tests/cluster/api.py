"""A few plain requests to an API server, as its administrator: for set-up and for questions."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_NOT_FOUND = 404
_WRONG = 400


class Refused(Exception):
    """The API server said no.

    Attributes:
        status: of HTTP.
        body: what it answered, mostly a Status object.
    """

    def __init__(self, asked: str, status: int, body: bytes) -> None:
        super().__init__(f"{asked}: {status} {body.decode(errors='replace')[:600]}")
        self.status = status
        self.body = body


class _Closing(ssl.SSLSocket):
    """Is closed where its peer is gone before TLS begins: Python 3.11's own is forgotten open."""

    def getpeername(self) -> Any:  # noqa: ANN401 - of any family, as sockets have it
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class Api:
    """One API server, and who asks it. A connection is made for each request."""

    host: str
    port: int
    context: ssl.SSLContext
    token: str = ""

    @classmethod
    def of(cls, kubeconfig: dict[str, Any]) -> "Api":
        """The server and user of a kubeconfig's current context.

        Raises:
            KeyError: the file is not complete; exec plugins are not supported.
        """
        current = _named(kubeconfig["contexts"], kubeconfig["current-context"])["context"]
        cluster = _named(kubeconfig["clusters"], current["cluster"])["cluster"]
        user = _named(kubeconfig["users"], current["user"])["user"]
        authority = _content(cluster, "certificate-authority")
        context = ssl.create_default_context(cadata=authority.decode() if authority else None)
        if "client-certificate" in user or "client-certificate-data" in user:
            _load_certificate(context, user)
        url = urlsplit(cluster["server"])
        return cls(url.hostname or "", url.port or 443, context, user.get("token", ""))

    def ask(
        self, method: str, path: str, body: object = None, *, timeout_s: float = 30
    ) -> tuple[int, bytes]:
        """Status and body of one request.

        Raises:
            OSError: it could not be asked, or did not answer in time.
        """
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        self.context.sslsocket_class = _Closing
        connection = http.client.HTTPSConnection(
            self.host, self.port, context=self.context, timeout=timeout_s
        )
        try:
            sent = None if body is None else json.dumps(body).encode()
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()

    def text(self, path: str) -> bytes:
        """What a GET answers.

        Raises:
            Refused: by the API server.
        """
        return self._good("GET", path, None)

    def get(self, path: str) -> dict[str, Any]:
        """An object or a list; raises as `text`."""
        found: dict[str, Any] = json.loads(self.text(path))
        return found

    def find(self, path: str) -> dict[str, Any] | None:
        """As `get`, None if it does not exist."""
        try:
            return self.get(path)
        except Refused as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def create(self, path: str, body: object) -> dict[str, Any]:
        """The object as it was made, below the collection `path`; raises as `text`."""
        made: dict[str, Any] = json.loads(self._good("POST", path, body))
        return made

    def delete(self, path: str, *, grace_s: int | None = None) -> None:
        """Ask for the end of an object, or of all in a collection; gone already is fine."""
        options = {} if grace_s is None else {"gracePeriodSeconds": grace_s}
        status, answer = self.ask("DELETE", path, options)
        if status >= _WRONG and status != _NOT_FOUND:
            raise Refused(f"DELETE {path}", status, answer)

    def _good(self, method: str, path: str, body: object) -> bytes:
        status, answer = self.ask(method, path, body)
        if status >= _WRONG:
            raise Refused(f"{method} {path}", status, answer)
        return answer


def local(kubeconfig: Path) -> Api:
    """The API server of one of our own kubeconfigs, which are JSON."""
    return Api.of(json.loads(kubeconfig.read_text(encoding="utf-8")))


def _named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if item["name"] == name)


def _content(holder: dict[str, Any], name: str) -> bytes:
    if data := holder.get(f"{name}-data"):
        return base64.b64decode(data)
    return Path(holder[name]).read_bytes() if name in holder else b""


def _load_certificate(context: ssl.SSLContext, user: dict[str, Any]) -> None:
    """OpenSSL wants a file; an anonymous one is gone by itself."""
    import tempfile  # noqa: PLC0415 - of use for foreign clusters only

    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(_content(user, "client-certificate") + _content(user, "client-key"))
        file.flush()
        context.load_cert_chain(file.name)
