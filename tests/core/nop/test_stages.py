"""What took how long: logged where a line says it, else between stamps, and it says which."""

import pytest

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.sleeps import sleeps
from llmdbenchd.core.nop.stages import Stage, categories, durations
from tests.core.nop.composing import ENGINE, only, record, server

SLEEPS = "CuMemAllocator: sleep freed 60.00 GiB memory in total, of which {} GiB is backed up in "


def by_title(stages: list[Stage]) -> dict[str, Stage]:
    return {stage.title: stage for stage in stages}


def debug_start() -> list[str]:
    """A start at level DEBUG, where every category has its lines."""
    lines = server()
    lines[0:0] = [
        record("No plugins for group vllm.platform_plugins found.", level="DEBUG"),
        record("Automatically detected platform cuda.", 1),
        record("Available plugins for group vllm.general_plugins:", 2, level="DEBUG"),
    ]
    lines.insert(8, record("Waiting for init message from front-end.", 9, process=ENGINE))
    at = next(place for place, line in enumerate(lines) if "Dynamo" in line)
    lines.insert(at, record("Start compiling function <code object>", 23, process=ENGINE))
    return lines


def test_the_fields_own_categories_are_all_there() -> None:
    found = by_title(categories(only(debug_start())))

    assert [(title, one.seconds, one.is_logged) for title, one in found.items()] == [
        ("Detect Platform", 1.0, False),
        ("LLM Imports", 1.0, False),
        ("Get Model Info", 4.0, False),
        ("Worker Initialization", 3.0, False),
        ("Model Loading", 9.0, True),
        ("Pytorch Compilation", 14.75, True),
        ("Dynamo", 3.5, True),
        ("Inductor", 13.0, False),
        ("CUDA Graph Capture", 6.0, True),
        ("API Server Starts", 2.0, False),
        ("Uncategorized", 10.0, False),
    ]
    load = found["Model Loading"]
    assert (load.process, load.start_line, load.end_line) == ("EngineCore_DP0", 10, 13)
    assert found["Dynamo"].parent == found["Inductor"].parent == "Pytorch Compilation"


def test_gaps_between_categories_are_uncategorized() -> None:
    gaps = [one for one in categories(only(debug_start())) if one.title == "Uncategorized"]

    assert [(one.start_line, one.end_line) for one in gaps] == [
        (7, 9), (10, 10), (13, 14), (17, 17), (22, 24),
    ]  # fmt: skip
    assert all(one.seconds and one.seconds > 0 for one in gaps)


def test_durations_go_from_the_version_to_readiness() -> None:
    found = by_title(durations(only(server())))

    assert {title: one.seconds for title, one in found.items()} == {
        "argument resolution": 3.0,
        "engine spawn and import": 7.0,
        "distributed init": 2.0,
        "weights download": 5.25,
        "weights read": 2.5,
        "model load": 9.0,
        "Dynamo": 3.5,
        "graph compile": 11.25,
        "torch.compile": 14.75,
        "first run": 0.41,
        "graph capture": 6.0,
        "KV cache to engine up": 8.0,
        "engine init": 26.5,
        "front end": 10.0,
        "post-load processing": 1.25,
        "total": 60.0,
    }
    assert found["total"].within_s == 1.0
    assert found["model load"].within_s == 0.0
    assert (found["model load"].end_at or 0) - (found["model load"].begin_at or 0) == 9.0


def test_the_slowest_rank_is_the_load() -> None:
    lines = [record(f"{words}", second, process=f"Worker_TP{rank} pid={rank + 1}")
             for rank, words, second in (
                 (0, "Starting to load model a...", 0), (1, "Starting to load model a...", 1),
                 (0, "Loading model weights took 2.0 GB", 5),
                 (1, "Loading model weights took 2.0 GB", 9))]  # fmt: skip
    load = by_title(categories(only(lines)))["Model Loading"]

    assert (load.process, load.seconds, load.start_line) == ("Worker_TP1", 8.0, 2)


def test_what_has_no_stamp_has_no_seconds() -> None:
    plain = [line.split("] ", 1)[-1] for line in server()]
    attempt = only(plain)
    found = by_title(durations(attempt))

    assert found["distributed init"].seconds is None
    assert found["weights read"].seconds == 2.5
    assert found["post-load processing"].begin_at is None
    assert "total" not in found


@pytest.mark.parametrize(
    "lines",
    [
        [line for line in server() if "downloading" not in line and "weights took" not in line],
        [line.replace("9.000000", "1.000000") for line in server()],
        [*server()[:7], record("Loading drafter model...", process=ENGINE), *server()[7:]],
        [record("Loading weights took 2.50 seconds")],
    ],
)
def test_the_rest_of_a_load_is_told_only_where_it_can_be_known(lines: list[str]) -> None:
    assert "post-load processing" not in by_title(durations(only(lines)))


def test_a_stamp_before_a_start_that_never_came_is_no_total() -> None:
    assert "total" not in by_title(durations(only(server()[:9])))


def test_readings_after_readiness_are_not_the_start() -> None:
    late = record("Loading weights took 50.00 seconds", 900, process=ENGINE)
    assert by_title(durations(only([*server(), late])))["weights read"].seconds == 2.5


def asleep(*lines: str) -> Attempt:
    return only([*server(), *(record(line, 100, process=ENGINE) for line in lines)])


def test_sleeps_of_both_levels_are_told_apart_by_what_was_backed_up() -> None:
    attempt = asleep(
        SLEEPS.format("20.00") + "CPU and the rest 40.00 GiB is discarded directly.",
        "Sleep mode freed 60.00 GiB memory, 1.50 GiB memory is still in use.",
        "It took 3.500000 seconds to fall asleep.",
        "It took 0.250000 seconds to wake up tags {'weights'}.",
        "It took 0.125000 seconds to wake up tags {'kv_cache'}.",
        SLEEPS.format("0.00") + "CPU and the rest 60.00 GiB is discarded directly.",
        "It took 0.500000 seconds to fall asleep.",
        SLEEPS.replace("60.00", "0.00").format("0.00")
        + "CPU and the rest 0.00 GiB is discarded directly.",
        "It took 0.000100 seconds to fall asleep.",
    )
    one, two, three = sleeps(attempt)

    assert (one.level, one.seconds, one.sizes) == (
        1,
        3.5,
        {"sleep_freed_gib": 60.0, "sleep_in_use_gib": 1.5, "sleep_backed_up_gib": 20.0,
         "sleep_discarded_gib": 40.0},
    )  # fmt: skip
    assert [wake.tag for wake in one.wakes] == ["weights", "kv_cache"]
    assert (two.level, two.level_by, two.wakes) == (2, "nothing was backed up", ())
    assert (three.level, three.level_by) == (None, "nothing tells the level")


def test_what_was_asked_for_is_the_level() -> None:
    attempt = asleep(
        "It took 0.100000 seconds to fall asleep.",
        "sleep the engine with level two",
        "sleep the engine with level 2",
        "It took 0.500000 seconds to fall asleep.",
    )

    assert [(one.level, one.level_by) for one in sleeps(attempt)] == [
        (None, "nothing tells the level"),
        (2, "asked for (line 25)"),
    ]
