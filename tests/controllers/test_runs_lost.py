"""Runs in a place that may not be looked at: waited for, then lost, and never in silence."""

import pytest

from llmdbenchd.controllers.runs import AGAIN_S
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import End, Failure
from llmdbenchd.core.run.sight import Absent, Pending, Running
from llmdbenchd.ports import Listed
from tests.core.run.cases import AHEAD, GOOD, NOW, record
from tests.fakes.house import House

RUNNING = record(Phase.RUNNING, deadline=AHEAD.after(30000), seen=(1,))
NAME = "j-r001-1-1-of-1"


@pytest.fixture
def house() -> House:
    house = House(Limits(lost_s=3600, run_s=30000))
    house.engine.launchers[NAME] = Running()
    return house


def failure(house: House) -> Failure | None:
    return house.on_disk().failure


@pytest.mark.parametrize("phase", [Phase.LAUNCHING, Phase.RUNNING])
async def test_a_place_that_says_no_for_an_hour_has_lost_its_runs(
    house: House, phase: Phase
) -> None:
    house.open(record(phase, deadline=AHEAD.after(30000), seen=(1,)))
    await house.settle()
    house.engine.says_no = "pods is forbidden"
    house.runs.look_at_all()
    await house.wait_s(1)
    assert house.on_disk().lost_at is not None

    await house.wait_s(3700)

    lost = failure(house)
    assert lost is not None
    assert lost.kind == "lost"
    assert "pods is forbidden" in lost.detail
    assert house.on_disk().phase is Phase.COLLECTING


async def test_launchers_that_vanish_with_our_rights_are_not_waited_for_for_ever(
    house: House,
) -> None:
    """A namespace that is deleted: its pods go first, and then nobody may ask of them."""
    house.open(RUNNING)
    await house.settle()
    house.engine.says_no = "pods is forbidden"
    house.runs.look_at_launchers(house.view.apply(Listed({})))
    await house.settle()
    assert house.on_disk().phase is Phase.RUNNING, "who may not ask does not know"
    assert house.on_disk().ends == ()

    for _ in range(4):
        await house.wait_s(1000)

    lost = failure(house)
    assert lost is not None
    assert lost.kind == "lost"


async def test_who_cannot_be_asked_is_asked_again_and_then_believed(house: House) -> None:
    house.open(RUNNING)
    await house.settle()
    house.engine.is_away = True
    house.runs.look_at_launchers(house.view.apply(Listed({})))
    await house.settle()
    house.engine.is_away = False

    await house.wait_s(AGAIN_S)

    assert house.on_disk().phase is Phase.RUNNING
    assert house.view.look(NAME) == Running()
    house.vanish(NAME)
    await house.settle()
    gone = failure(house)
    assert gone is not None
    assert gone.kind == "launcher"


async def test_an_outage_of_a_week_loses_nothing(house: House) -> None:
    house.handbook.default = Limits(lost_s=3600, run_s=10**7)
    house.open(record(Phase.RUNNING, deadline=NOW.after(10**7), seen=(1,)))
    house.engine.is_away = True
    for _ in range(7):
        house.runs.look_at_all()
        await house.wait_s(24 * 3600)

    assert house.on_disk().phase is Phase.RUNNING
    assert house.view.look(NAME) != Absent()


@pytest.mark.parametrize(
    ("phase", "becomes", "kind"),
    [
        (Phase.LAUNCHING, Phase.COLLECTING, "launcher"),
        (Phase.RUNNING, Phase.COLLECTING, "launcher"),
        (Phase.COLLECTING, Phase.COLLECTING, None),
        (Phase.REPORTING, Phase.REPORTING, None),
        (Phase.CLEANING, Phase.SUCCEEDED, None),
        (Phase.LEFT, Phase.LEFT, None),
    ],
)
async def test_a_launcher_that_somebody_deletes_in_any_phase_is_a_fact_or_no_matter(
    house: House, phase: Phase, becomes: Phase, kind: str | None
) -> None:
    """Before its end that is a failure by its name; afterwards its evidence decides."""
    over = phase not in {Phase.LAUNCHING, Phase.RUNNING, Phase.LEFT}
    ends = (End(1, GOOD),) if over else ()
    house.engine.launchers[NAME] = GOOD if over else Running()
    if phase is Phase.LAUNCHING:
        house.engine.launchers[NAME] = Pending("on its node")
    house.open(record(phase, deadline=AHEAD.after(30000), seen=(1,), ends=ends))
    await house.settle()
    if becomes is not Phase.SUCCEEDED:
        house.vanish(NAME)
    await house.settle()

    gone = failure(house)
    assert (house.on_disk().phase, gone.kind if gone else None) == (becomes, kind)
    assert house.engine.started == {}, "nobody makes it anew"
    if kind:
        assert gone is not None
        assert "vanished" in gone.detail
