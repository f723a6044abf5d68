"""Alarms: one for each name, rung once, and never later than in an hour."""

import asyncio

import pytest

from llmdbenchd.kit.alarms import LONGEST_S, Alarms


class Bell:
    """Notes who was rung for, and when by the loop's clock (which begins at 0 in a test)."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, float]] = []

    def ring(self, name: str) -> None:
        self.rung.append((name, round(asyncio.get_running_loop().time(), 3)))


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def alarms(bell: Bell) -> Alarms:
    return Alarms(bell.ring)


async def test_an_alarm_rings_once_when_it_is_due(alarms: Alarms, bell: Bell) -> None:
    alarms.set("a", 10)
    assert len(alarms) == 1
    await asyncio.sleep(100)

    assert bell.rung == [("a", 10)]
    assert len(alarms) == 0


async def test_setting_it_anew_replaces_it(alarms: Alarms, bell: Bell) -> None:
    alarms.set("a", 10)
    alarms.set("a", 20)
    alarms.set("b", 15)
    await asyncio.sleep(100)

    assert bell.rung == [("b", 15), ("a", 20)]


async def test_no_delay_means_no_alarm(alarms: Alarms, bell: Bell) -> None:
    alarms.set("a", 10)
    alarms.set("a", None)
    await asyncio.sleep(100)

    assert bell.rung == []
    assert len(alarms) == 0


async def test_a_dropped_alarm_is_silent_and_dropping_nothing_is_fine(
    alarms: Alarms, bell: Bell
) -> None:
    alarms.set("a", 10)
    alarms.drop("a")
    alarms.drop("a")
    await asyncio.sleep(100)

    assert bell.rung == []


async def test_all_alarms_are_dropped_together(alarms: Alarms, bell: Bell) -> None:
    alarms.set("a", 10)
    alarms.set("b", 20)
    alarms.clear()
    await asyncio.sleep(100)

    assert bell.rung == []
    assert len(alarms) == 0


async def test_what_is_overdue_rings_at_once(alarms: Alarms, bell: Bell) -> None:
    alarms.set("a", -5)
    await asyncio.sleep(1)

    assert bell.rung == [("a", 0)]


async def test_a_day_away_is_looked_at_within_the_hour(alarms: Alarms, bell: Bell) -> None:
    """The loop's clock may stand still in suspend: whoever is rung sets the rest anew."""
    alarms.set("a", 86_400)
    await asyncio.sleep(86_400)

    assert bell.rung == [("a", LONGEST_S)]


async def test_an_alarm_may_be_set_anew_while_it_rings(bell: Bell) -> None:
    def again(name: str) -> None:
        bell.ring(name)
        if len(bell.rung) < 3:
            again_and_again.set(name, 5)

    again_and_again = Alarms(again)
    again_and_again.set("a", 5)
    await asyncio.sleep(100)

    assert bell.rung == [("a", 5), ("a", 10), ("a", 15)]
