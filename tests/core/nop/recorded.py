"""Pods and logs of recordings, composed for tests."""

from typing import Any

import msgspec

from llmdbenchd.core.nop.calls import Cycle
from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.core.nop.report import telling
from llmdbenchd.core.nop.story import Start, Story
from llmdbenchd.core.nop.timeline import Recorded, timeline
from llmdbenchd.core.pods.objects import Event, Pod

TEXTS = (
    "vLLM API server version 0.19.1",
    "non-default args: {'model': 'a/b', 'enable_sleep_mode': True}",
    (
        "Initializing a V1 LLM engine (v0.19.1) with config: model='a/b', load_format=auto, "
        "enforce_eager=False, enable_sleep_mode=True"
    ),
    "Starting to load model a/b...",
    "Model loading took 0.93 GiB memory and 0.750000 seconds",
    "Dynamo bytecode transform time: 0.31 s",
    "Compiling a graph for compile range (1, 2048) takes 0.52 s",
    "torch.compile took 0.83 s in total",
    "Available KV cache memory: 41.12 GiB",
    "Graph capturing finished in 0.25 secs, took -0.40 GiB",
    "init engine (profile, create kv cache, warmup model) took 1.50 seconds",
    "Starting vLLM server on http://0.0.0.0:8000",
    "Application startup complete.",
)
SLEEP = (
    "Sleep mode freed 69.50 GiB memory, 0.75 GiB memory is still in use.",
    "It took 0.200000 seconds to fall asleep.",
    "It took 0.100000 seconds to wake up tags {'weights', 'kv_cache'}.",
)
FAILED = (
    *TEXTS[:4],
    "EngineCore failed to start.",
    "Traceback (most recent call last):",
    "torch.OutOfMemoryError: CUDA out of memory",
)


def log(texts: tuple[str, ...], *, stamped: bool = True) -> bytes:
    """Lines of one process, a second apart."""
    lines = []
    for number, text in enumerate(texts):
        stamp = f"2026-03-01T12:00:{number:02}.000000000Z " if stamped else ""
        clock = f"03-01 12:00:{number:02} " if stamped else ""
        lines.append(f"{stamp}(EngineCore pid=84) INFO {clock}[a.py:1] {text}\n")
    return "".join(lines).encode()


def recorded(texts: tuple[str, ...], restart: int = 0, *, stamped: bool = True) -> list[Recorded]:
    """What a log tells."""
    recorder = Recorder()
    recorder.feed(log(texts, stamped=stamped))
    recorder.finish()
    return [Recorded(restart, one) for one in telling(recorder.journal)]


def status(name: str = "vllm", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - as the API has them
    return {"name": name, "containerID": "c", **fields}


def ended(code: int = 137, second: int = 0) -> dict[str, Any]:
    at = f"2026-03-01T12:00:{second:02}Z"
    return {"terminated": {"exitCode": code, "reason": "Error", "startedAt": at, "finishedAt": at}}


def running(second: int = 0) -> dict[str, Any]:
    return {"running": {"startedAt": f"2026-03-01T12:00:{second:02}Z"}}


LOOP = {"waiting": {"reason": "CrashLoopBackOff"}}


def pod(
    *statuses: dict[str, Any],
    name: str = "vllm-0",
    ready: bool = False,
    **fields: Any,  # noqa: ANN401 - as the API has them
) -> Pod:
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-03-01T12:00:20Z"}]
    metadata = {
        "name": name,
        "uid": f"uid-{name}",
        "labels": {"app": "vllm"},
        "creationTimestamp": "2026-03-01T11:59:50Z",
        "ownerReferences": [{"uid": "set"}],
    }
    told = {"containerStatuses": [*statuses], "conditions": conditions if ready else []}
    raw = {
        "metadata": metadata,
        "spec": {"containers": [{"name": "vllm", "image": "vllm/vllm:v0.19.1"}]},
        "status": {**told, **fields},
    }
    return msgspec.convert(raw, Pod)


def story(
    texts: tuple[str, ...] = (*TEXTS, *SLEEP),
    *,
    cycles: tuple[Cycle, ...] = (),
    **fields: Any,  # noqa: ANN401 - fields of a story
) -> Story:
    """A story of one life."""
    starts = recorded(texts, stamped=fields.pop("stamped", True))
    seen = pod(status(state=running(), restartCount=0), ready=fields.pop("ready", True))
    events = [Event(reason="Unhealthy", message="probe failed", count=2)]
    known: dict[str, Any] = {
        "number": 1,
        "pod": "vllm-0",
        "container": "vllm",
        "image": "vllm/vllm:v0.19.1",
        "is_cold": True,
        "is_gone": False,
        "made_at": 1772366390.0,
        "timeline": timeline(seen, "vllm", events, starts),
        "starts": tuple(Start(one, "vllm.log") for one in starts),
        "cycles": cycles,
    }
    return Story(**{**known, **fields})
