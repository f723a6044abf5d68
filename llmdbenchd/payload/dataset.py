"""A job's data set: fetched before the load, resumed where a connection broke, its hash recorded.

A file that is there already is kept, as the field's `wget --no-clobber` did. While it is
fetched it lies beside its place under a name of this launcher's own, so that launchers that
share a folder do not write into each other's files.
"""

from __future__ import annotations

import errno
import hashlib
import http
import http.client
import os
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.client import HTTPResponse
from io import BufferedWriter

from llmdbenchd.payload.contract import Code, Context, Refusal

RECORD = "dataset.sha256"  # among the results, as `sha256sum -c` reads it
CHUNK = 1 << 20
SILENCE_S = 10.0  # that a server may be silent for
TRIES = 6  # without a byte more than before
HUB = "https://huggingface.co"
AGAIN = frozenset({408, 425, 429})  # answers of a server that asks for patience
NAMELESS = "NONE"  # what the field calls the file of a URL that names none


class Stopped(Exception):
    """We were asked to end."""


def fetch(context: Context, asked_within: Callable[[float], bool]) -> dict[str, object]:
    """Have the data set in its place, or nothing to do; returns facts about it.

    Args:
        context: what the launcher was told.
        asked_within: waits so many seconds; True as soon as we are asked to end.

    Raises:
        Refusal: it cannot be had.
        Stopped: we were asked to end in the middle of it.
    """
    url = context.env.get("LLMDBENCH_RUN_DATASET_URL", "")
    if not url:
        return {}
    name = context.env.get("LLMDBENCH_RUN_DATASET_FILE", "")
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
        raise _refusal(url, "only http and https without a password can be fetched")
    if name in {"", NAMELESS, ".", ".."} or "/" in name:
        raise _refusal(url, "its URL names no file")
    folder = os.path.abspath(context.env.get("LLMDBENCH_RUN_DATASET_DIR") or context.workspace)
    path = os.path.join(folder, name)
    was_there = os.path.exists(path)
    try:
        if not was_there:
            os.makedirs(folder, exist_ok=True)
            own = context.env.get("POD_NAME") or str(os.getpid())
            partial = os.path.join(folder, f".{name}.{own}.partial")
            try:
                _Download(url, partial, context.env).finish(asked_within)
                os.replace(partial, path)
            finally:
                if os.path.exists(partial):
                    os.unlink(partial)
        digest, size = _hashed(path)
        with open(os.path.join(context.results, RECORD), "w", encoding="utf-8") as file:
            file.write(f"{digest}  {path}\n")
    except OSError as error:
        if error.errno == errno.EACCES:
            raise _refusal(url, f"{folder} cannot be written: name another dataset.dir") from error
        raise _refusal(url, f"{error.filename or folder}: {error.strerror or error}") from error
    facts = {"url": _bare(url), "path": path, "bytes": size, "sha256": digest}
    return {"dataset": dict(facts, was_there=was_there)}


class _Download:
    """One file on its way: how much of it is here, and of which version of it."""

    def __init__(self, url: str, path: str, env: dict[str, str]) -> None:
        self._url, self._path = url, path
        self._token = _token(url, env)
        self._version = ""  # what the server calls it; without a name nothing can be resumed
        self._reason = ""

    def finish(self, asked_within: Callable[[float], bool]) -> None:
        """Fetch until it is whole.

        Raises:
            Refusal: the server will not give it, or nothing more comes.
            Stopped: we were asked to end.
        """
        with open(self._path, "wb") as file:
            failures = 0
            while failures < TRIES:
                if asked_within(min(2.0**failures, 30.0) if failures else 0.0):
                    raise Stopped
                before = file.tell()
                if self._is_whole(file, asked_within):
                    return
                failures = 0 if file.tell() > before else failures + 1
        raise _refusal(self._url, self._reason)

    def _is_whole(self, file: BufferedWriter, asked_within: Callable[[float], bool]) -> bool:
        """Fetch the rest; False, with a reason, when it broke off and may be tried again."""
        try:
            with urllib.request.urlopen(  # noqa: S310 - `fetch` looked at its scheme
                self._request(file.tell()), timeout=SILENCE_S
            ) as answer:
                return self._take(answer, file, asked_within)
        except urllib.error.HTTPError as error:
            error.close()
            self._reason = f"the server answers {error.code} {error.reason}"
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                self._version = ""  # what we have is not the begin of what there is
            elif error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR and error.code not in AGAIN:
                raise _refusal(self._url, self._reason) from error
        except urllib.error.URLError as error:
            self._reason = str(error.reason)
        except socket.timeout:  # in Python 3.9 it is no TimeoutError
            self._reason = f"the server said nothing for {SILENCE_S:g} s"
        except (ConnectionError, http.client.HTTPException) as error:
            self._reason = f"{type(error).__name__}: {error}"
        return False

    def _request(self, have: int) -> urllib.request.Request:
        request = urllib.request.Request(self._url)  # noqa: S310 - `fetch` looked at its scheme
        if self._token:  # the hub's storage, where it sends us, has no business with it
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        if have and self._version:
            request.add_header("Range", f"bytes={have}-")
            request.add_header("If-Range", self._version)
        return request

    def _take(
        self, answer: HTTPResponse, file: BufferedWriter, asked_within: Callable[[float], bool]
    ) -> bool:
        """Append what comes; what is not the rest is the whole, from its begin."""
        have = file.tell()
        is_rest = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        if not is_rest or not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            if is_rest:
                raise http.client.HTTPException("the server sent another part than was asked for")
            file.seek(0)
            file.truncate()
            have = 0
            etag = answer.headers.get("ETag", "")
            is_exact = etag and not etag.startswith("W/")
            self._version = etag if is_exact else answer.headers.get("Last-Modified", "")
        length = answer.headers.get("Content-Length")
        while chunk := answer.read1(CHUNK):
            file.write(chunk)
            if asked_within(0.0):
                raise Stopped
        came = file.tell() - have
        if length is not None and came < int(length):
            self._reason = f"the connection ended after {came} of {length} bytes"
            return False
        return True


def _token(url: str, env: dict[str, str]) -> str:
    """The Hugging Face token, for its hub and nobody else."""
    hub = env.get("HF_ENDPOINT") or HUB
    is_hub = urllib.parse.urlsplit(url)[:2] == urllib.parse.urlsplit(hub)[:2]
    return env.get("HF_TOKEN", "") if is_hub else ""


def _hashed(path: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _bare(url: str) -> str:
    """The URL without what may be a credential in it: a user, a query with a signature."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _refusal(url: str, reason: str) -> Refusal:
    sentence = f"the data set {_bare(url)} cannot be had: {reason}"
    return Refusal(Code.NO_DATASET, "data set missing", sentence)
