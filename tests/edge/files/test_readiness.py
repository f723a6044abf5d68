"""When a dropped file is whole: every case, without a disk."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.edge.files.kernel import Writer
from llmdbenchd.edge.files.readiness import (
    Hint,
    History,
    Ignore,
    Kind,
    Look,
    Patience,
    Take,
    Tracker,
    Wait,
    is_job_name,
    judge,
)

PATIENCE = Patience(settle_s=0.1, stable_s=2)
FILE = Look(Kind.FILE, 10, 1, 1)


@pytest.mark.parametrize("name", ["x.yaml", "x.yml", "a b.yaml", "ü.yaml", "x.v1.yaml"])
def test_yaml_files_are_for_the_daemon(name: str) -> None:
    assert is_job_name(name)


@pytest.mark.parametrize(
    "name",
    [".x.yaml", ".x.yaml.swp", "x.yaml~", "x.swp", "x.part", "x.yaml.tmp", ".~lock.x.yaml", "4913",
     "PAUSED", "x.json", "x.YAML", "rejected", "control", ".taken", ".x.yaml.Ab12Cd", ""],
)  # fmt: skip
def test_other_names_are_left_alone(name: str) -> None:
    assert not is_job_name(name)
    assert judge(name, History(FILE, 0), 1000, PATIENCE) == Ignore()


RULES: list[tuple[Hint, Writer, float, Take | Wait]] = [
    (Hint.MOVED_IN, Writer.NONE, 10, Take()),
    (Hint.MOVED_IN, Writer.UNKNOWN, 10, Take()),
    (Hint.MOVED_IN, Writer.OPEN, 99, Wait(math.inf)),
    (Hint.CLOSED, Writer.NONE, 10.05, Wait(10.1)),
    (Hint.CLOSED, Writer.UNKNOWN, 10.1, Take()),
    (Hint.CLOSED, Writer.OPEN, 99, Wait(math.inf)),
    (Hint.WRITING, Writer.UNKNOWN, 999, Wait(math.inf)),
    (Hint.WRITING, Writer.OPEN, 999, Wait(math.inf)),
    (Hint.WRITING, Writer.NONE, 11.9, Wait(12)),
    (Hint.WRITING, Writer.NONE, 12, Take()),
    (Hint.CREATED, Writer.UNKNOWN, 11.9, Wait(12)),
    (Hint.CREATED, Writer.UNKNOWN, 12, Take()),
    (Hint.NONE, Writer.UNKNOWN, 11.9, Wait(12)),
    (Hint.NONE, Writer.UNKNOWN, 12, Take()),
    (Hint.NONE, Writer.NONE, 12, Take()),
    (Hint.NONE, Writer.OPEN, 999, Wait(math.inf)),
]


@pytest.mark.parametrize(("hint", "writer", "now", "expected"), RULES)
def test_a_file_is_judged_by_hint_writer_and_time(
    hint: Hint, writer: Writer, now: float, expected: Take | Wait
) -> None:
    look = Look(Kind.FILE, 10, 1, 1, writer)
    history = History(look, since=10, hint=hint, hint_at=10)
    assert judge("x.yaml", history, now, PATIENCE) == expected


def test_the_table_above_has_every_hint_and_writer() -> None:
    pairs = set(itertools.product(set(Hint) - {Hint.GONE}, Writer))
    tested = {(hint, writer) for hint, writer, _, _ in RULES}
    assert pairs - tested == {(Hint.CREATED, Writer.NONE), (Hint.CREATED, Writer.OPEN)}


def test_a_folder_is_left_alone_and_a_link_is_taken_to_be_refused() -> None:
    folder, link = (Look(kind, 0, 1, 1) for kind in (Kind.FOLDER, Kind.OTHER))
    assert judge("x.yaml", History(folder, 0), 99, PATIENCE) == Ignore()
    assert judge("x.yaml", History(link, 0), 0, PATIENCE) == Take()


def test_a_file_that_changes_between_two_looks_waits_anew() -> None:
    tracker = Tracker(PATIENCE)
    tracker.looked({"x.yaml": FILE}, 0, complete=True)
    tracker.looked({"x.yaml": Look(Kind.FILE, 11, 2, 1)}, 1.9, complete=True)
    assert tracker.take(["x.yaml"], 3.8) == []
    assert tracker.next_due() == 3.9
    tracker.looked({"x.yaml": Look(Kind.FILE, 11, 2, 1)}, 3.9, complete=False)
    assert [name for name, _ in tracker.take(["x.yaml"], 3.9)] == ["x.yaml"]


def test_a_file_is_handed_out_once_until_the_next_scan_still_finds_it() -> None:
    tracker = Tracker(PATIENCE)
    tracker.heard("x.yaml", Hint.MOVED_IN, 0)
    tracker.looked({"x.yaml": FILE}, 0, complete=False)
    assert tracker.take(["x.yaml"], 0)
    tracker.looked({"x.yaml": FILE}, 1, complete=False)
    assert not tracker.take(["x.yaml"], 1)
    tracker.looked({"x.yaml": FILE}, 5, complete=True)
    assert tracker.take(["x.yaml"], 5)


def test_what_is_heard_during_a_look_makes_the_look_void() -> None:
    tracker = Tracker(PATIENCE)
    tracker.heard("x.yaml", Hint.MOVED_IN, 0)
    tracker.looked({"x.yaml": FILE}, 0.2, complete=False)
    tracker.heard("x.yaml", Hint.CREATED, 0.1)  # replaced by a file that is being written
    tracker.opened("x.yaml", 0.1)
    assert tracker.take(["x.yaml"], 0) == []
    assert tracker.due(99) == []


def test_a_link_made_into_the_folder_is_not_taken_for_a_writer() -> None:
    tracker = Tracker(PATIENCE)
    tracker.heard("x.yaml", Hint.CREATED, 0)
    tracker.looked({"x.yaml": FILE}, 0, complete=False)
    tracker.opened("x.yaml", 0)  # our own look
    assert tracker.next_due() == 2
    tracker.looked({"x.yaml": FILE}, 2, complete=False)
    assert tracker.take(["x.yaml"], 2)


def test_after_an_overflow_only_looking_counts() -> None:
    tracker = Tracker(PATIENCE)
    tracker.heard("x.yaml", Hint.MOVED_IN, 0)
    tracker.deafened()
    tracker.looked({"x.yaml": FILE}, 0, complete=True)
    assert tracker.take(["x.yaml"], 1) == []


EVENTS = st.lists(
    st.tuples(st.sampled_from(["write", "pause", "close"]), st.floats(0.001, 4)), max_size=30
)


@given(events=EVENTS, told=st.booleans(), lease=st.booleans())
def test_no_file_is_taken_while_its_writer_is_known_to_be_there(
    events: list[tuple[str, float]], *, told: bool, lease: bool
) -> None:
    """A writer writes, pauses, and closes; we look after each step, as often as we like."""
    tracker, now, size, is_open = Tracker(PATIENCE), 0.0, 0, True
    if told:
        tracker.heard("x.yaml", Hint.CREATED, now)
        tracker.opened("x.yaml", now)
    for what, seconds in events:
        if what == "write" and is_open:
            size += 1
            if told:
                tracker.heard("x.yaml", Hint.WRITING, now)
        elif what == "close" and is_open:
            is_open = False
            if told:
                tracker.heard("x.yaml", Hint.CLOSED, now)
        now += seconds
        seen = Writer.UNKNOWN if not lease else Writer.OPEN if is_open else Writer.NONE
        tracker.looked({"x.yaml": Look(Kind.FILE, size, size, 1, seen)}, now, complete=True)
        taken = tracker.take(["x.yaml"], now)
        if told or lease:
            assert not (taken and is_open)


@given(st.lists(st.sampled_from(list(Hint)), max_size=20), st.sampled_from(list(Writer)))
def test_every_file_is_taken_in_the_end_when_nobody_writes(
    hints: list[Hint], writer: Writer
) -> None:
    tracker = Tracker(PATIENCE)
    for now, hint in enumerate(hints):
        tracker.heard("x.yaml", hint, now)
    tracker.heard("x.yaml", Hint.CLOSED, 100)
    look = Look(Kind.FILE, 1, 1, 1, Writer.NONE if writer is Writer.OPEN else writer)
    tracker.looked({"x.yaml": look}, 100, complete=True)
    tracker.looked({"x.yaml": look}, 103, complete=True)
    assert tracker.take(["x.yaml"], 103)
