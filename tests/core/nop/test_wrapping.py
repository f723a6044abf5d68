"""Whatever wraps the lines, the values stay the same."""

import json
from collections.abc import Callable

import pytest

from tests.core.nop.composing import API, TRUE, only, read, record, server, values

ESC = "\x1b"


def spread(line: str) -> str:
    """Colours as newer versions write them to a terminal: between level and time too."""
    process, _, rest = line.partition(") ")
    level, _, rest = rest.partition(" ")
    if level == "INFO:":
        return line
    day, clock, place, rest = rest.split(" ", 3)
    return (
        f"{ESC}[0;36m{process}){ESC}[0;0m {ESC}[32m{level}{ESC}[0m "
        f"{ESC}[90m{day} {clock}{ESC}[0m {ESC}[90m{place}{ESC}[0m {rest}"
    )


def as_json(line: str) -> str:
    """As the JSON formatter of newer versions writes; uvicorn's lines too."""
    process, _, rest = line[1:].partition(") ")
    name, _, pid = process.partition(" pid=")
    is_record = not rest.startswith("INFO: ")
    message = rest.split("] ", 1)[1] if is_record else rest.removeprefix("INFO:     ")
    told = {
        "asctime": f"2026-{rest[5:19]},250" if is_record else "2026-05-01 12:01:00,250",
        "levelname": "INFO",
        "name": "vllm",
        "processName": "Main",
        "process": int(pid),
        "message": message,
        "vllm_process_name": name,
    }
    return json.dumps(told)


def as_docker_keeps_it(line: str) -> str:
    return json.dumps({"log": f"{line}\n", "stream": "stderr", "time": "2026-05-01T12:00:00.5Z"})


WRAPPINGS: dict[str, Callable[[str], str]] = {
    "nothing": str,
    "compose": lambda line: f"my-model_1.5   | {line}",
    "kubectl --prefix": lambda line: f"[pod/vllm-0/server] {line}",
    "kubectl --timestamps": lambda line: f"2026-05-01T14:00:00.123456789Z {line}",
    "kubectl, both": lambda line: f"[pod/vllm-0/server] 2026-05-01T14:00:00+02:00 {line}",
    "CRI": lambda line: f"2026-05-01T14:00:00.123456789+02:00 stdout F {line}",
    "supervisor": lambda line: f"2026-05-01 14:00:00.123 [Info] (vllm) {line}",
    "free text": lambda line: f"[pod-a] {line}",
    "Ray": lambda line: f"{ESC}[36m(RayWorkerWrapper pid=1, ip=10.0.0.2){ESC}[0m {line}",
    "old colours": lambda line: line.replace("(", f"{ESC}[1;36m(", 1).replace(
        ")", f"){ESC}[0;0m", 1
    ),
    "colours everywhere": spread,
    "carriage returns": lambda line: f"{line}\r",
    "behind a bar": lambda line: f"shards:  50%|##   | 1/2 [00:01<00:01]\rshards: 100%\r{line}",
    "behind a bar, glued": lambda line: f"shards:  50%|##   | 1/2 [00:01<00:01, 1.0it/s]{line}",
    "JSON": as_json,
    "Docker's file": as_docker_keeps_it,
    "a collector's JSON": lambda line: json.dumps({"level": "info", "message": line}),
    "JSON in compose": lambda line: f"vllm-1  | {as_json(line)}",
}


@pytest.mark.parametrize("how", WRAPPINGS)
def test_wrapping_never_changes_a_value(how: str) -> None:
    lines = [WRAPPINGS[how](line) for line in server()]
    attempt = only(lines)

    assert values(attempt) == TRUE
    assert [kept[0].line for kept in attempt.readings.values()][:3] == [7, 8, 9]
    assert attempt.ready is not None
    assert attempt.text["version"] == "0.19.1"
    assert (attempt.ready.line, attempt.ready.by) == (22, "Application startup complete.")


def test_formats_without_a_place_are_read_as_well() -> None:
    lines = [
        *server()[:6],
        record("Loading weights took 2.50 seconds", place=""),
        record("[backbone] Dynamo bytecode transform time: 3.50 s"),
        record("Hello you there", place=""),
    ]
    assert values(only(lines)) == {"weights_load_s": [2.5], "dynamo_s": [3.5]}


def test_two_records_and_two_prefixes_on_one_line_are_parted() -> None:
    line = (
        "(VllmWorkerProcess pid=533) (VllmWorkerProcess pid=536) INFO 05-01 12:00:00 "
        "worker.py:241] Memory profiling takes 129.95 seconds(VllmWorkerProcess pid=533) INFO "
        "05-01 12:00:01 worker.py:241] Memory profiling takes 130.00 seconds"
    )
    kept = only([line]).readings["memory_profiling_s"]

    assert [(one.value, one.process and one.process.pid) for one in kept] == [
        (129.95, 536),
        (130.0, 533),
    ]


def test_the_innermost_process_speaks() -> None:
    line = record("Loading weights took 2.50 seconds", process="Worker_TP1 pid=9")
    (one,) = only([f"web-1 | (Worker pid=9) {line}"]).readings["weights_load_s"]

    assert one.process is not None
    assert (one.process.title, one.process.pid, one.process.rank) == ("Worker_TP1", 9, 1)


