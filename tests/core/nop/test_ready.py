"""When a server is ready, by the best sign that is its own."""

import pytest

from tests.core.nop.composing import (
    API,
    COMPLETE,
    offline,
    only,
    read,
    record,
    server,
    values,
)


@pytest.mark.parametrize(
    ("lines", "line", "by"),
    [
        (server(), 22, COMPLETE),
        (server()[:-1], 20, "Available routes are:"),
        (server()[:18], None, None),
        (offline(), 4, "init engine"),
        ([*offline(), record("Starting vLLM API server on http://0:8000")], None, None),
        ([*server()[:18], COMPLETE, f"INFO:     {COMPLETE}"], None, None),
        ([*server()[:18], f"INFO:     [29-01-2026 03:50:13] {COMPLETE}"], None, None),
        (
            [*server()[:-1], "INFO:     Started server process [99]", f"INFO:     {COMPLETE}"],
            20,
            "Available routes are:",
        ),
        (
            [*server()[:-1], "INFO:     Started server process [7]", f"INFO:     {COMPLETE}"],
            23,
            COMPLETE,
        ),
        ([*server()[:-1], f"INFO:     {COMPLETE}", f"INFO:     {COMPLETE}"], 22, COMPLETE),
    ],
)
def test_a_server_is_ready_by_the_best_sign_of_its_own(
    lines: list[str], line: int | None, by: str | None
) -> None:
    ready = only(lines).ready

    assert (ready and ready.line, ready and ready.by) == (line, by)


def test_at_level_warning_the_web_server_is_all_there_is() -> None:
    loud = record("Found ulimit of 20000", level="WARNING", process=API)
    attempt = only([loud, f"INFO:     {COMPLETE}"])

    assert attempt.ready is not None
    assert attempt.levels == {"W"}


def test_with_two_servers_up_at_once_each_web_server_is_its_own() -> None:
    other = server(api="APIServer pid=8", engine="EngineCore pid=80", begin=1)
    mine = server()
    lines = [
        *mine[:-1],
        *other[:-1],
        "INFO:     Started server process [7]",
        f"INFO:     {COMPLETE}",
    ]
    found = read(lines)

    assert [one.ready and one.ready.by for one in found] == [COMPLETE, "Available routes are:"]


def test_a_log_of_another_web_server_has_no_start() -> None:
    lines = [
        "INFO:     Started server process [1]",
        f"INFO:     {COMPLETE}",
        "INFO:     Shutting down",
        "args: ['--port', '80']",
        "Traceback (most recent call last):",
        "ValueError: no",
        "Loading weights took 2.50 seconds",
        "EngineCore failed to start.",
    ]
    assert read(lines) == []


def test_a_plain_line_may_begin_a_start_if_it_says_so_itself() -> None:
    lines = ["vLLM API server version 0.19.1", "Loading weights took 2.50 seconds"]
    assert values(only(lines)) == {"weights_load_s": [2.5]}
