"""Why a start failed: the root, told once, and no noise of a stop."""

import pytest

from tests.core.nop.composing import API, ENGINE, only, read, record, server

ROOM = "ValueError: No available memory for the cache blocks."
FAILED = "RuntimeError: Engine core initialization failed. See root cause above."
WORKER = "Worker_TP1 pid=71"


def logged(error: str, process: str = ENGINE) -> list[str]:
    """A traceback as a record tells it, line by line."""
    return [
        record(words, level="ERROR", process=process)
        for words in (
            "Traceback (most recent call last):\r",
            '  File "core.py", line 1, in run\r',
            "    core = Core()\r",
            "           ^^^^^^\r",
            error,
        )
    ]


def raised(error: str, process: str = API) -> list[str]:
    """A traceback of the interpreter's, prefixed as everything that a process prints."""
    lines = [
        "Traceback (most recent call last):",
        '  File "x.py", line 1',
        "    ~~~",
        "",
        "During handling of the above exception, another exception occurred:",
        error,
    ]
    return [f"({process}) {line}" if process else line for line in lines]


FAILS = record("EngineCore failed to start.", level="ERROR", process=ENGINE)


def test_the_engine_says_that_it_failed_and_the_traceback_says_why() -> None:
    attempt = only([*server()[:14], FAILS, *logged(ROOM), *raised(ROOM, ENGINE), *raised(FAILED)])

    assert attempt.failed is not None
    assert (attempt.failed.line, attempt.failed.reason_line) == (15, 20)
    assert attempt.failed.reason == ROOM
    assert attempt.failed.process is not None
    assert attempt.failed.process.title == "EngineCore_DP0"
    assert attempt.ready is None


def test_the_deepest_process_knows_best() -> None:
    oom = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    worker = record("WorkerProc failed to start.", level="ERROR", process=WORKER)
    above = "Exception: WorkerProc initialization failed due to an exception in a background proc"
    attempt = only(
        [
            *server()[:6],
            worker,
            *logged(oom, WORKER),
            *logged(oom, "Worker_TP2 pid=9"),
            FAILS,
            *logged(above),
            *raised(FAILED),
        ]
    )

    assert attempt.failed is not None
    assert (attempt.failed.line, attempt.failed.reason, attempt.failed.reason_line) == (7, oom, 12)
    assert attempt.failed.process is not None
    assert attempt.failed.process.title == "Worker_TP1"


def test_the_front_end_alone_may_tell_it() -> None:
    attempt = only([*server()[:6], *raised(FAILED)])

    assert attempt.failed is not None
    assert attempt.failed.reason == FAILED


def test_what_fails_before_any_engine_is_found_at_the_end() -> None:
    missing = "huggingface_hub.errors.HFValidationError: Repo id must use alphanumeric chars"
    attempt = only([*server()[:2], *raised(missing, process="")])

    assert attempt.failed is not None
    assert (attempt.failed.line, attempt.failed.reason) == (8, missing)


def test_what_was_caught_is_no_failure() -> None:
    caught = [*raised("ImportError: no such kernel", ENGINE), *logged("KeyError: 'x'")]
    lines = server()
    attempt = only([*lines[:6], *caught, *lines[6:]])

    assert attempt.ready is not None
    assert attempt.failed is None


def test_a_warning_with_a_traceback_is_a_warning() -> None:
    quiet = [record("Traceback (most recent call last):", level="WARNING"), "ValueError: x"]
    assert only([*server()[:6], *quiet]).failed is None


def test_an_error_without_traceback_is_its_own_reason() -> None:
    died = record("Worker VllmWorkerProcess pid 12 died, exit code: -9", level="ERROR")
    attempt = only([*server()[:6], died])

    assert attempt.failed is not None
    assert attempt.failed.reason == "Worker VllmWorkerProcess pid 12 died, exit code: -9"
    assert attempt.failed.reason_line == 0


