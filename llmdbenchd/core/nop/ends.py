"""How a start ends: ready, failed, stopped; and which lines say so of this server, not another."""

import re
from dataclasses import replace

from llmdbenchd.core.nop.attempt import (
    READY_BY_ENGINE,
    READY_BY_ROUTES,
    READY_BY_SERVER,
    Attempt,
    Failed,
    Mark,
    Ready,
)
from llmdbenchd.core.nop.events import Stopped
from llmdbenchd.core.nop.failures import Cause
from llmdbenchd.core.nop.phrases import Found
from llmdbenchd.core.nop.records import Record

_BY = {
    "engine_end": ("init engine", READY_BY_ENGINE),
    "routes": ("Available routes are:", READY_BY_ROUTES),
    "grpc_ready": ("Server is ready to accept requests", READY_BY_SERVER),
    "startup_complete": ("Application startup complete.", READY_BY_SERVER),
}
_INTERRUPTED = ("KeyboardInterrupt", "SystemExit", "asyncio.exceptions.CancelledError")
_SIGNAL = re.compile(r"\bSIG[A-Z]+\b|\bsignal\b", re.IGNORECASE)
_SILENT = "its log ends without a word, and another start follows"
End = Ready | Failed | Stopped


def reached(attempt: Attempt, mark: Mark, record: Record, found: Found) -> End | None:
    """Note what a mark means for its start; the end that it is, if it is one."""
    match mark.kind:
        case "engine_v0" | "engine_v1":
            attempt.text["engine"] = mark.kind[-2:].upper()
            attempt.text["config"] = record.text
        case "part":
            attempt.compiles(record.speaker, found.text["part"])
        case "uvicorn_begin":
            attempt.web_server(found.text["pid"])
        case "listening":
            attempt.listens(record.speaker)
        case "failed" if not attempt.is_decided:
            attempt.failed = _rooted(
                attempt, Failed(record.line, record.speaker, record.text.strip(), 0)
            )
            return attempt.failed
        case "stopping" if attempt.ready or record.processes:
            attempt.is_signalled |= bool(_SIGNAL.search(record.text))
            return None if attempt.stopped_line else _stopped(attempt, record.line)
        case "startup_complete" if not _is_ours(attempt, record):
            return None
        case "grpc_ready" if not attempt.has("listening"):
            return None
        case _:
            pass
    return _became_ready(attempt, mark)


def raised(attempt: Attempt, cause: Cause) -> End | None:
    """Note an exception; most are only evidence for later."""
    if cause.text.startswith(_INTERRUPTED) and not attempt.is_over:
        attempt.is_signalled = True
        return _stopped(attempt, cause.line)
    if attempt.is_signalled or (attempt.ready and attempt.stopped_line):
        return None
    if attempt.ready:
        attempt.trouble(cause)
        return None
    attempt.last_line = max(attempt.last_line, cause.line)
    if not attempt.failed and not cause.is_explicit:
        return None
    attempt.failed = _rooted(attempt, attempt.failed or _sign(cause))
    return attempt.failed


def ended_unready(attempt: Attempt, *, followed: bool) -> Failed | None:
    """What a start is that is neither ready nor failed when its log ends.

    Args:
        attempt: the start.
        followed: whether another start of the same server came after it.
    """
    if cause := attempt.tracebacks.root:
        attempt.failed = _sign(cause)
    elif (
        followed
        and not attempt.stopped_line
        and attempt.has("version", "args", "engine_v0", "engine_v1")
    ):
        attempt.failed = Failed(attempt.last_line, None, _SILENT, 0)
    return attempt.failed


def _became_ready(attempt: Attempt, mark: Mark) -> Ready | None:
    if mark.kind not in _BY or (mark.kind == "engine_end" and attempt.is_server):
        return None
    by, strength = _BY[mark.kind]
    if attempt.is_over or (attempt.ready and attempt.ready.strength >= strength):
        return None
    attempt.ready = Ready(mark.line, by, strength, mark.at)
    return attempt.ready


def _stopped(attempt: Attempt, line: int) -> Stopped:
    attempt.stopped_line = line
    return Stopped()


def _is_ours(attempt: Attempt, record: Record) -> bool:
    """Whether it is vLLM's own web server that is up, and not another one beside it."""
    if any(one.pid in attempt.front_pids for one in record.processes):
        return True
    if attempt.levels & {"I", "D"} and not attempt.has("listening", "routes"):
        return False
    ours = attempt.started_pids & attempt.front_pids
    return bool(ours or not attempt.started_pids or not attempt.front_pids)


def _sign(cause: Cause) -> Failed:
    return Failed(cause.line, cause.process, cause.text, cause.line)


def _rooted(attempt: Attempt, sign: Failed) -> Failed:
    """The failure with the reason that the deepest process told."""
    root = attempt.tracebacks.root
    if root is None:
        return sign
    return replace(
        sign, process=root.process or sign.process, reason=root.text, reason_line=root.line
    )
