"""Other people's words are cut so that what matters is left."""

from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.core.pods.objects import Event, Series
from llmdbenchd.core.pods.words import LONGEST, lacks_volume, last_lines, quoted, warnings
from tests.core.pods.recorded import events


def warning(reason: str, message: str, at: str = "2026-11-24T12:00:00Z") -> Event:
    return Event(type="Warning", reason=reason, message=message, last_timestamp=at)


def test_of_an_output_the_last_lines_are_told() -> None:
    output = "".join(f"line {number} of much output\n" for number in range(200))
    told = last_lines(output + "KeyError: 'model'\n\n")

    assert told.endswith("line 199 of much output | KeyError: 'model'")
    assert len(told) <= LONGEST
    assert told.startswith("line ")


def test_a_last_line_that_is_too_long_is_told_from_its_end() -> None:
    told = last_lines("before\n" + "x" * 5000 + "the end")

    assert told.startswith("... xxx")
    assert told.endswith("the end")
    assert len(told) == LONGEST


def test_no_output_has_no_last_lines() -> None:
    assert last_lines("\n \n") == ""


def test_a_long_message_is_told_from_its_beginning() -> None:
    told = quoted("it began\n  so " + "x" * 5000)

    assert told.startswith("it began so xxx")
    assert told.endswith("x ...")
    assert len(told) == LONGEST


@given(st.text(max_size=3 * LONGEST))
def test_words_fit_in_a_line_of_a_terminal_and_do_nothing_to_it(text: str) -> None:
    for told in (quoted(text), last_lines(text)):
        assert len(told) <= LONGEST
        assert told.isprintable()


def test_colours_and_progress_bars_are_left_out() -> None:
    assert (
        last_lines("\x1b[31mfatal:\x1b[0m no\tmodel\r10%\r20%\x07") == "fatal: no model | 10% | 20%"
    )


def test_only_warnings_are_told() -> None:
    assert warnings(events("running")) == ""
    assert len(events("running")) > 0


def test_a_warning_is_told_once_and_the_newest_last() -> None:
    told = [
        warning("FailedMount", "no such export", "2026-11-24T12:00:03Z"),
        warning("BackOff", "again", "2026-11-24T12:00:02Z"),
        warning("FailedMount", "no such export", "2026-11-24T12:00:01Z"),
    ]

    assert warnings(told) == "BackOff: again | FailedMount: no such export"


def test_the_time_of_a_warning_is_where_its_component_writes_it() -> None:
    newest = Series(count=2, last_observed_time="2026-11-24T12:00:09.5Z")
    told = [
        Event("Warning", "C", "c", series=newest, event_time="2026-11-24T12:00:00.000001Z"),
        Event("Warning", "B", "b", event_time="2026-11-24T12:00:05.000001Z"),
        Event("Warning", "A", "a", last_timestamp="2026-11-24T12:00:04Z"),
        Event("Warning", "never", "n"),
    ]

    assert warnings(told) == "never: n | A: a | B: b | C: c"


def test_warnings_that_differ_only_in_an_id_are_one() -> None:
    told = warnings(events("no-command"))

    assert told.count("no command specified") == 1


def test_what_repeats_the_pod_s_state_is_left_out() -> None:
    told = warnings(events("image-not-found"))

    assert told.startswith('Failed: Failed to pull image "127.0.0.1:5000/missing:1"')
    assert "Error: ErrImagePull" not in told


def test_warnings_of_real_components_are_told() -> None:
    assert "FailedScheduling: 0/1 nodes" in warnings(events("unschedulable-cpu"))
    assert "FailedMount: MountVolume.SetUp failed" in warnings(events("secret-volume-missing"))
    assert "Evicted: Usage of EmptyDir" in warnings(events("evicted-disk"))


def test_of_too_many_warnings_the_newest_are_told() -> None:
    many = [warning("R", f"{n} {'x' * 100}", f"2026-11-24T12:00:{n:02}Z") for n in range(20)]
    told = warnings(many)

    assert len(told) <= LONGEST
    assert told.rpartition(" | ")[2].startswith("R: 19")


def test_a_mount_that_fails_is_told_from_a_pull_by_what_came_before_or_after_it() -> None:
    failing = events("secret-volume-missing")
    pulling = Event(type="Normal", reason="Pulling", message="Pulling image")

    assert lacks_volume(failing)
    assert not lacks_volume((*failing, pulling)), "nothing is pulled before all volumes are there"
    assert not lacks_volume((pulling,))
    assert not lacks_volume(())
