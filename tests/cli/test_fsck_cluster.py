"""`fsck` on a cluster: every namespace that a job used, and what nobody could look at is said."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from llmdbenchd import settings
from llmdbenchd.core.job.names import launcher, run8
from llmdbenchd.core.run.phase import Phase
from tests.cli.fsck_home import INSTANCE, Audited
from tests.cli.home import Home, Said
from tests.fakes.api import ScriptedApi, failure, kubeconfig

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

BENCH = "/api/v1/namespaces/bench"
POD = launcher("inference-perf", run8(INSTANCE, "j", "r001"), 1, 1, 1)
OWNER = POD.removesuffix("-1-of-1")


def listed(name: str = "", phase: str = "") -> Mapping[str, object]:
    one = {"metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"phase": phase}}
    return {"metadata": {}, "items": [one] if name else []}


@dataclass
class Audit:
    """An audited home, and the cluster that its job's launchers went to."""

    audited: Audited
    api: ScriptedApi

    def there(self, pod: str = "", phase: str = "Succeeded", config_map: str = "") -> None:
        self.api.give("GET", f"{BENCH}/pods", listed(pod, phase))
        self.api.give("GET", f"{BENCH}/configmaps", listed(config_map))

    async def call(self, *words: str) -> Said:
        return await asyncio.to_thread(self.audited.call, *words)

    async def document(self, *words: str, code: int) -> dict[str, Any]:
        said = await self.call("--json", *words)
        assert said.code == code, said.out + said.err
        document: dict[str, Any] = json.loads(said.out)
        return document

    def removed(self) -> list[str]:
        return [one.path for one in self.api.requests if one.method == "DELETE"]


@pytest.fixture
async def audit(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Audit]:
    monkeypatch.setattr(settings, "SYSTEM_FILE", home.queue.parent / "none.toml")
    audited = Audited(home)
    async with ScriptedApi() as api:
        file = home.queue.parent / "kubeconfig"
        file.write_text(kubeconfig(api.url))
        monkeypatch.setenv("LLMDBENCHD_KUBECONFIG", str(file))
        made = Audit(audited, api)
        went_to_the_cluster(audited)
        made.there()
        yield made


def went_to_the_cluster(audited: Audited) -> None:
    """The job of the home says so."""
    spec = audited.home.state / "jobs/j/spec.json"
    document = json.loads(spec.read_bytes())
    document["engine"] = "kubernetes"
    document["spec"]["namespace"] = "bench"
    spec.write_text(json.dumps(document))


async def test_a_cluster_on_which_nothing_is_left_differs_in_nothing(audit: Audit) -> None:
    assert (await audit.document(code=0))["differences"] == []


async def test_a_pod_and_its_config_map_that_were_left_behind_go(audit: Audit) -> None:
    audit.there(POD, config_map=OWNER)
    for path in (f"{BENCH}/pods/{POD}", f"{BENCH}/configmaps/{OWNER}"):
        audit.api.give("DELETE", path, {})

    document = await audit.document("--repair", code=0)

    assert [one["where"] for one in document["differences"]] == ["kubernetes/bench"] * 2
    assert audit.removed() == [f"{BENCH}/pods/{POD}", f"{BENCH}/configmaps/{OWNER}"]


async def test_a_pod_that_runs_keeps_itself_and_its_owner(audit: Audit) -> None:
    audit.there(POD, "Running", config_map=OWNER)

    document = await audit.document("--repair", code=1)

    assert [one["removable"] for one in document["differences"]] == [False, False]
    assert audit.removed() == []


async def test_what_may_not_be_removed_is_still_a_difference(audit: Audit) -> None:
    audit.there(POD)
    audit.api.give("DELETE", f"{BENCH}/pods/{POD}", failure(403, "no deletes for you"))

    [told] = (await audit.document("--repair", code=1))["differences"]

    assert told["mended"] is False
    assert "no deletes for you" in told["left"]


async def test_a_namespace_that_cannot_be_looked_at_is_unknown_and_not_empty(audit: Audit) -> None:
    audit.audited.keep("r002", Phase.RUNNING, seen=(1,))
    went_to_the_cluster(audit.audited)
    audit.api.give("GET", f"{BENCH}/pods", failure(403, "not yours"))

    document = await audit.document(code=3)

    assert document["differences"] == []
    assert "not yours" in document["unseen"]["kubernetes/bench"]


async def test_a_cluster_that_is_away_hides_no_difference_elsewhere(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = audit.audited.home.queue.parent / "away"
    file.write_text(kubeconfig("http://127.0.0.1:9"))
    monkeypatch.setenv("LLMDBENCHD_KUBECONFIG", str(file))
    assert (await audit.call()).code == 3

    audit.audited.launcher("r001")
    said = await audit.call()

    assert said.code == 1
    assert "kubernetes/bench could not be looked at" in said.err


async def test_without_a_kubeconfig_the_cluster_is_unknown(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMDBENCHD_KUBECONFIG", str(audit.audited.home.queue / "none"))

    assert list((await audit.document(code=3))["unseen"]) == ["kubernetes/bench"]


async def test_a_namespace_may_be_named(audit: Audit) -> None:
    elsewhere = "/api/v1/namespaces/lab"
    audit.api.give("GET", f"{elsewhere}/pods", listed("llmdbench-x", "Failed"))
    audit.api.give("GET", f"{elsewhere}/configmaps", listed())

    [told] = (await audit.document("--namespace", "lab", code=1))["differences"]

    assert (told["kind"], told["where"]) == ("orphan", "kubernetes/lab")


async def test_results_that_are_still_on_the_claim_are_named_and_left(audit: Audit) -> None:
    audit.audited.keep("r001", Phase.FAILED, seen=(1,), uncollected="timeout:collect")
    went_to_the_cluster(audit.audited)

    [told] = (await audit.document("--repair", code=1))["differences"]

    assert told["kind"] == "results not home"
    assert "claim workload-pvc, folder inference-perf_" in told["detail"]


async def test_a_state_without_a_daemon_asks_no_cluster(audit: Audit) -> None:
    (audit.audited.home.state / "instance").unlink()

    await audit.document(code=0)

    assert audit.api.requests == []