@pytest.mark.parametrize(
    ("name", "title", "rank"),
    [
        ("VllmWorker rank=3 pid=1", "VllmWorker", 3),
        ("VllmWorker TP2 pid=1", "VllmWorker TP2", 2),
        ("Worker_DP1_PP0_TP3_EP7 pid=1", "Worker_DP1_PP0_TP3_EP7", 3),
        ("VllmWorker-5 pid=1", "VllmWorker-5", 5),
        ("VllmWorkerProcess pid=1", "VllmWorkerProcess", None),
        ("pid=1", "pid 1", None),
    ],
)
def test_ranks_are_read_from_names(name: str, title: str, rank: int | None) -> None:
    line = record("Loading weights took 2.50 seconds", process=name)
    (one,) = only([line]).readings["weights_load_s"]

    assert one.process is not None
    assert (one.process.title, one.process.rank) == (title, rank)


def test_formats_of_other_peoples_making_are_searched() -> None:
    lines = [
        (
            "2026-05-01 16:11:34 executor.py:203 INFO:vllm.executor p:4750 t:14062: It took 0.25 "
            "seconds to wake up tags ['kv_cache']."
        ),
        (
            "[2026-05-01 16:11:35] INFO worker.py:104: Sleep mode freed 71.25 GiB memory, 1.38 GiB "
            "memory is still in use."
        ),
        "2026-05-01T16:11:36.5Z - vllm - INFO - CPU KV cache size: 1,024 tokens",
        "2026-05-01 16:11:37,250 # GPU blocks: 512, # CPU blocks: 64",
        "job 7 2026-05-01 16:11:37 INFO vllm: It took 0.5 seconds to fall asleep.",
        "2026-05-01 16:11:37 somebody said: Loading weights took 9.00 seconds for him",
    ]
    attempt = only(lines)

    assert values(attempt) == {
        "wake_s": [0.25],
        "sleep_freed_gib": [71.25],
        "sleep_in_use_gib": [1.38],
        "kv_cache_tokens": [1024],
        "kv_cache_gpu_blocks": [512],
        "kv_cache_cpu_blocks": [64],
        "sleep_s": [0.5],
    }
    (woken,) = attempt.readings["wake_s"]
    assert (woken.process and woken.process.title, woken.tag) == ("pid 4750", "kv_cache")


def test_a_print_is_found_behind_a_bar_and_a_quote_is_not() -> None:
    told = "[RunAI Streamer] Overall time to stream 3.3 GiB of all files: 0.96s, 3.5 GiB/s"
    lines = [
        *server()[:7],
        f"Loading safetensors:   0% 0/1 [00:00<?, ?it/s]{told}",
        "he wrote: Loading weights took 9.00 seconds",
        "2026-05-01 12:00:00 he wrote: Loading weights took 9.00 seconds",
        "prompt: 'Model loading took 1.00 GiB and 2.00 seconds",
    ]

    assert values(only(lines)) == {
        "weights_download_s": [5.25],
        "stream_size_gib": [3.3],
        "stream_s": [0.96],
    }


def test_what_is_quoted_by_something_else_is_no_record() -> None:
    quoted = 'the line "INFO 05-01 12:00:00 [a.py:1] Loading weights took 2.50 seconds'
    assert read([quoted]) == []
    both = f"{quoted} {record('Loading weights took 3.50 seconds')}"
    assert values(only([both])) == {"weights_load_s": [3.5]}


def test_objects_that_are_no_log_lines_are_passed_over() -> None:
    deep = '{"message":' * 100_000
    lines = [
        '{"message": 3}',
        '{"message": "no level"}',
        '{"a"',
        '["message"]',
        deep,
        '{"log": "hello", "stream": "stdout"}',
        '{"msg": "Application startup complete."}',
        '{"level": "warn", "message": "x", "process": "none", "time": "99-99 99:99:99"}',
    ]
    attempts = read(lines)

    assert [values(one) for one in attempts] == [{}]  # of the one that has a level


def test_a_traceback_in_json_is_read_by_lines() -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no room'
    told = {
        "levelname": "ERROR",
        "message": "EngineCore failed to start.",
        "exc_info": trace,
        "vllm_process_name": "EngineCore",
        "process": 9,
    }
    attempt = only([as_json(server()[0]), json.dumps(told)])

    assert attempt.failed is not None
    assert (attempt.failed.line, attempt.failed.reason) == (2, "ValueError: no room")


def test_services_that_share_a_stream_are_kept_apart() -> None:
    a, b = server("0.19.1"), server("0.25.1")  # with the same process ids
    lines = [one for x, y in zip(a, b, strict=True) for one in (f"a-1  | {x}", f"b-1  | {y}")]
    found = read(lines)

    assert [(one.source, one.text["version"], values(one) == TRUE) for one in found] == [
        ("a-1", "0.19.1", True),
        ("b-1", "0.25.1", True),
    ]
    assert all(one.ready for one in found)
    assert API in lines[0]
