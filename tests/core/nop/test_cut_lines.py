"""Lines that a terminal's width cut, anywhere."""

import pytest

from tests.core.nop.composing import CONFIG, ENGINE, TRUE, only, read, record, server, values


@pytest.mark.parametrize("width", [80, 81, 97, 100, 132])
def test_a_terminal_that_cuts_lines_takes_nothing_away(width: int) -> None:
    lines = [
        line[at : at + width] for line in server() for at in range(0, max(len(line), 1), width)
    ]

    assert values(only(lines)) == TRUE


CUT = [
    (place, at)
    for place, line in enumerate(server()[:-1])
    for at in range(line.index(":10] ") + 4, len(line))
]


def test_wherever_a_message_is_cut_it_says_the_same() -> None:
    for place, at in CUT:
        lines = server()
        lines[place : place + 1] = [lines[place][:at], lines[place][at:]]
        assert values(only(lines)) == TRUE, lines[place : place + 2]


def test_a_number_that_is_cut_is_not_half_a_number() -> None:
    line = record("# GPU blocks: 281784, # CPU blocks: 9362", process=ENGINE)
    for at in range(line.index("#"), len(line)):
        told = {"kv_cache_gpu_blocks": [281784], "kv_cache_cpu_blocks": [9362]}
        assert values(only([line[:at], line[at:]])) == told, at


def test_a_cut_hit_of_the_cache_is_still_one_with_seconds() -> None:
    hit = "Directly load the compiled graph(s) for compile range (1, 8) from the cache, took 1.25 s"
    line = record(hit, process=ENGINE)
    for at in range(line.index("Directly"), len(line)):
        first = record("Directly load the compiled graph for shape None from the cache")
        for before in ([], [first]):
            attempt = only([*before, line[:at], line[at:]])
            assert values(attempt) == {"graph_cache_load_s": [1.25]}, at
            assert attempt.has("cache_hit_untimed") == bool(before)


def test_what_is_no_message_at_all_begins_nothing() -> None:
    assert read([record("Hello you there", place="")]) == []
    assert read(["It took 0.5 seconds to fall asleep.", "It took", " half"]) == []
    assert values(only([record("Load"), "ing cats took 2.50 seconds"])) == {}
    assert values(only([record("Loading weights took 2.50 seconds"), " Hello", "you"])) == {
        "weights_load_s": [2.5]
    }
    assert values(only([record("Using max model len 4"), "096", "096"])) == {}


def test_a_log_may_end_in_the_middle_of_a_line() -> None:
    whole = "\n".join(server()).encode()
    assert only(whole).ready is not None
    assert "engine_init_s" not in values(only(whole[: whole.index(b"26.50 sec")]))


def test_arguments_and_configuration_go_on_over_many_lines() -> None:
    long = [f"'name_{number}': 'value number {number}'" for number in range(30)]
    lines = server(args=f"{{{', '.join(long)}}}", config=f"{CONFIG}, more={[0] * 200}, end")
    cut = [line[at : at + 90] for line in lines for at in range(0, len(line), 90)]
    attempt = only(cut)

    assert attempt.text["args"].endswith("'name_29': 'value number 29'}")
    assert attempt.text["config"].endswith("end")
    assert attempt.first_line == 1


def test_a_line_that_is_no_rest_is_not_added() -> None:
    for between in (
        "INFO:     not a rest",
        "(APIServer pid=7) hello",
        '{"a": 1}',
        "",
        "2026-05-01 12:00:00 seconds",
        "[pod/a/b] seconds",
    ):
        lines = [*server()[:7], record("Loading weights took 2.", process=ENGINE), between]
        assert "weights_load_s" not in values(only(lines))
    first = record("Loading weights took 2.", process=ENGINE)
    assert values(only([first, "5 seconds"])) == {"weights_load_s": [2.5]}
    assert values(only([first, *["x" * 4000] * 30, "5 seconds"])) == {}


def test_a_line_that_no_terminal_could_hold_was_not_cut() -> None:
    lines = server(config=f"{CONFIG}, {'x=1, ' * 200}")
    lines.insert(5, "load_format=other")

    assert "other" not in only(lines).text["config"]
