"""What we may do is asked of the API server, a right at a time, and never guessed."""

import pytest
from aiohttp import web

from llmdbenchd.core.rights import LAUNCHERS, Right
from llmdbenchd.edge.kubernetes.rights import AT_ONCE, missing_rights
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import ScriptedApi, answer, failure
from tests.fakes.granting import REVIEWS, Granting

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword


async def test_with_all_rights_nothing_is_missing(api: ScriptedApi) -> None:
    Granting(api)

    assert await missing_rights(await api.session(), "bench", LAUNCHERS) == frozenset()
    assert len(api.asked("POST", REVIEWS)) == len(LAUNCHERS)


@pytest.mark.parametrize("taken", LAUNCHERS, ids=str)
async def test_a_right_that_is_taken_away_is_missed_and_no_other(
    api: ScriptedApi, taken: Right
) -> None:
    Granting(api).take(taken)

    assert await missing_rights(await api.session(), "bench", LAUNCHERS) == {taken}


async def test_a_right_in_one_namespace_is_none_in_another(api: ScriptedApi) -> None:
    Granting(api, namespace="bench")

    session = await api.session()

    assert await missing_rights(session, "bench", LAUNCHERS) == frozenset()
    assert await missing_rights(session, "other", LAUNCHERS) == frozenset(LAUNCHERS)


async def test_a_few_questions_are_asked_at_once(api: ScriptedApi) -> None:
    granting = Granting(api)

    await missing_rights(await api.session(), "bench", LAUNCHERS)

    assert 1 < granting.most_at_once <= AT_ONCE


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (failure(403, "no reviews here"), Refused),
        (failure(401), Unavailable),
        (failure(500), Unavailable),
        (answer("<html>hello</html>"), Unavailable),
        (answer({"kind": "SelfSubjectAccessReview"}), Unavailable),
    ],
    ids=["forbidden", "unknown to it", "ill", "a web page", "no status"],
)
async def test_no_answer_is_not_a_missing_right(
    api: ScriptedApi, said: web.Response, error: type[Exception]
) -> None:
    api.give("POST", REVIEWS, said)

    with pytest.raises(error):
        await missing_rights(await api.session(), "bench", LAUNCHERS)


async def test_one_right_that_cannot_be_asked_for_is_no_answer_at_all(api: ScriptedApi) -> None:
    Granting(api).hides(LAUNCHERS[-1])

    with pytest.raises(Unavailable):
        await missing_rights(await api.session(), "bench", LAUNCHERS)
