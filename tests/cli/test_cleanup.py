"""`cleanup` on a cluster that is a scripted API server: what goes, what stays, what is said."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest

from llmdbenchd import settings
from llmdbenchd.core.run.phase import Phase
from tests.cli.home import Home, Said
from tests.core.run.cases import record
from tests.fakes.api import ScriptedApi, answer, failure, kubeconfig

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

BENCH = "/api/v1/namespaces/bench"
OURS = {"app.kubernetes.io/managed-by": "llmdbenchd", "llmdbenchd/instance": "cafe"}


def listed(*things: tuple[str, Mapping[str, str]], more: str = "") -> Mapping[str, object]:
    items = [
        {"metadata": {"name": name, "uid": f"uid-{name}", "labels": {**OURS, **labels}}}
        for name, labels in things
    ]
    return {"metadata": {"continue": more}, "items": items}


def of_run(run: str) -> Mapping[str, str]:
    return {"llmdbenchd/job": "j", "llmdbenchd/run": run}


@dataclass
class Broom:
    """A home with one run that is over and one that is not, and the cluster."""

    home: Home
    api: ScriptedApi

    async def call(self, *words: str) -> Said:
        return await asyncio.to_thread(self.home.call, "cleanup", *words)

    def removed(self) -> list[str]:
        return [one.path.removeprefix(BENCH) for one in self.api.requests if one.method == "DELETE"]


@pytest.fixture
async def broom(home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Broom]:
    monkeypatch.setattr(settings, "SYSTEM_FILE", home.queue.parent / "none.toml")
    home.keep(record(Phase.SUCCEEDED), record(Phase.RUNNING, run="r002"))
    (home.state / "instance").write_text("cafe\n")
    async with ScriptedApi() as api:
        file = home.queue.parent / "kubeconfig"
        file.write_text(kubeconfig(api.url))
        monkeypatch.setenv("LLMDBENCHD_KUBECONFIG", str(file))
        monkeypatch.setenv("LLMDBENCHD_NAMESPACE", "bench")
        pods = listed(("over", of_run("r001")), more="2"), listed(("open", of_run("r002")))
        api.give("GET", f"{BENCH}/pods", *pods)
        api.give("GET", f"{BENCH}/configmaps", listed(("payload", {})))
        api.give("GET", f"{BENCH}/persistentvolumeclaims", listed(("workload-pvc", {})))
        api.give("DELETE", f"{BENCH}/{{kind}}/{{name}}", {})
        yield Broom(home, api)


async def test_what_nobody_needs_goes_and_the_rest_is_named_with_its_reason(broom: Broom) -> None:
    said = await broom.call()

    assert said.code == 0
    assert broom.removed() == ["/pods/over", "/configmaps/payload"]
    lines = said.out.splitlines()
    assert lines[:2] == ["removed: pod bench/over", "removed: ConfigMap bench/payload"]
    assert lines[2].startswith("stays: pod bench/open: run j/r002 is RUNNING")
    assert lines[3].startswith("stays: claim bench/workload-pvc: results may lie on it")


async def test_a_dry_run_removes_nothing(broom: Broom) -> None:
    said = await broom.call("--dry-run", "--json")

    assert broom.removed() == []
    became = {one["name"]: one["became"] for one in json.loads(said.out)["objects"]}
    assert became == {
        "over": "would go",
        "payload": "would go",
        "open": "stays",
        "workload-pvc": "stays",
    }


async def test_what_a_running_daemon_may_use_stays(broom: Broom) -> None:
    broom.home.daemon_says()

    assert "a daemon is running that may use it" in (await broom.call()).out
    assert broom.removed() == ["/pods/over"]


async def test_without_the_right_to_list_claims_they_are_not_told(broom: Broom) -> None:
    broom.api.give("GET", f"{BENCH}/persistentvolumeclaims", failure(403))

    assert "claim" not in (await broom.call()).out


async def test_what_cannot_be_listed_is_not_taken_for_nothing(broom: Broom) -> None:
    broom.api.give("GET", f"{BENCH}/configmaps", failure(403))
    assert (await broom.call()).code == 3

    broom.api.give("GET", f"{BENCH}/configmaps", answer("<html>"))
    assert (await broom.call()).code == 3
    assert broom.removed() == []


async def test_what_could_not_be_removed_makes_the_answer_no(broom: Broom) -> None:
    broom.api.give("DELETE", f"{BENCH}/pods/over", failure(403, "no right"))

    said = await broom.call()

    assert said.code == 1
    assert "failed: pod bench/over: " in said.out


async def test_another_namespace_is_looked_at_on_request_and_an_empty_one_says_so(
    broom: Broom,
) -> None:
    other = "/api/v1/namespaces/other"
    for kind in ("pods", "configmaps", "persistentvolumeclaims"):
        broom.api.give("GET", f"{other}/{kind}", listed())

    assert (await broom.call("--namespace", "other")).out == "nothing of ours is in other\n"


async def test_without_a_daemons_folder_nothing_is_ours(broom: Broom) -> None:
    (broom.home.state / "instance").unlink()

    said = await broom.call()

    assert (said.code, broom.api.requests) == (3, [])
    assert "no daemon ever ran on this state folder" in said.err
