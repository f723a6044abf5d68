"""From an event and its facts to one line: secrets blanked, values plain, never an exception."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import PurePath
from types import NoneType

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

BLANK = "***"
LONGEST = 16_384  # characters of one value: journald splits a line at 48 KiB

# sd-daemon(3): what `journalctl -p err` selects by. `critical` counts as an error.
SYSLOG = {"debug": "<7>", "info": "<6>", "warning": "<4>", "error": "<3>", "critical": "<3>"}

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET_WORDS = frozenset(
    {
        "token",  # and not `tokens`: those are what a model server makes
        "password",
        "passwd",
        "passphrase",
        "secret",
        "secrets",
        "authorization",
        "credential",
        "credentials",
        "cookie",
        "bearer",
        "apikey",
    }
)
_SECRET_PAIRS = frozenset({("api", "key"), ("private", "key"), ("access", "key")})

# Secrets inside other text: an error that quotes a header, a URL with a password.
_SECRET_TEXT = re.compile(
    r"(?P<bearer>\bbearer\s+)[\w.~+/=-]{8,}"
    r"|(?P<scheme>://)[^/\s:@\"\\]*:[^/\s@\"\\]+@"
    r"|\bhf_[A-Za-z0-9]{16,}",
    re.IGNORECASE,
)


def is_secret(key: str) -> bool:
    """Whether a value under this key must not be shown: `hf_token`, `apiKey`, `PASSWORD` ..."""
    words = [word.lower() for word in _WORD.findall(key)]
    return not _SECRET_WORDS.isdisjoint(words) or any(
        pair in _SECRET_PAIRS for pair in pairwise(words)
    )


def blank_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank the values of keys that look like secrets, at any depth."""
    return {key: _blanked(key, value) for key, value in event.items()}


def shorten(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut the middle out of very long texts; a traceback tells most at its two ends."""
    return {key: _short(value) if isinstance(value, str) else value for key, value in event.items()}


def one_line(render: Processor, *, syslog: bool) -> Processor:
    """Make the last step: `render`, cleared of secrets in text, with the syslog prefix if asked."""

    def finish(logger: WrappedLogger, method: str, event: EventDict) -> str:
        prefix = SYSLOG[event["level"]] if syslog else ""
        return f"{prefix}{_clear(str(render(logger, method, event)))}\n"

    return finish


def to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Render one JSON object, what matters most first. A value that cannot be JSON is its repr."""
    first = {key: event.pop(key) for key in ("timestamp", "level", "event") if key in event}
    facts = {**first, **event}
    try:
        return _dump(facts)
    except (TypeError, ValueError, RecursionError):
        return "{" + ", ".join(f"{_dump(str(k))}: {_safe(v)}" for k, v in facts.items()) + "}"


def to_console(*, colours: bool) -> Processor:
    """Render for eyes."""
    return structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback
    )


def _blanked(key: object, value: object) -> object:
    if isinstance(value, (int, float, NoneType)):  # a figure: `inter_token_latency`
        return value
    if isinstance(key, str) and is_secret(key):
        return BLANK
    if isinstance(value, Mapping):
        return {inner: _blanked(inner, one) for inner, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_blanked(None, one) for one in value]
    return value


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]} ... {len(text) - 2 * half} characters left out ... {text[-half:]}"


def _clear(line: str) -> str:
    return _SECRET_TEXT.sub(_keep_start, line)


def _keep_start(found: re.Match[str]) -> str:
    end = "@" if found["scheme"] else ""
    return f"{found['bearer'] or found['scheme'] or ''}{BLANK}{end}"


def _dump(value: object) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)


def _safe(value: object) -> str:
    try:
        return _dump(value)
    except (TypeError, ValueError, RecursionError):
        return json.dumps(repr(value))


def _plain(value: object) -> object:
    match value:
        case PurePath():
            return str(value)
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case set() | frozenset():
            return sorted(value, key=str)
        case BaseException():
            return f"{type(value).__name__}: {value}"
        case _:
            return repr(value)
