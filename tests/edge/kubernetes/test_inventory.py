"""Objects of our runs are found whole, page by page, and only what was found is removed."""

from collections.abc import Mapping

import pytest

from llmdbenchd.core.fsck.accounts import Object, Thing
from llmdbenchd.edge.kubernetes.inventory import remove, things_in
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import ScriptedApi, answer, failure

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

PODS = "/api/v1/namespaces/bench/pods"
MAPS = "/api/v1/namespaces/bench/configmaps"
PLACE = "kubernetes/bench"
EMPTY: Mapping[str, object] = {"metadata": {}, "items": []}


def thing(kind: Object, name: str, *, has_ended: bool = True) -> Thing:
    return Thing(place=PLACE, kind=kind, name=name, uid=f"uid-{name}", has_ended=has_ended)


def item(name: str, phase: str = "") -> Mapping[str, object]:
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"phase": phase}}


def page(*items: object, more: str = "") -> Mapping[str, object]:
    return {"metadata": {"continue": more}, "items": items}


async def test_what_is_ours_is_found_and_nothing_else_is_asked_for(api: ScriptedApi) -> None:
    api.give("GET", PODS, page(item("a", "Succeeded"), item("b", "Running")))
    api.give("GET", MAPS, page({"metadata": {"name": "c", "uid": "uid-c"}, "data": {"x": "y"}}))

    found = await things_in(await api.session(), PLACE, "bench", "cafe")

    assert found == (
        thing(Object.LAUNCHER, "a"),
        thing(Object.LAUNCHER, "b", has_ended=False),
        thing(Object.CONFIG_MAP, "c"),
    )
    for asked in api.requests:
        assert asked.query["labelSelector"] == (
            "app=llmdbench-harness-launcher,"
            "app.kubernetes.io/managed-by=llmdbenchd,llmdbenchd/instance=cafe"
        )


@pytest.mark.parametrize(
    ("phase", "has_ended"),
    [("Failed", True), ("Pending", False), ("Unknown", False), ("", False)],
)
async def test_only_a_pod_that_is_over_has_ended(
    api: ScriptedApi, phase: str, *, has_ended: bool
) -> None:
    api.give("GET", PODS, page(item("a", phase)))
    api.give("GET", MAPS, EMPTY)

    [found] = await things_in(await api.session(), PLACE, "bench", "cafe")

    assert found.has_ended is has_ended


async def test_every_page_is_read(api: ScriptedApi) -> None:
    api.give("GET", PODS, page(item("a"), more="next"), page(item("b")))
    api.give("GET", MAPS, EMPTY)

    found = await things_in(await api.session(), PLACE, "bench", "cafe")

    assert [one.name for one in found] == ["a", "b"]
    assert [one.query.get("continue") for one in api.asked("GET", PODS)] == [None, "next"]


@pytest.mark.parametrize(
    ("said", "error"),
    [(failure(403), Refused), (failure(500), Unavailable), (answer("<html>"), Unavailable)],
    ids=["forbidden", "ill", "a web page"],
)
async def test_a_list_that_cannot_be_had_is_not_empty(
    api: ScriptedApi, said: object, error: type[Exception]
) -> None:
    api.give("GET", PODS, EMPTY)
    api.give("GET", MAPS, said)

    with pytest.raises(error):
        await things_in(await api.session(), PLACE, "bench", "cafe")


async def test_the_very_object_is_removed_and_no_other_of_its_name(api: ScriptedApi) -> None:
    api.give("DELETE", f"{MAPS}/c", {})

    await remove(await api.session(), "bench", thing(Object.CONFIG_MAP, "c"))

    [asked] = api.requests
    assert asked.json["preconditions"] == {"uid": "uid-c"}


@pytest.mark.parametrize("said", [failure(404), failure(409, reason="Conflict")])
async def test_what_is_gone_or_somebody_elses_by_now_is_fine(
    api: ScriptedApi, said: object
) -> None:
    api.give("DELETE", f"{PODS}/a", said)

    await remove(await api.session(), "bench", thing(Object.LAUNCHER, "a"))


async def test_what_may_not_be_removed_is_said(api: ScriptedApi) -> None:
    api.give("DELETE", f"{PODS}/a", failure(403))

    with pytest.raises(Refused):
        await remove(await api.session(), "bench", thing(Object.LAUNCHER, "a"))
