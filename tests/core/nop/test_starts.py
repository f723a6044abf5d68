"""Where a start begins, whose a line is, when a server is ready."""

import pytest

from llmdbenchd.core.nop import attempt as attempts
from llmdbenchd.core.nop import journal
from llmdbenchd.core.nop.events import Began, Event, Gap, Stopped
from llmdbenchd.core.nop.recorder import Recorder
from tests.core.nop.composing import (
    API,
    CONFIG,
    ENGINE,
    TRUE,
    followed,
    offline,
    only,
    read,
    record,
    server,
    values,
)


def test_a_restart_with_the_same_process_ids_is_another_start() -> None:
    found = read([*server(), *server("0.20.2", begin=100)])

    assert [(one.first_line, one.text["version"], values(one) == TRUE) for one in found] == [
        (1, "0.19.1", True),
        (23, "0.20.2", True),
    ]


def test_what_is_imported_before_the_version_belongs_to_the_start() -> None:
    platform = record("Automatically detected platform cuda.")
    loud = record("Something new.", level="WARNING")
    found = read(
        [
            platform,
            *server(),
            record("Shutting down FastAPI HTTP server.", process=API),
            "",
            loud,
            platform,
            *server(begin=200),
        ]
    )

    assert [(one.first_line, one.last_line) for one in found] == [(1, 25), (26, 49)]
    assert [len(one.marks["platform"]) for one in found] == [1, 1]


def test_what_a_start_said_before_it_failed_stays_its_own() -> None:
    failed = [*server()[:4], "Traceback (most recent call last):", "OSError: no such model"]
    found = read([*failed, *server(begin=100)])

    assert [one.first_line for one in found] == [1, 7]
    assert found[0].has("architecture")
    assert found[0].failed is not None
    assert found[0].failed.reason == "OSError: no such model"


def test_scripts_may_make_engines_one_after_another() -> None:
    found = read([*offline(), *offline(begin=60)])

    assert [(one.first_line, one.ready and one.ready.by) for one in found] == [
        (1, "init engine"),
        (5, "init engine"),
    ]


def test_two_servers_in_one_stream_are_kept_apart_by_their_processes() -> None:
    other = server("0.25.1", api="APIServer pid=8", engine="EngineCore pid=80", begin=1)
    lines = [one for pair in zip(server(), other, strict=True) for one in pair]
    found = read(lines)

    assert [(one.text["version"], values(one) == TRUE) for one in found] == [
        ("0.19.1", True),
        ("0.25.1", True),
    ]
    assert [one.ready and one.ready.line for one in found] == [43, 44]


def test_engines_of_one_data_parallel_server_are_one_start() -> None:
    two = "EngineCore_DP1 pid=71"
    lines = server()
    lines.insert(
        5, record(f"Initializing a V1 LLM engine (v0.19.1) with config: {CONFIG}", 11, process=two)
    )
    lines.insert(9, record("Loading weights took 3.50 seconds", 21, process=two))
    attempt = only(lines)

    assert sorted(one.value for one in attempt.readings["weights_load_s"]) == [2.5, 3.5]


def test_the_same_arguments_twice_are_one_start_and_others_are_another() -> None:
    args = record("non-default args: {'model': 'a'}")
    others = record("non-default args: {'model': 'b'}")

    assert len(read([args, args, *offline()])) == 1
    assert len(read([args, others, *offline()])) == 2
    assert len(read([*offline(), args])) == 2


def test_an_engine_that_runs_already_when_its_own_line_comes_is_the_same() -> None:
    lines = offline()
    assert len(read([lines[3], lines[1]])) == 1


def test_a_drafter_is_a_second_entry_and_not_an_overwrite() -> None:
    lines = server()
    lines[8:8] = [
        record("Loading drafter model...", 21, process=ENGINE),
        record("Loading weights took 0.75 seconds", 21, process=ENGINE),
    ]
    lines += [record("Loading weights took 5.00 seconds", 90, process=ENGINE)]  # after a level 2
    kept = only(lines).readings["weights_load_s"]

    assert [(one.value, one.tag) for one in kept] == [(2.5, ""), (0.75, "drafter"), (5.0, "")]


def test_parts_of_a_model_are_told_by_their_cache_folders() -> None:
    def folder(last: str) -> str:
        path = f"/root/.cache/torch_compile_cache/1f/rank_0_0{last}"
        return record(f"Using cache directory: {path} for vLLM's torch.compile", process=ENGINE)

    def dynamo(seconds: str, part: str = "") -> str:
        return record(f"{part}Dynamo bytecode transform time: {seconds} s", process=ENGINE)

    lines = [
        folder("/backbone"),
        dynamo("5.37"),
        folder("/eagle_head"),
        dynamo("0.65"),
        folder(""),
        dynamo("0.10"),
        dynamo("0.20", "[encoder] "),
    ]
    kept = only(lines).readings["dynamo_s"]

    assert [one.tag for one in kept] == ["backbone", "eagle_head", "", "encoder"]