@pytest.mark.parametrize("stop", ["Shutdown initiated (timeout=0)", "[shutdown] trigger SIGTERM"])
def test_what_is_raised_while_stopping_is_no_failure(stop: str) -> None:
    lines = [*server(), record(stop, process=ENGINE), FAILS, *logged("EngineDeadError: dead", API)]
    attempt = only(lines)

    assert (attempt.failed, attempt.troubles) == (None, [])
    assert attempt.stopped_line == 23


def test_what_is_raised_once_it_was_ready_is_trouble_of_its_own() -> None:
    attempt = only([*server(), *logged("RuntimeError: CUDA Error: out of memory"), FAILS])

    assert attempt.failed is None
    assert [one.text for one in attempt.troubles] == ["RuntimeError: CUDA Error: out of memory"]
    assert attempt.troubles[0].is_logged


def test_being_interrupted_is_a_stop() -> None:
    attempt = only([*server()[:8], *raised("KeyboardInterrupt: terminated", process="")])

    assert attempt.failed is None
    assert attempt.stopped_line == 14


def test_a_start_that_ends_without_a_word_failed_if_another_follows() -> None:
    found = read([*server()[:9], *server(begin=500)])

    assert found[0].failed is not None
    assert found[0].failed.line == 9
    assert "without a word" in found[0].failed.reason
    assert found[1].failed is None
    assert only(server()[:9]).failed is None


def test_no_shared_memory_block_is_no_memory_failure() -> None:
    words = "No available shared memory broadcast block found in 60 seconds."
    assert only([*server(), record(words, process=ENGINE)]).failed is None


def test_what_comes_late_deepens_the_reason() -> None:
    worker = record("WorkerProc failed to start.", level="ERROR", process=WORKER)
    attempt = only(
        [
            *server()[:6],
            FAILS,
            worker,
            *logged("ValueError: above"),
            *logged("OSError: below", WORKER),
        ]
    )

    assert attempt.failed is not None
    assert (attempt.failed.line, attempt.failed.reason) == (7, "OSError: below")


def test_a_front_end_that_dies_beside_a_good_engine_failed_though_it_stops_orderly() -> None:
    lines = [*server()[:18], record("Shutdown initiated (timeout=0)", process=ENGINE),
             record("Shutdown complete", process=ENGINE),
             *raised("OSError: [Errno 98] Address already in use")]  # fmt: skip
    attempt = only(lines)

    assert attempt.failed is not None
    assert attempt.failed.reason == "OSError: [Errno 98] Address already in use"


def test_what_is_raised_after_a_signal_in_the_middle_of_a_start_is_noise() -> None:
    asked = record("[shutdown] EngineCore: trigger received signal=SIGTERM", process=ENGINE)
    again = record("[shutdown] API server: shutdown triggered", process=API)
    attempt = only([*server()[:9], asked, again, FAILS, *logged("EngineDeadError: dead", API)])

    assert attempt.failed is None
    assert (attempt.stopped_line, attempt.is_signalled) == (10, True)


def test_a_start_that_was_stopped_did_not_fail_though_another_follows() -> None:
    stop = record("Shutdown initiated (timeout=0)", process=ENGINE)
    assert [one.failed for one in read([*server()[:9], stop, *server(begin=500)])] == [None, None]


INVALID = "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig"
WHY = "  Value error, The checkpoint has model type `new` [type=value_error]"


def test_what_is_invalid_is_told_by_the_next_line() -> None:
    before = only([*server()[:2], *raised(INVALID), f"({API}) {WHY}", f"({API})     For further"])
    after = only([*server(), *raised(INVALID), f"({API}) {WHY}"])
    alone = only([*server()[:2], *raised(INVALID), f"({API}) next"])
    deeper = only([*server()[:2], *raised("ValueError: deep", ENGINE), *raised(INVALID),
                   f"({API}) {WHY}"])  # fmt: skip

    assert before.failed is not None
    assert before.failed.reason == f"{INVALID}: {WHY.strip()}"
    assert [one.text for one in after.troubles] == [f"{INVALID}: {WHY.strip()}"]
    assert alone.failed is not None
    assert alone.failed.reason == INVALID
    assert deeper.failed is not None
    assert deeper.failed.reason == "ValueError: deep"
