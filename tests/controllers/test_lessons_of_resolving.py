"""What the field taught about waiting for a target."""

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.ports import NotReady
from tests.controllers.test_activities import Desk
from tests.core.run.cases import record


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_target_in_a_crash_loop_is_given_up_long_before_its_time_is_up(desk: Desk) -> None:
    """#285: restart counts rose, and the tool waited to the end of its time."""
    desk.scout.trouble = [NotReady("503: loading", restarts=count) for count in (4, 5, 6)]
    desk.open(record(Phase.RESOLVING))

    assert (await desk.do("resolve")).failure is None
    assert (await desk.do("resolve")).failure is None
    failure = (await desk.do("resolve")).failure

    assert failure is not None
    assert failure.kind == "target"
    assert failure.detail.startswith("a server was restarted 2 times while it was waited for")
