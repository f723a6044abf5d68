"""Login programs (`exec` in a kubeconfig): asked for a credential, and never waited for long."""

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from llmdbenchd.edge.kubernetes.errors import quoted
from llmdbenchd.edge.kubernetes.way import Plugin
from llmdbenchd.ports import Unavailable

_WAIT_S = 60.0
_ENDING_S = 2.0


class _Said(msgspec.Struct, rename="camel"):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime | None = None


class _Credential(msgspec.Struct, rename="camel"):
    api_version: str
    status: _Said
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What a login program gave.

    Attributes:
        token: or None. `certificate` and `key` in PEM, both or none.
        expires: seconds of the wall clock since 1970, or None.
    """

    token: str | None = field(repr=False)
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    expires: float | None = None


async def log_in(plugin: Plugin) -> Pass:
    """Run the program and read its answer.

    Raises:
        Unavailable: it is not there, failed, hung, or said something else.
    """
    return _read(await answer_of(plugin), plugin)


async def answer_of(plugin: Plugin) -> bytes:
    """Run the program; what it wrote on its standard output.

    Raises:
        Unavailable: it is not there, failed, or hung.
    """
    name = _name(plugin)
    process = await _started(plugin, name)
    try:
        async with asyncio.timeout(_WAIT_S):
            answer, complaint = await process.communicate()
    except TimeoutError as error:
        raise Unavailable(f"{name} did not answer within {_WAIT_S:.0f} s") from error
    finally:
        await _end(process)
    if process.returncode != 0:
        said = quoted(complaint.decode("utf-8", "replace")) or "nothing"
        raise Unavailable(f"{name} failed with exit code {process.returncode} and said: {said}")
    return answer


def _name(plugin: Plugin) -> str:
    return f"the login program `{plugin.command}`"


async def _started(plugin: Plugin, name: str) -> asyncio.subprocess.Process:
    path = plugin.environment.get("PATH")
    command = await asyncio.to_thread(shutil.which, plugin.command, path=path)
    if command is None:
        hint = f" {quoted(plugin.hint)}" if plugin.hint else ""
        raise Unavailable(f"{name} is not installed where PATH of the daemon looks.{hint}")
    try:
        return await asyncio.create_subprocess_exec(
            command,
            *plugin.arguments,
            env={**plugin.environment, "KUBERNETES_EXEC_INFO": _question(plugin)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # so that what it started ends with it
        )
    except OSError as error:
        raise Unavailable(f"{name} cannot be started: {error.strerror}") from error


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):  # what left its session may hold the pipes open for ever
        await asyncio.wait_for(process.wait(), _ENDING_S)


def _question(plugin: Plugin) -> str:
    wanted: dict[str, object] = {"interactive": False}
    if plugin.cluster is not None:
        wanted["cluster"] = plugin.cluster
    question = {"apiVersion": plugin.version, "kind": "ExecCredential", "spec": wanted}
    return msgspec.json.encode(question).decode()


def _read(answer: bytes, plugin: Plugin) -> Pass:
    name = _name(plugin)
    try:
        read = msgspec.json.decode(answer, type=_Credential)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unavailable(f"{name} gave no credential that can be read: {error}") from error
    if read.api_version != plugin.version:
        raise Unavailable(
            f"{name} speaks {read.api_version}, and the kubeconfig asks for {plugin.version}"
        )
    said = read.status
    if not said.token and not (said.client_certificate_data and said.client_key_data):
        raise Unavailable(f"{name} gave neither a token nor a certificate with its key")
    expires = said.expiration_timestamp
    return Pass(
        token=said.token,
        certificate=_bytes(said.client_certificate_data),
        key=_bytes(said.client_key_data),
        expires=None if expires is None else expires.timestamp(),
    )


def _bytes(text: str | None) -> bytes | None:
    return text.encode() if text else None
