"""What an answer or the wire did, as ours: one table, and the sentences that people read."""

import socket
import ssl

import aiohttp
import msgspec
import pytest
from aiohttp.client_reqrep import ConnectionKey

from llmdbenchd.edge.kubernetes.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Failed,
    Forbidden,
    Gone,
    NotFound,
    Rejected,
    Throttled,
    Unauthorized,
    translated,
    wire,
    world,
)
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import status_object


def _status(code: int, reason: str, message: str = "said") -> bytes:
    return msgspec.json.encode(status_object(code, message, reason))


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "BadRequest", BadRequest),
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (405, "MethodNotAllowed", Rejected),
        (408, "Timeout", Failed),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Expired", Gone),
        (413, "RequestEntityTooLarge", Rejected),
        (422, "Invalid", Rejected),
        (429, "TooManyRequests", Throttled),
        (302, "", Failed),
        (500, "InternalError", Failed),
        (503, "ServiceUnavailable", Failed),
        (504, "Timeout", Failed),
    ],
)
def test_each_status_has_its_kind(status: int, reason: str, kind: type[Exception]) -> None:
    error = translated(status, _status(status, reason), {}, what="create pod p")

    assert type(error) is kind
    assert str(error) == "create pod p: said"
    assert getattr(error, "status", None) == status


def test_a_timeout_of_the_server_is_not_repeated_by_itself() -> None:
    body = _status(504, "Timeout", "Too large resource version: 9, current: 3")
    error = translated(504, body, {"Retry-After": "1"}, what="list pods")

    assert type(error) is Failed


def test_whose_move_is_next_is_in_the_kind() -> None:
    no, later = translated(404, b"", {}, what="x"), translated(410, b"", {}, what="x")

    assert isinstance(no, Refused)
    assert isinstance(later, Unavailable)


@pytest.mark.parametrize(
    ("status", "headers", "pause_s"),
    [
        (429, {"Retry-After": "7"}, 7),
        (429, {"retry-after": "7"}, 7),
        (429, {}, 1),
        (503, {"Retry-After": "0"}, 0),
        (429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 1),
        (429, {"Retry-After": "-1"}, 1),
    ],
)
def test_a_server_says_when_to_come_again(
    status: int, headers: dict[str, str], pause_s: float
) -> None:
    error = translated(status, b"", headers, what="list pods")

    assert isinstance(error, Throttled)
    assert error.retry_after_s == pause_s


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<!DOCTYPE html><html>...", "502 Bad Gateway (a web page; something before"),
        (b"\n <html><head>", "502 Bad Gateway (a web page;"),
        (b"", "502 Bad Gateway"),
        (b"no upstream", "502 Bad Gateway: no upstream"),
        (b"\xff\xfe broken", "502 Bad Gateway: \ufffd\ufffd broken"),
        (b'{"kind": "Status"', '502 Bad Gateway: {"kind": "Status"'),
        (b"[1, 2]", "502 Bad Gateway: [1, 2]"),
        (b'{"message": 5}', '502 Bad Gateway: {"message": 5}'),
    ],
)
def test_whatever_a_body_is_one_sentence_is_said(body: bytes, sentence: str) -> None:
    assert str(translated(502, body, {}, what="list pods")).startswith(f"list pods: {sentence}")


def test_a_status_without_a_message_says_its_reason() -> None:
    error = translated(504, _status(504, "Timeout", ""), {}, what="list pods")

    assert str(error) == "list pods: Timeout"


def test_a_number_that_http_does_not_know_is_said_as_it_is() -> None:
    assert str(translated(599, b"", {}, what="list pods")) == "list pods: HTTP status 599"


def test_a_long_story_is_cut() -> None:
    error = translated(422, _status(422, "Invalid", "spec wrong " * 1000), {}, what="create")

    assert len(str(error)) < 700
    assert str(error).endswith("...")


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (TimeoutError(), "no answer in time"),
        (
            aiohttp.SocketTimeoutError("Timeout on reading data from socket"),
            "nothing came for too long",
        ),
        (aiohttp.ServerDisconnectedError(), "the connection was closed before an answer"),
        (aiohttp.ClientPayloadError("400, message=..."), "the answer was cut off"),
        (ConnectionResetError("Cannot write to closing transport"), "Cannot write"),
        (ssl.SSLError(1, "[SSL: BAD_RECORD] bad"), "[SSL: BAD_RECORD] bad"),
        (aiohttp.ClientError(), "ClientError"),
    ],
)
def test_what_the_wire_did_is_unavailable(cause: Exception, sentence: str) -> None:
    with pytest.raises(Unavailable) as caught, wire("list pods"):
        raise cause

    assert str(caught.value).startswith(f"list pods: {sentence}")
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('::1', 1)"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
    ],
)
def test_who_cannot_be_reached_is_told_in_the_systems_words(cause: OSError, sentence: str) -> None:
    key = ConnectionKey("h", 1, True, True, None, None, None)  # noqa: FBT003 - not ours
    with (
        pytest.raises(Unavailable, match=f"list pods: cannot connect: {sentence}$"),
        wire("list pods"),
    ):
        raise aiohttp.ClientConnectorError(key, cause)


def test_a_full_disk_is_not_the_wires_fault() -> None:
    full = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left"), wire("follow a log"):
        raise full
    with (
        pytest.raises(Unavailable, match="follow a log: No space left on device"),
        world("follow a log"),
    ):
        raise full


@pytest.mark.parametrize("ours", [NotFound("x: gone", 404), Throttled("x: later"), ValueError("x")])
def test_what_is_no_trouble_of_the_wire_passes_as_it_is(ours: Exception) -> None:
    with pytest.raises(type(ours)) as caught, world("list pods"):
        raise ours

    assert caught.value is ours
