"""Collecting without a run: which folders are wanted, and that one bad copy keeps none back."""

from typing import Any

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.ports import Unavailable
from tests.controllers.test_activities import Desk
from tests.core.run.cases import record
from tests.fakes.jobs import accepted, book

STACK = "endpoint-m-base"
OURS = (f"inference-perf_1700000000-0a1b2c3d_{STACK}_1", f"inference-perf_1700000000_{STACK}_1")
OTHERS = ("by-hand", f"guidellm_1700000000_{STACK}_1", "inference-perf_1700000000_endpoint-8b-x_1")


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.engine.on_claim = (*OURS, *OTHERS)
    return made


async def gather(desk: Desk, **fields: Any) -> Record:  # noqa: ANN401 - fields of a job file
    desk.activities._book = book(accepted(skip_run=True, **fields))
    desk.open(record(Phase.COLLECTING, found=()))
    return await desk.do("collect")


async def test_the_folders_that_this_job_could_have_made_come_home(desk: Desk) -> None:
    home = await gather(desk)

    assert home.collected is not None
    assert home.failure is None
    assert [one.folder for one in home.found or ()] == sorted(OURS)
    assert desk.engine.folders_collected == sorted(OURS)


async def test_all_folders_are_all_folders(desk: Desk) -> None:
    home = await gather(desk, collect_all=True)

    assert [one.folder for one in home.found or ()] == [*OURS, *OTHERS]


async def test_of_a_model_that_only_its_server_could_name_any_stack_fits(desk: Desk) -> None:
    home = await gather(desk, models=["auto"])

    assert {one.folder for one in home.found or ()} == {*OURS, OTHERS[-1]}


@pytest.mark.parametrize(
    ("there", "fields", "said"),
    [
        (None, {}, "there is no claim workload-pvc in namespace"),
        ((), {"collect_all": True}, "no results folder is on claim workload-pvc"),
        (OTHERS, {}, "no folder inference-perf_*_endpoint-m-base_* on claim"),
        (OURS, {"treatments": {"treatments": [{"name": "low", "a": 1}]}}, "of treatment low"),
    ],
)
async def test_nothing_that_fits_is_a_fact_that_says_what_is_there(
    desk: Desk, there: tuple[str, ...] | None, fields: dict[str, Any], said: str
) -> None:
    desk.engine.on_claim = there

    home = await gather(desk, **fields)

    assert home.failure is not None
    assert home.failure.kind == "no results"
    assert said in home.failure.detail


async def test_a_copy_that_differs_is_tried_again_and_keeps_no_other_from_coming(
    desk: Desk,
) -> None:
    desk.engine.trouble = {"collect": [Unavailable("1.json differs")]}

    later = await gather(desk)

    assert (later.collected, later.last_error) == (None, "1.json differs")
    assert desk.engine.folders_collected == sorted(OURS)[1:]
