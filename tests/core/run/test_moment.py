"""Deadlines hold over a restart of the daemon, a suspend, a jump of the clock, and a reboot."""

from datetime import UTC, datetime, timedelta

from llmdbenchd.core.run.moment import Moment, at_utc
from tests.core.run.cases import AHEAD, NOW, PAST


def later(*, utc_s: float, boot_s: float, boot_id: str = NOW.boot_id) -> Moment:
    return Moment(NOW.utc + timedelta(seconds=utc_s), NOW.boot_s + boot_s, boot_id)


def test_a_moment_later_is_later_on_every_clock() -> None:
    assert NOW.after(90) == later(utc_s=90, boot_s=90)
    assert NOW.after(-90).after(90) == NOW


def test_a_deadline_is_reached_when_its_time_has_come() -> None:
    deadline = NOW.after(60)

    assert not NOW.after(59.9).reached(deadline)
    assert NOW.after(60).reached(deadline)
    assert NOW.after(20).until(deadline) == 40
    assert NOW.after(80).until(deadline) == -20


def test_no_deadline_is_never_reached() -> None:
    assert not NOW.after(1e9).reached(None)


def test_a_wall_clock_that_is_set_forward_ends_nothing_early() -> None:
    assert not later(utc_s=86_400, boot_s=1).reached(AHEAD)


def test_a_wall_clock_that_is_set_back_holds_nothing_up() -> None:
    assert later(utc_s=-86_400, boot_s=61).reached(AHEAD)


def test_time_in_suspend_counts() -> None:
    """CLOCK_BOOTTIME goes on in suspend, as the wall clock does."""
    assert later(utc_s=3600, boot_s=3600).reached(AHEAD)


def test_after_a_reboot_the_wall_clock_decides() -> None:
    """The clock of the new boot begins at zero: it says nothing about the old deadline."""
    soon = later(utc_s=30, boot_s=-990, boot_id="next boot")
    late = later(utc_s=61, boot_s=-990, boot_id="next boot")

    assert not soon.reached(AHEAD)
    assert soon.until(AHEAD) == 30
    assert late.reached(AHEAD)
    assert late.reached(PAST)


def test_a_long_uptime_before_the_reboot_makes_no_deadline_late() -> None:
    deadline = Moment(NOW.utc + timedelta(seconds=60), 9_999_999.0, "an old boot")

    assert NOW.until(deadline) == 60


def test_a_time_on_the_wall_clock_is_a_moment_as_seen_from_now() -> None:
    when = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)

    assert at_utc(when, NOW) == NOW.after(3600)
    assert at_utc(when - timedelta(hours=2), NOW) == NOW.after(-3600)
