"""A fragment of a line -> the records in it: who said what, when, at which level.

What stands left of a record's `LEVEL MM-DD HH:MM:SS` is wrapping: containers, pods, supervisors,
free text, and processes, of which the innermost speaks. One fragment may hold several records,
because processes share a stream; one record may be an object of JSON.
"""

import json
import re

import msgspec
from msgspec.structs import replace

from llmdbenchd.core.nop.stamps import ISO, Stamp, stamp_of

HEADER = re.compile(
    rb"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)[: ] ?(?:\d{4}-)?\d\d-\d\d[ T]\d\d:\d\d:\d\d"
    rb"(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?: |$)"
    rb"(?P<place>(?:\[[^\]\s]{1,200}:\d+\]|[\w./-]{1,200}:\d+\])(?: |$))?"
)
"""What a record of vLLM's own format begins with, and the file and line that follow in it.

Versions before 0.8 close a bracket that they never open.
"""
ANSI = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]")
_PROCESS = re.compile(
    rb"\((?:([A-Za-z][\w.-]{0,63}(?: (?:rank=)?\w{1,15})?) )?pid=(\d{1,10})(?:, ip=[\w.:]{1,45})?\)"
)
_WRAPPING = re.compile(
    rb"(?:\[pod/[^\]\s]+\] |[\w./-]{1,128} +\| ?"
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d) +"
    rb"|(?:stdout|stderr) [FP] )"
)
_CLUSTER = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)(?= )")
_OTHER_PID = re.compile(rb"\bp:(\d{1,10}) t:\d+")
_SPOKEN = re.compile(_PROCESS.pattern + rb" ?")
_UVICORN = re.compile(rb"(DEBUG|INFO|WARNING|ERROR|CRITICAL): {2,6}(?=\S)")
_FAR = 80
_RANK = re.compile(r"rank=(\d+)|TP(\d+)|-(\d+)$")
_LEVELS = {"WARN": "WARNING", "FATAL": "CRITICAL"}
_NOT_BEFORE = frozenset(b"\"'ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_MESSAGES = ("message", "msg", "log", "text", "MESSAGE")


class Process(msgspec.Struct, frozen=True):
    """Who speaks, as the line names it.

    Attributes:
        name: such as `EngineCore_DP0` or `Worker_TP1`; empty if only the pid is told.
        pid: 0 if untold.
    """

    name: str
    pid: int

    @property
    def rank(self) -> int | None:
        """Of a worker, if its name says."""
        if found := _RANK.search(self.name):
            return next(int(one) for one in found.groups() if one is not None)
        return None

    @property
    def title(self) -> str:
        """For people and reports."""
        return re.sub(r" rank=\d+$", "", self.name) or f"pid {self.pid}"


class Record(msgspec.Struct, frozen=True):
    """One message.

    Attributes:
        line: of the file, from 1.
        text: the message, or the whole line without its wrapping where it has no header.
        level: empty if it has none.
        processes: from the outermost to the one that speaks.
        own: the stamp that the record wrote.
        cluster: the stamp that the container's log gave the line.
        headed: whether it has a header, of vLLM's form or JSON; otherwise `text` may have more
            of somebody's own format before its message.
        placed: whether file and line follow the header, as in every record of vLLM's.
        source: the pod or service that the wrapping names, where one stream has several.
    """

    line: int
    text: str
    level: str = ""
    processes: tuple[Process, ...] = ()
    own: Stamp | None = None
    cluster: Stamp | None = None
    headed: bool = False
    placed: bool = False
    source: str = ""

    @property
    def speaker(self) -> Process | None:
        """The innermost process."""
        return self.processes[-1] if self.processes else None


def header(raw: bytes, at: int = 0) -> "re.Match[bytes] | None":
    """The next header that is not quoted by something else."""
    found = HEADER.search(raw, at)
    while found and found.start() and raw[found.start() - 1] in _NOT_BEFORE:
        found = HEADER.search(raw, found.start() + 1)
    return found


def records(line: int, raw: bytes) -> list[Record]:
    """All records of a fragment without escapes; what is only wrapping is none."""
    at, cluster, source = _unwrapped(raw)
    if raw.startswith(b"{", at):
        objects = _from_json(line, raw[at:])
        if objects is not None:
            return [replace(one, cluster=one.cluster or cluster, source=source) for one in objects]
    found = header(raw)
    if found is None:
        return [_bare(line, raw, at, cluster, source)]
    result = []
    left = 0
    while found is not None:
        following = header(raw, found.end())
        end = following.start() if following else len(raw)
        processes = _processes(raw[left : found.start()])
        message, left = _without_next(raw, found.end(), end, last=following is None)
        level, _, stamp = found[0].partition(b" ")
        result.append(
            Record(
                line,
                message.decode("utf-8", "replace"),
                level.rstrip(b":").decode(),
                processes,
                stamp_of(stamp.lstrip()),
                cluster,
                headed=True,
                placed=found["place"] is not None,
                source=source,
            )
        )
        found = following
    return result


def _without_next(raw: bytes, start: int, end: int, *, last: bool) -> tuple[bytes, int]:
    """The message, and where the wrapping of the record behind it begins."""
    message = raw[start:end]
    if last:
        return message, end
    processes = list(_PROCESS.finditer(message))
    while processes and message[processes[-1].end() :].strip() == b"":
        message = message[: processes[-1].start()]
        processes.pop()
    return message, start + len(message)


def _unwrapped(raw: bytes) -> tuple[int, Stamp | None, str]:
    """Where the wrapping of a container's log ends, the stamp in it, and whose log it is."""
    at = 0
    cluster = None
    source = ""
    while found := _WRAPPING.match(raw, at):
        if _CLUSTER.match(raw, at):
            cluster = stamp_of(raw[at : found.end()])
        elif not found[0].startswith((b"stdout", b"stderr")):
            source = found[0].rstrip(b"| ").decode("utf-8", "replace")
        at = found.end()
    return at, cluster, source


def _processes(wrapping: bytes) -> tuple[Process, ...]:
    return tuple(
        Process((name or b"").decode("utf-8", "replace"), int(pid))
        for name, pid in _PROCESS.findall(wrapping)
    )


def _bare(line: int, raw: bytes, at: int, cluster: Stamp | None, source: str) -> Record:
    """A line without a header: a print, a bar, uvicorn's, a traceback's, or another format."""
    start = at
    while (found := _SPOKEN.match(raw, at)) is not None:
        at = found.end()
    processes = _processes(raw[start:at])
    own = None
    level = ""
    if uvicorn := _UVICORN.search(raw, at):
        processes = processes or _processes(raw[at : uvicorn.start()])
        level = uvicorn[1].decode()
        at = uvicorn.end()
    elif (stamp := ISO.search(raw, at, at + _FAR)) is not None:
        own = stamp_of(stamp[0])
        if other := _OTHER_PID.search(raw, stamp.end()):
            processes = (*processes, Process("", int(other[1])))
        if not raw[at : stamp.start()].strip(b"["):
            at = len(raw) - len(raw[stamp.end() :].lstrip(b"] ,:|-"))
    text = raw[at:].decode("utf-8", "replace")
    return Record(line, text, level, processes, own, cluster, source=source)


def _from_json(line: int, raw: bytes) -> list[Record] | None:
    """A log line that is an object: of vLLM's JSON formatter, or of a container runtime."""
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    message = next((told[key] for key in _MESSAGES if isinstance(told.get(key), str)), None)
    if message is None:
        return None
    own = _stamp_in(told, "asctime", "timestamp", "time", "ts", "@timestamp")
    level = str(told.get("levelname") or told.get("level") or "").upper()
    inner = ANSI.sub(b"", message.encode("utf-8", "replace"))
    is_whole_line = header(inner) or _SPOKEN.match(inner) or _UVICORN.match(inner)
    if is_whole_line or ("stream" in told and not level):  # a collector's, or a runtime's
        found = [one for part in inner.splitlines() for one in records(line, part)]
        return [replace(one, cluster=one.cluster or own) for one in found]
    name = told.get("vllm_process_name") or told.get("processName") or ""
    pid = told.get("process")
    process = Process(str(name), pid if isinstance(pid, int) else 0)
    processes = (process,) if name or process.pid else ()
    trace = told.get("exc_info")
    texts = [*message.split("\n"), *(trace.split("\n") if isinstance(trace, str) else ())]
    level = _LEVELS.get(level, level)
    return [
        Record(line, text, level, processes, own, headed=bool(level), placed=bool(level))
        for text in texts
    ]


def _stamp_in(told: dict[str, object], *keys: str) -> Stamp | None:
    for key in keys:
        if isinstance(value := told.get(key), str) and (found := stamp_of(value.encode())):
            return found
    return None
