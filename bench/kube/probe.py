"""The daemon itself, with a stopwatch at four places; a program of its own.

It notes when the bytes of a watch event were read, when a record was on disk, when the head of
a request was written, and how long after its line's stamp a value was read from a log: each one
line of JSON in the file that BENCH_PROBE names.
Nothing else is different from `llmdbenchd serve`.
"""

import json
import os
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import aiohttp
import msgspec
import structlog

from llmdbenchd.app.daemon import DiskLedger
from llmdbenchd.cli import main
from llmdbenchd.core.launch import labels
from llmdbenchd.core.launch.manifest import HARNESS
from llmdbenchd.core.nop.attempt import Reading
from llmdbenchd.core.nop.events import Event
from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.core.pods.objects import Pod, WatchEvent
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.kubernetes import pools, view
from llmdbenchd.edge.kubernetes.lines import lines_of

FILE = "BENCH_PROBE"


class Probe:
    """Wraps what is watched, and writes down when."""

    def __init__(self, into: TextIO) -> None:
        self._into = into
        self._events = msgspec.json.Decoder(WatchEvent)
        self._fed: dict[int, deque[tuple[int, float]]] = {}

    def install(self) -> None:
        """From here on everything is noted."""
        self._note_lines()
        self._note_saves()
        self._note_requests()
        self._note_readings()

    def note(self, what: str, at: float, **facts: object) -> None:
        """One line; `at` in seconds of the monotonic clock."""
        self._into.write(json.dumps({"what": what, "at": at, **facts}) + "\n")

    def _note_lines(self) -> None:
        fed, feed = self._fed, aiohttp.StreamReader.feed_data

        def feed_data(reader: aiohttp.StreamReader, data: bytes, size: int = 0) -> bool:
            paused = feed(reader, data, size)
            if id(reader) in fed:
                fed[id(reader)].append((reader.total_bytes, time.monotonic()))
            return paused

        async def noted(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
            chunks = fed[id(content)] = deque([(content.total_bytes, time.monotonic())])
            read = 0
            try:
                async for line in lines_of(content):
                    read += len(line) + 1
                    while chunks[0][0] < read:
                        chunks.popleft()
                    self._note_event(line, chunks[0][1])
                    yield line
            finally:
                del fed[id(content)]

        setattr(aiohttp.StreamReader, "feed_data", feed_data)  # noqa: B010 - a probe's way
        setattr(view, "lines_of", noted)  # noqa: B010 - as above

    def _note_event(self, line: bytes, at: float) -> None:
        event = self._events.decode(line)
        if event.type in {"ADDED", "MODIFIED", "DELETED"}:
            pod = msgspec.json.decode(event.object, type=Pod)
            marks = pod.metadata.labels
            run = f"{marks.get(labels.JOB)}/{marks.get(labels.RUN)}"
            self.note("event", at, run=run, harness=_state(pod))

    def _note_saves(self) -> None:
        save = DiskLedger.save

        async def noted(ledger: DiskLedger, record: Record) -> None:
            await save(ledger, record)
            self.note("saved", time.monotonic(), run=record.key, phase=record.phase.value)

        setattr(DiskLedger, "save", noted)  # noqa: B010 - a probe's way

    def _note_requests(self) -> None:
        trace = aiohttp.TraceConfig()

        async def sent(
            _: aiohttp.ClientSession,
            __: SimpleNamespace,
            head: aiohttp.TraceRequestHeadersSentParams,
        ) -> None:
            bound = structlog.contextvars.get_contextvars()
            run = f"{bound.get('job')}/{bound.get('run')}"
            self.note("sent", time.monotonic(), run=run, method=head.method, path=head.url.path)

        trace.on_request_headers_sent.append(sent)
        trace.freeze()
        opened = pools._opened  # noqa: SLF001 - the one place where connections come from

        def noted(limit: int, read_ahead: int) -> aiohttp.ClientSession:
            session = opened(limit, read_ahead)
            session.trace_configs.append(trace)
            return session

        setattr(pools, "_opened", noted)  # noqa: B010 - a probe's way

    def _note_readings(self) -> None:
        feed = Recorder.feed

        def noted(recorder: Recorder, data: bytes) -> list[Event]:
            events = feed(recorder, data)
            now = time.time()
            for what in (one.what for one in events):
                if isinstance(what, Reading) and what.at is not None:
                    self.note("reading", time.monotonic(), value=what.value, after=now - what.at)
            return events

        setattr(Recorder, "feed", noted)  # noqa: B010 - a probe's way


def _state(pod: Pod) -> str:
    for one in pod.status.container_statuses:
        if one.name == HARNESS:
            if one.state.terminated:
                return "ended"
            return "running" if one.state.running else "waiting"
    return "waiting"


if __name__ == "__main__":
    with Path(os.environ[FILE]).open("a", buffering=1, encoding="utf-8") as file:
        Probe(file).install()
        sys.argv[1:] = ["serve"]
        sys.exit(main())