def test_the_logo_tells_version_and_model() -> None:
    lines = [
        record("", process=API),
        record("       \u2588     \u2588     \u2588\u2584   \u2584\u2588", process=API),
        record(
            " \u2584\u2584 \u2584\u2588 \u2588  \u2588 \u2580\u2584\u2580 \u2588  version 0.32.0",
            process=API,
        ),
        record("  \u2588\u2584\u2588\u2580 \u2588     \u2588  model   org/model-7b\r", process=API),
    ]
    attempt = only(lines)

    assert attempt.text == {"version": "0.32.0", "model": "org/model-7b"}


def test_news_comes_with_the_line_that_brings_it() -> None:
    recorder = Recorder()
    news: list[tuple[int, type]] = []
    for number, line in enumerate(server(), 1):
        events = recorder.feed(f"{line}\n".encode())
        assert all(event.line == number for event in events)
        news += [(number, type(event.what)) for event in events]

    assert news[0] == (1, Began)
    assert recorder.lines == 22
    assert [event.attempt for event in recorder.finish()] == []


def test_the_api_may_know_of_a_restart_and_of_a_gap() -> None:
    recorder = Recorder()
    recorder.feed("".join(f"{line}\n" for line in server()[:12]).encode())
    assert recorder.gap() == [Event(1, 13, Gap())]
    recorder.restarted()
    recorder.feed(f"{record('Loading weights took 1.00 seconds', process=ENGINE)}\n".encode())
    recorder.restarted()
    recorder.feed(f"{record('Hello.', level='WARNING')}\n".encode())

    found = recorder.journal.attempts
    assert [one.first_line for one in found] == [1, 13, 14]
    assert found[0].gaps == [13]
    assert [event.what for event in recorder.finish()] != []
    assert recorder.journal.latest is found[-1]


def test_marks_of_what_was_left_out_are_gaps_and_pictures_are_not() -> None:
    attempt = only(
        [
            *server()[:5],
            "##### [cut: lines 6-90 left out] #####",
            "##### ####  ###",
            "2026-05-01T12:00:00Z llmdbenchd: log gap: lines after x are missing",
            "##### [cut: INFO 05-01 12:00:00 [a.py:1] Loading weights took 2.50 seconds",
        ]
    )

    assert attempt.gaps == [6, 8, 9]
    assert values(attempt) == {}


def test_a_stop_is_told_once() -> None:
    lines = [
        *server(),
        record("Shutdown initiated (timeout=0)", process=ENGINE),
        "INFO:     Shutting down",
        record("[shutdown] API server: stop", process=API),
    ]
    recorder, events = followed(lines)

    (attempt,) = recorder.journal.attempts
    assert attempt.stopped_line == 23
    assert [one.line for one in events if one.what == Stopped()] == [23]


def test_memory_is_held_for_starts_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_ATTEMPTS", 4)
    monkeypatch.setattr(journal, "_MOST_PIDS", 3)
    monkeypatch.setattr(attempts, "MOST_READINGS", 5)
    monkeypatch.setattr(attempts, "MOST_MARKS", 2)
    recorder, _ = followed([line for _ in range(6) for line in server()])
    asleep = [
        record(f"It took {n}.5 seconds to fall asleep.", process=f"Worker pid={n}")
        for n in range(9)
    ]
    folders = [
        record(f"Using cache directory: /x/{n} for vLLM's torch.compile", process=f"Worker pid={n}")
        for n in range(9)
    ]
    traces = [f"(Worker pid={n}) Traceback (most recent call last):" for n in range(90)]
    webs = [f"INFO:     Started server process [{n}]" for n in ("1", "2", "3", "x")]
    fronts = [record("Available routes are:", process=f"APIServer pid={n}") for n in range(9)]
    errors = ["Traceback (most recent call last):", "ValueError: no"] * 5
    gaps = ["##### [cut: 1]"] * 5
    grown = only([*asleep, *folders, *traces, *webs, *fronts, *errors, *gaps])

    assert (len(recorder.journal.attempts), recorder.journal.left_out) == (4, 2)
    assert (len(grown.readings["sleep_s"]), grown.left_out) == (5, {"sleep_s": 4})
    assert len(grown.marks["asleep"]) == 2
    assert len(grown.started_pids) <= 2
    assert (len(grown.troubles), len(grown.gaps)) == (2, 2)
