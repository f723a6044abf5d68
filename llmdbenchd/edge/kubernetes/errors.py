"""The Kubernetes room's translator: what the API server or the wire did, as ours, once.

Out of this room come only `Refused` and `Unavailable`; inside of it their subclasses say
enough to decide. Nothing else in the room catches an error of the HTTP library.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp
import msgspec

from llmdbenchd.ports import Refused, Unavailable

QUOTED = 600  # characters of somebody's message that are worth reading
_PAUSE_S = 1.0  # what a server means that says "later" and not when, as client-go reads it


class Rejected(Refused):
    """The API server said no; `status` is its HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class BadRequest(Rejected):
    """400: what was asked makes no sense now (a container that has not started has no log)."""


class Forbidden(Rejected):
    """403: a right is missing, a quota is used up, or the namespace is ending."""


class NotFound(Rejected):
    """404: it is not there."""


class AlreadyExists(Rejected):
    """409: one of this name is there."""


class Conflict(Rejected):
    """409: it changed meanwhile, or is not the one that was meant."""


class Failed(Unavailable):
    """The API server, or something before it, could not; `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Unauthorized(Failed):
    """401: it does not know us, with renewed credentials neither."""


class Gone(Failed):
    """410: that resource version is forgotten; list again."""


class Throttled(Failed):
    """429, or 500 to 503 with Retry-After: ask again after `retry_after_s` seconds."""

    def __init__(self, message: str, status: int = 429, retry_after_s: float = _PAUSE_S) -> None:
        super().__init__(message, status)
        self.retry_after_s = retry_after_s


class Status(msgspec.Struct):
    """What the API server says of a request that it did not carry out."""

    kind: str = ""
    reason: str = ""
    message: str = ""


_NO: dict[int, type[Rejected]] = {400: BadRequest, 403: Forbidden, 404: NotFound, 409: Conflict}
_LATER: dict[int, type[Failed]] = {401: Unauthorized, 410: Gone}
_BUSY = frozenset({500, 502, 503})  # not 504, by which it says that it has waited already
_NOT_OUR_FAULT = frozenset({401, 408, 410, 425, 429})  # statuses below 500 that may pass


def translated(
    status: int, body: bytes, headers: Mapping[str, str], *, what: str
) -> Refused | Unavailable:
    """The error that an answer means that is no success.

    Args:
        status: of HTTP, not 2xx.
        body: the start of the answer's body; may be a Status, a text, an HTML page or nothing.
        headers: of the answer, names in any case.
        what: what was asked, as a person would say it.
    """
    said = _decoded(body)
    message = f"{what}: {_sentence(status, said, body)}"
    pause_s = _retry_after_s(headers)
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status in _BUSY and pause_s is not None):
        return Throttled(message, status, _PAUSE_S if pause_s is None else pause_s)
    if status in range(400, 500) and status not in _NOT_OUR_FAULT:
        exists = status == HTTPStatus.CONFLICT and said.reason == "AlreadyExists"
        kind = AlreadyExists if exists else _NO.get(status, Rejected)
        return kind(message, status)
    return _LATER.get(status, Failed)(message, status)


@contextmanager
def world(what: str) -> Iterator[None]:
    """Turn trouble of the wire or the system inside into `Unavailable`, cause attached."""
    try:
        with wire(what):
            yield
    except OSError as error:
        raise Unavailable(f"{what}: {error.strerror or error}") from error


@contextmanager
def wire(what: str) -> Iterator[None]:
    """As `world`, for blocks that also touch the disk: only trouble of the wire is turned."""
    try:
        yield
    except TimeoutError as error:
        raise Unavailable(f"{what}: {_silence(error)}") from error
    except (aiohttp.ClientError, ConnectionError, ssl.SSLError) as error:
        raise Unavailable(f"{what}: {_trouble(error)}") from error


def _decoded(body: bytes) -> Status:
    try:
        return msgspec.json.decode(body, type=Status)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Status()


def _sentence(status: int, said: Status, body: bytes) -> str:
    if said.message or said.reason:
        return quoted(said.message or said.reason)
    name = _name(status)
    start = body[:4096].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return f"{name} (a web page; something before the API server answered)"
    text = quoted(body[: 4 * QUOTED].decode("utf-8", "replace"))
    return f"{name}: {text}" if text else name


def _name(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP status {status}"


def quoted(text: str) -> str:
    """Somebody's words on one line, cut to a length that a person reads."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else f"{line[:QUOTED]} ..."


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds; a date is not understood, as the clock that made it is not ours."""
    for name, value in headers.items():
        if name.lower() == "retry-after" and value.strip().isdecimal():
            return float(value)
    return None


def _silence(error: TimeoutError) -> str:
    stream = isinstance(error, aiohttp.SocketTimeoutError)
    return "nothing came for too long" if stream else "no answer in time"


def _strerror(error: aiohttp.ClientConnectorError) -> str:
    """The system's words; asyncio puts an address in their place, and names have codes below 0."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or "the name is not known"


def _trouble(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return (
                f"the server's certificate is not trusted: {quoted(str(error.certificate_error))}; "
                "see certificate-authority and tls-server-name in the kubeconfig"
            )
        case aiohttp.ClientConnectorError():
            return f"cannot connect: {_strerror(error)}"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed before an answer"
        case aiohttp.ClientPayloadError():
            return "the answer was cut off"
        case _:
            return quoted(str(error)) or type(error).__name__
