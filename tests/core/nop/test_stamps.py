"""Stamps without year and zone become times that go on."""

from datetime import UTC, datetime

import pytest

from llmdbenchd.core.nop.stamps import Calendar, Source, stamp_of
from tests.core.nop.composing import followed, record, server


def at(calendar: Calendar, text: str) -> datetime:
    stamp = stamp_of(text.encode())
    assert stamp is not None
    seconds = calendar.seconds(stamp)
    assert seconds is not None
    return datetime.fromtimestamp(seconds, UTC)


def test_a_year_passes_forward_and_lines_that_overtake_do_not_jump() -> None:
    calendar = Calendar(2025)
    walk = ["12-31 23:59:58", "01-01 00:00:01", "12-31 23:59:59", "01-01 00:00:02.250"]

    assert [f"{at(calendar, one):%Y-%m-%d}" for one in walk] == [
        "2025-12-31", "2026-01-01", "2025-12-31", "2026-01-01",
    ]  # fmt: skip
    assert calendar.year_is_known


def test_the_first_line_that_names_a_year_teaches_it() -> None:
    calendar = Calendar()
    assert at(calendar, "05-01 12:00:00").year == 2024
    assert not calendar.year_is_known
    assert at(calendar, "2027-05-01T12:00:00Z").year == 2027
    assert at(calendar, "05-01 12:00:05").year == 2027


@pytest.mark.parametrize(
    "text", ["13-01 00:00:00", "00-10 00:00:00", "01-32 00:00:00", "01-01 24:00:00",
             "01-01 00:60:00", "01-01 00:00:61", "hello", "5-1 1:1:1"]
)  # fmt: skip
def test_no_stamp_is_made_of_what_is_none(text: str) -> None:
    assert stamp_of(text.encode()) is None


def test_days_that_a_year_does_not_have() -> None:
    calendar = Calendar(2025)
    nowhere = stamp_of(b"02-30 00:00:00")
    then = stamp_of(b"2025-02-29 00:00:00")
    assert nowhere is not None
    assert then is not None
    assert (calendar.seconds(nowhere), calendar.seconds(then)) == (None, None)
    assert f"{at(calendar, '02-29 00:00:00'):%Y-%m-%d}" == "2024-02-29"
    assert at(calendar, "0000-05-01 00:00:60") == datetime(2024, 5, 1, 0, 0, 59, tzinfo=UTC)


def test_the_cluster_knows_the_time_and_teaches_the_zone() -> None:
    lines = [f"2026-05-01T10:00:00.5Z {server()[0]}", *server()[1:]]
    recorder, _ = followed(lines)
    attempt = recorder.journal.attempts[0]

    assert recorder.journal.time is Source.CLUSTER
    assert recorder.journal.calendar.zone_s == 7200
    assert attempt.marks["version"][0].at == datetime(2026, 5, 1, 10, 0, 0, 500000, UTC).timestamp()
    assert attempt.marks["args"][0].at == datetime(2026, 5, 1, 10, tzinfo=UTC).timestamp()


def test_zones_are_learnt_only_from_what_can_teach_them() -> None:
    calendar = Calendar(2026)
    own, cluster = stamp_of(b"05-01 12:00:00"), stamp_of(b"2026-05-01T12:00:00Z")
    unzoned, nowhere = stamp_of(b"2026-05-01T12:00:00"), stamp_of(b"02-30 00:00:00")
    assert own and cluster and unzoned and nowhere  # noqa: PT018 - they are stamps
    calendar.learn_zone(unzoned, own)
    calendar.learn_zone(cluster, cluster)
    calendar.learn_zone(cluster, nowhere)
    assert not calendar.zone_is_known
    west = stamp_of(b"2026-05-01T14:00:00-03:30")
    assert west is not None
    assert calendar.seconds(west) == datetime(2026, 5, 1, 17, 30, tzinfo=UTC).timestamp()
    calendar.learn_zone(cluster, own)
    calendar.learn_zone(west, own)
    assert (calendar.zone_is_known, calendar.zone_s) == (True, 0)


def test_a_line_without_any_stamp_has_no_time() -> None:
    recorder, _ = followed(["vLLM API server version 0.19.1"])
    (mark,) = recorder.journal.attempts[0].marks["version"]

    assert (mark.at, mark.grain_s, recorder.journal.time) == (None, 0.0, None)


def test_milliseconds_are_finer() -> None:
    line = record("vLLM API server version 0.19.1").replace("12:00:00", "12:00:00.250")
    recorder, _ = followed([line])
    (mark,) = recorder.journal.attempts[0].marks["version"]

    assert (mark.at or 0) % 1 == 0.25
    assert mark.grain_s == pytest.approx(0.001)
