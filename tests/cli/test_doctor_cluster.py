"""The doctor on a cluster: which right is missing, what follows from that, and what gives it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd import settings
from llmdbenchd.core.job.accepted import encoded
from llmdbenchd.core.rights import LAUNCHERS, PREPROCESS, STACK, STACK_CHANGES, Need, Right
from llmdbenchd.core.run.phase import Phase
from tests.cli.home import Home, Said
from tests.core.run.cases import record
from tests.fakes.api import ScriptedApi, failure, kubeconfig
from tests.fakes.granting import REVIEWS, Granting
from tests.fakes.jobs import accepted

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword


@dataclass
class Clinic:
    """A doctor whose cluster is a scripted API server."""

    home: Home
    api: ScriptedApi
    granting: Granting

    def keep(self, job: str, phase: Phase = Phase.QUEUED, **fields: object) -> None:
        """A job that was accepted for a cluster."""
        self.home.keep(record(phase, job=job))
        spec = self.home.state / "jobs" / job / "spec.json"
        made = encoded(accepted(job, **fields))  # type: ignore[arg-type]  # fields of a job
        spec.write_bytes(made.replace(b'"engine": "local"', b'"engine": "kubernetes"'))

    async def call(self, *words: str) -> Said:
        return await asyncio.to_thread(self.home.call, "doctor", *words)

    async def findings(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """What is said of cluster and rights."""
        said = await self.call("--json", *words)
        assert said.code == code, said.out
        document = json.loads(said.out)
        assert document["ok"] == (code == 0)
        return [one for one in document["checks"] if one["check"] in {"cluster", "rights"}]


@pytest.fixture
async def clinic(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clinic]:
    monkeypatch.setattr(settings, "SYSTEM_FILE", home.queue.parent / "none.toml")
    async with ScriptedApi() as api:
        file = home.queue.parent / "kubeconfig"
        file.write_text(kubeconfig(api.url))
        monkeypatch.setenv("LLMDBENCHD_ENGINE", "kubernetes")
        monkeypatch.setenv("LLMDBENCHD_KUBECONFIG", str(file))
        monkeypatch.setenv("LLMDBENCHD_NAMESPACE", "bench")
        yield Clinic(home, api, Granting(api))


async def test_with_every_right_all_is_good(clinic: Clinic) -> None:
    cluster, rights = await clinic.findings()

    assert cluster["said"] == f"{clinic.api.url} answers"
    assert (rights["verdict"], rights["said"]) == ("ok", "bench: all 17 for launchers")


@pytest.mark.parametrize("taken", LAUNCHERS, ids=str)
async def test_each_right_that_is_taken_away_is_named_with_reason_and_remedy(
    clinic: Clinic, taken: Right
) -> None:
    clinic.granting.take(taken)
    is_bad = taken.need is Need.ALWAYS

    _, found = await clinic.findings(code=1 if is_bad else 0)

    assert found["verdict"] == ("bad" if is_bad else "warn")
    assert found["said"].startswith(f"bench: may not {taken} ({taken.reason}): ")
    assert taken.rule in found["fix"]
    assert "kubectl apply --namespace bench --filename deploy/rbac.yaml" in found["fix"]


@pytest.mark.parametrize(
    ("place", "taken", "file"),
    [
        (place, one, file)
        for place, (table, file) in enumerate(
            [
                (STACK, "rbac-stack.yaml"),
                (STACK_CHANGES, "rbac-stack-nop.yaml"),
                (PREPROCESS, "rbac-stack-preprocess.yaml"),
            ]
        )
        for one in table
    ],
    ids=str,
)
async def test_each_right_on_a_stack_is_named_and_none_is_bad(
    clinic: Clinic, place: int, taken: Right, file: str
) -> None:
    clinic.granting.take(taken, namespace="models")

    _, _, *found = await clinic.findings("--stack-namespace", "models")

    assert [one["verdict"] for one in found] == ["warn" if at == place else "ok" for at in range(3)]
    said = f"models: may not {taken} ({taken.reason}): {taken.without}"
    assert found[place]["said"] == said
    assert f"deploy/{file}, or in the Role: {taken.rule}" in found[place]["fix"]


async def test_who_lacks_all_that_a_recording_changes_is_told_which_features_lack_it(
    clinic: Clinic,
) -> None:
    clinic.granting.take(*STACK_CHANGES, *PREPROCESS, namespace="models")

    _, _, _, *found = await clinic.findings("--stack-namespace", "models")

    said = "\n".join(one["said"] for one in found)
    assert len(found) == len(STACK_CHANGES) + len(PREPROCESS)
    assert all(feature in said for feature in ("nop.restart", "sleep", "preprocess install"))


async def test_only_for_stacks_that_are_recorded_is_it_asked_what_a_recording_changes(
    clinic: Clinic,
) -> None:
    clinic.keep("load", namespace="models", harness={"namespace": "bench"}, endpoint=None)
    clinic.keep("nop", namespace="recorded", harness={"name": "nop", "namespace": "bench"})

    _, *found = await clinic.findings()

    assert [one["said"] for one in found] == [
        "bench: all 17 for launchers",
        f"models: all {len(STACK)} for looking up servers",
        f"recorded: all {len(STACK)} for looking up servers",
        f"recorded: all {len(STACK_CHANGES)} for nop's restarts, sleep and wake",
        f"recorded: all {len(PREPROCESS)} for preprocess install",
    ]


async def test_both_ways_for_results_closed_is_bad(clinic: Clinic) -> None:
    ways = {"get pods/proxy", "get pods/exec"}
    clinic.granting.take(*(one for one in LAUNCHERS if str(one) in ways))

    found = await clinic.findings(code=1)

    assert [one["verdict"] for one in found] == ["ok", "bad", "bad"]


async def test_no_right_at_all_is_said_once(clinic: Clinic) -> None:
    clinic.granting.namespace = "elsewhere"

    _, found = await clinic.findings(code=1)

    assert found["verdict"] == "bad"
    assert found["said"].startswith("bench: none of the 17 for launchers")


async def test_a_terminal_gets_the_missing_right_in_two_lines(clinic: Clinic) -> None:
    [log] = [one for one in LAUNCHERS if one.resource == "pods/log"]
    clinic.granting.take(log)

    said = await clinic.call()

    assert said.code == 1
    assert "bad   rights       bench: may not get pods/log (the log of" in said.out
    assert '- {apiGroups: [""], resources: ["pods/log"], verbs: [get]}' in said.out


async def test_namespaces_of_jobs_that_are_not_over_are_asked_about(clinic: Clinic) -> None:
    clinic.keep("open", Phase.RUNNING, namespace="one")
    clinic.keep("apart", namespace="two", harness={"namespace": "three"})
    clinic.keep("unknown", namespace="models", harness={"namespace": "one"}, endpoint=None)
    clinic.keep("over", Phase.SUCCEEDED, namespace="four")

    _, *found = await clinic.findings()

    names = [one["said"].partition(":")[0] for one in found]
    assert names == ["bench", "one", "three", "models"]


async def test_a_job_that_cannot_be_read_is_said_and_hides_no_missing_right(
    clinic: Clinic,
) -> None:
    clinic.home.keep(record(Phase.RUNNING))
    (clinic.home.state / "jobs" / "j" / "spec.json").write_text("{")
    clinic.granting.take(LAUNCHERS[0])

    unread, _, missing = await clinic.findings(code=1)

    assert (unread["verdict"], missing["verdict"]) == ("warn", "bad")
    assert "job j cannot be read" in unread["said"]


async def test_a_cluster_that_is_away_could_not_be_asked(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "away"
    file.write_text(kubeconfig("http://127.0.0.1:9"))
    monkeypatch.setenv("LLMDBENCHD_KUBECONFIG", str(file))

    [found] = await clinic.findings(code=3)

    assert found["verdict"] == "?"
    assert "cannot connect" in found["said"]


async def test_what_is_bad_outweighs_what_could_not_be_asked(clinic: Clinic) -> None:
    clinic.api.give("POST", REVIEWS, failure(500))
    (clinic.home.queue.parent / "archive").write_text("no folder")

    assert (await clinic.call()).code == 1


async def test_credentials_that_the_server_does_not_know_are_bad(clinic: Clinic) -> None:
    clinic.api.give("POST", REVIEWS, failure(401))

    [found] = await clinic.findings(code=1)

    assert "renew the credentials" in found["fix"]


async def test_without_a_cluster_nobody_is_asked(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMDBENCHD_ENGINE", "local")
    await clinic.call()

    assert clinic.api.requests == []


async def test_a_pinned_engine_without_a_cluster_is_bad(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LLMDBENCHD_KUBECONFIG")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    [found] = await clinic.findings(code=1)

    assert found["said"] == "no cluster is configured"
