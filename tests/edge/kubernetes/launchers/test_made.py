"""Making launchers: every object once, whoever dies meanwhile, and never over somebody else's."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from llmdbenchd.core.launch.config_maps import Payload
from llmdbenchd.core.launch.plan import LauncherPlan, PlanFile, PodTerms
from llmdbenchd.core.run.sight import Absent, Pending
from llmdbenchd.edge.kubernetes.payloads import payload_of
from llmdbenchd.ports import Refused, Unavailable
from tests.core.launch.plans import INSTANCE, PAYLOAD, ephemeral, plan
from tests.edge.kubernetes.launchers.engines import REAL_TIME, Shelf, daemon
from tests.fakes.cluster_api import ClusterApi
from tests.fakes.cluster_objects import Refusal

pytestmark = REAL_TIME

OWNER = plan().name.removesuffix("-1-of-1")


async def test_a_launcher_is_made_with_all_that_it_needs(cluster: ClusterApi, config: Path) -> None:
    shelf = Shelf()
    async with daemon(config, shelf) as engine:
        await engine.create(plan())

        assert isinstance(await engine.look(plan().name), Pending)
    assert shelf.ensured == ["workload-pvc"]
    assert cluster.names("configmaps") == sorted([OWNER, PAYLOAD.name])
    (reference,) = cluster.pod(plan().name)["metadata"]["ownerReferences"]
    assert reference["uid"] == cluster.objects["configmaps"][OWNER]["metadata"]["uid"]


async def test_results_in_the_launcher_itself_need_no_claim(
    cluster: ClusterApi, config: Path
) -> None:
    shelf = Shelf()
    async with daemon(config, shelf) as engine:
        await engine.create(ephemeral(plan()))

    assert not shelf.ensured
    _, keep = cluster.pod(plan().name)["spec"]["containers"]
    (secret,) = (each["value"] for each in keep["env"] if each["name"] == "LLMDBENCHD_SERVE_SECRET")
    assert len(secret) >= 32


async def test_many_launchers_cost_one_request_each(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine:
        for index in range(1, 5):
            await engine.create(plan(index, 4))

    assert len(cluster.requests) == 4 + 2  # pods, the payload, the attempt's ConfigMap


async def test_making_it_again_changes_nothing(cluster: ClusterApi, config: Path) -> None:
    for _ in range(3):
        async with daemon(config) as engine:
            await engine.create(plan())
            await engine.create(plan())

    assert set(cluster.created.values()) == {1}


@pytest.mark.parametrize("loses_replies", [False, True])
@pytest.mark.parametrize("requests", range(1, 7))
async def test_whoever_dies_between_two_requests_is_followed_by_one_who_ends_the_work(
    cluster: ClusterApi,
    config: Path,
    requests: int,
    loses_replies: bool,  # noqa: FBT001 - parametrized
) -> None:
    cluster.dies_after, cluster.loses_replies = requests, loses_replies
    with suppress(Unavailable):
        async with daemon(config) as engine:
            await engine.create(plan(1, 2))
            await engine.create(plan(2, 2))
    cluster.dies_after = None

    async with daemon(config) as engine:
        await engine.create(plan(1, 2))
        await engine.create(plan(2, 2))

    assert cluster.names("pods") == [plan(1, 2).name, plan(2, 2).name]
    assert set(cluster.created.values()) == {1}
    owner = cluster.objects["configmaps"][plan(1, 2).name.removesuffix("-1-of-2")]
    for pod in cluster.objects["pods"].values():
        assert pod["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]


@pytest.mark.parametrize(
    ("plural", "name"), [("pods", plan().name), ("configmaps", OWNER), ("configmaps", PAYLOAD.name)]
)
async def test_what_is_not_ours_is_named_and_not_touched(
    cluster: ClusterApi, config: Path, plural: str, name: str
) -> None:
    theirs = cluster.put(plural, {"metadata": {"name": name, "labels": {}}, "data": {}, "spec": {}})

    async with daemon(config) as engine:
        with pytest.raises(Refused, match=rf"{name}.*delete it"):
            await engine.create(plan())

        assert await engine.look(plan().name) == Absent()
    assert cluster.objects[plural][name] is theirs
    assert cluster.created[f"{plural}/{name}"] == 1


async def test_another_daemon_s_launcher_is_not_ours(cluster: ClusterApi, config: Path) -> None:
    async with daemon(config) as engine:
        await engine.create(plan())
        cluster.pod(plan().name)["metadata"]["labels"]["llmdbenchd/instance"] = "another"

        with pytest.raises(Refused, match="is there and is not ours"):
            await engine.create(plan())
        await engine.stop(plan().name, 5)
        await engine.remove(plan().name)
    assert cluster.names("pods") == [plan().name]


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (403, "pods is forbidden: exceeded quota: q, requested: cpu=16", Unavailable),
        (403, 'error looking up service account: serviceaccount "default" not found', Unavailable),
        (403, "pods is forbidden: User u cannot create resource", Refused),
        (422, "Pod is invalid: spec.tolerations[0].operator: Unsupported value", Refused),
        (404, 'namespaces "ns" not found', Refused),
        (500, "etcd is on fire", Unavailable),
    ],
)
async def test_the_api_server_s_no_is_quoted_and_told_from_a_not_now(
    cluster: ClusterApi, config: Path, code: int, message: str, kind: type[Exception]
) -> None:
    cluster.refuses["POST pods"] = Refusal(code, "Why", message)

    async with daemon(config) as engine:
        with pytest.raises(kind) as told:
            await engine.create(plan())
    assert message in str(told.value)


async def test_a_conflict_that_may_pass_is_tried_again(cluster: ClusterApi, config: Path) -> None:
    cluster.refuses["POST pods"] = Refusal(409, "Conflict", "resourcequotas changed meanwhile")

    async with daemon(config) as engine:
        with pytest.raises(Unavailable):
            await engine.create(plan())


async def test_a_launcher_that_goes_while_it_is_adopted_is_made_again_later(
    cluster: ClusterApi, config: Path
) -> None:
    async with daemon(config) as engine:
        await engine.create(plan())
        cluster.refuses["GET pods"] = Refusal(404, "NotFound", "it went a moment ago")
        with pytest.raises(Unavailable, match="went while it was made"):
            await engine.create(plan())


@pytest.mark.parametrize(
    "hopeless",
    [
        replace(plan(), files=(PlanFile("profiles/inference-perf/w.yaml", "x" * (1 << 21)),)),
        replace(plan(), pod=PodTerms()),
    ],
)
async def test_a_plan_that_no_cluster_can_take_is_refused_in_words(
    config: Path, hopeless: LauncherPlan
) -> None:
    async with daemon(config) as engine:
        with pytest.raises(Refused, match=r"ConfigMap holds at most|no image is named"):
            await engine.create(hopeless)


async def test_a_payload_that_somebody_changed_is_not_run(
    cluster: ClusterApi, config: Path
) -> None:
    cluster.put("configmaps", PAYLOAD.config_map() | {"data": {"launch.py": "evil"}})

    async with daemon(config) as engine:
        with pytest.raises(Refused, match="does not hold this daemon's scripts"):
            await engine.create(plan())
    assert not cluster.names("pods")


def test_the_payload_holds_every_script_of_the_installation() -> None:
    files = payload_of(INSTANCE).files

    assert {"launch.py", "harness/inference_perf.py", "__init__.py"} <= files.keys()
    assert all(path.endswith(".py") and text for path, text in files.items())
    assert isinstance(payload_of(INSTANCE), Payload)
