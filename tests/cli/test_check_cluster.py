"""`check --cluster`: what a run would meet, each with its remedy, and nothing is made."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from llmdbenchd import settings
from llmdbenchd.core.rights import LAUNCHERS, STACK_CHANGES
from tests.cli.home import Home, Said
from tests.fakes.api import ScriptedApi, answer, failure, kubeconfig
from tests.fakes.granting import Granting

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

BENCH = "/api/v1/namespaces/bench"
CLAIM = f"{BENCH}/persistentvolumeclaims/workload-pvc"
JOB = """\
namespace: llm
methods: vllm
models: m
workload: sanity_fixed
harness: {namespace: bench, parallelism: 2}
"""


@dataclass
class Field:
    """A command line before a cluster that is a scripted API server."""

    home: Home
    api: ScriptedApi
    granting: Granting

    async def check(self, text: str = JOB, *words: str) -> Said:
        file = self.home.queue.parent / "job.yaml"
        file.write_text(text)
        return await asyncio.to_thread(self.home.call, "check", str(file), *words)

    async def findings(self, text: str = JOB, *, code: int = 0) -> dict[str, dict[str, Any]]:
        """What is said, by what was looked at; the last of a kind."""
        said = await self.check(text, "--cluster", "--json")
        assert said.code == code, said
        document = json.loads(said.out)
        assert document["ok"] == (code == 0)
        return {one["check"]: one for one in document["cluster"]}


@pytest.fixture
async def field(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Field]:
    monkeypatch.setattr(settings, "SYSTEM_FILE", home.queue.parent / "none.toml")
    async with ScriptedApi() as api:
        file = home.queue.parent / "kubeconfig"
        file.write_text(kubeconfig(api.url))
        monkeypatch.setenv("LLMDBENCHD_ENGINE", "kubernetes")
        monkeypatch.setenv("LLMDBENCHD_KUBECONFIG", str(file))
        llm = "/api/v1/namespaces/llm/services"
        spec = {"clusterIP": "10.0.0.9", "ports": [{"port": 80}]}
        services = {"items": [{"metadata": {"name": "vllm"}, "spec": spec}]}
        api.give("GET", llm, services)
        api.give("GET", f"{llm}/vllm:80/proxy/v1/models", {"data": [{"id": "m"}]})
        api.give("GET", "/apis/discovery.k8s.io/v1/namespaces/llm/endpointslices", {"items": []})
        api.give("GET", CLAIM, {"status": {"phase": "Bound"}})
        api.give("POST", f"{BENCH}/pods", {})
        yield Field(home, api, Granting(api))


async def test_a_job_that_will_fly_says_so_of_every_part(field: Field) -> None:
    found = await field.findings()

    assert [one["verdict"] for one in found.values()] == ["ok"] * len(found)
    assert list(found) == ["cluster", "rights", "image", "claim", "room", "target"]
    assert found["claim"]["said"] == "bench/workload-pvc is there, Bound"
    assert found["room"]["said"] == "bench: 2 launchers of 16 CPU and 32Gi would be taken"
    assert found["target"]["said"].endswith("(Service llm/vllm, port 80), serves m")


async def test_nothing_is_made_and_both_launchers_are_counted(field: Field) -> None:
    await field.findings()

    made = [one for one in field.api.requests if one.method == "POST" and "reviews" not in one.path]
    assert [one.query for one in made] == [{"dryRun": "All"}]
    assert len(made[0].json["spec"]["containers"]) == 2


async def test_check_alone_never_needs_a_cluster(field: Field) -> None:
    assert (await field.check()).code == 0
    assert field.api.requests == []


async def test_a_missing_right_is_bad(field: Field) -> None:
    create = next(one for one in LAUNCHERS if str(one) == "create pods")
    field.granting.take(create)

    said = await field.check(JOB, "--cluster")

    assert said.code == 1
    assert "bad   rights: bench: may not create pods" in said.out
    assert "deploy/rbac.yaml" in said.out


async def test_the_rights_of_a_recording_are_asked_for_only_where_the_job_records(
    field: Field,
) -> None:
    """A job that loads a stack was told that it may not restart it, which it never does."""
    field.granting.take(*STACK_CHANGES, namespace="llm")
    recording = JOB.replace("workload: sanity_fixed\n", "").replace(
        "{namespace: bench, parallelism: 2}", "{name: nop, namespace: bench}"
    )

    said = (await field.check(recording, "--cluster")).out

    assert "rights: llm: may not" not in (await field.check(JOB, "--cluster")).out
    assert "warn  rights: llm: may not delete pods" in said


async def test_a_quota_without_head_room_is_said_in_the_api_servers_words(field: Field) -> None:
    full = failure(403, "exceeded quota: small, requested: cpu=32, limited: cpu=20")
    field.api.give("POST", f"{BENCH}/pods", full, {})

    found = (await field.findings())["room"]
    assert found["verdict"] == "warn"
    assert "exceeded quota: small" in found["said"]
    field.api.give("POST", f"{BENCH}/pods", full)
    assert (await field.findings(code=1))["room"]["verdict"] == "bad"


async def test_a_launcher_that_is_there_already_does_not_count_as_no_room(field: Field) -> None:
    field.api.give("POST", f"{BENCH}/pods", failure(409))

    assert (await field.findings())["room"]["verdict"] == "ok"


async def test_a_claim_that_is_not_there_would_be_made_or_not(field: Field) -> None:
    field.api.give("GET", CLAIM, failure(404))
    field.api.give("POST", f"{BENCH}/persistentvolumeclaims", {}, failure(409), failure(403, "no"))

    assert "would be made, with 20Gi" in (await field.findings())["claim"]["said"]
    assert (await field.findings())["claim"]["verdict"] == "ok"
    assert (await field.findings(code=1))["claim"]["said"].endswith("no")


async def test_a_claim_whose_volume_is_gone_is_bad(field: Field) -> None:
    field.api.give("GET", CLAIM, {"status": {"phase": "Lost"}})

    assert "is Lost" in (await field.findings(code=1))["claim"]["said"]


async def test_without_a_claim_none_is_looked_for(field: Field) -> None:
    found = await field.findings(JOB + "storage: {mode: ephemeral}\n")

    assert found["claim"]["said"] == "none is needed (storage.mode: ephemeral)"


@pytest.mark.parametrize(
    ("image", "verdict", "code"),
    [
        ("ghcr.io/llm-d/x:v1", "ok", 0),
        ("host:5000/x/y:latest", "warn", 0),
        ("x", "warn", 0),
        ("x@sha256:" + "a" * 64, "ok", 0),
        ("ghcr.io/LLM-D/x:v1", "bad", 1),
    ],
)
async def test_an_image_is_looked_at_by_its_reference(
    field: Field, image: str, verdict: str, code: int
) -> None:
    text = JOB.replace("parallelism: 2", f"parallelism: 2, image: '{image}'")

    assert (await field.findings(text, code=code))["image"]["verdict"] == verdict


async def test_a_target_that_is_none_is_bad_and_one_that_loads_is_waited_for(field: Field) -> None:
    models = "/api/v1/namespaces/llm/services/vllm:80/proxy/v1/models"
    field.api.give("GET", models, failure(503, "loading"))
    found = (await field.findings())["target"]
    assert found["verdict"] == "warn"
    assert "900 s (timeouts.target)" in found["fix"]

    field.api.give("GET", models, failure(403, "no proxy"))
    assert "was not checked" in (await field.findings())["target"]["said"]

    field.api.give("GET", models, {"data": [{"id": "other"}]})
    assert "serves other, and not m" in (await field.findings(code=1))["target"]["said"]

    field.api.give("GET", "/api/v1/namespaces/llm/services", answer("<html>"))
    assert (await field.findings(code=3))["target"]["verdict"] == "?"


async def test_a_cluster_that_does_not_answer_is_not_known_to_be_bad(field: Field) -> None:
    field.api.give("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", failure(500))

    assert list(await field.findings(code=3)) == ["cluster"]


async def test_a_question_that_is_not_answered_on_the_way_is_named(field: Field) -> None:
    field.api.give("GET", CLAIM, failure(500, "etcd is away"))

    assert "etcd is away" in (await field.findings(code=3))["cluster"]["said"]


async def test_without_a_cluster_the_endpoint_is_asked_and_people_are_told(field: Field) -> None:
    text = "engine: local\nendpoint: http://127.0.0.1:9\nworkload: sanity_fixed\nmodels: m\n"

    said = await field.check(text, "--cluster")

    assert said.code == 0
    assert "warn  target: m by endpoint: http://127.0.0.1:9 (as given): the model" in said.out
    assert "      -> look whether it is so" in said.out
    assert field.api.requests == []
