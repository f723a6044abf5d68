"""The whole surface at once: models x methods x treatments x launchers, on stacks that are found.

Both stacks are in one namespace, as in the field: one by its label, one by its Gateway.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.images.recipes import LAUNCHER
from tests.daemon.household import Household
from tests.e2e import daemon, gateways
from tests.e2e import simulator as simulators
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace
from tests.e2e.simulator import MODEL, Simulator

pytestmark = [pytest.mark.kube, pytest.mark.alone, pytest.mark.timeout(400)]

MODELS = (MODEL, "llmdbench/adapter")
METHODS = ("standalone", "modelservice")
RATES = {"slow": 1, "quick": 2}  # requests/s of one launcher
SECONDS = 2
EACH = 2  # launchers of a run


@dataclass(frozen=True)
class Ended:
    """A matrix that is over.

    Attributes:
        servers: by method; they know what they were really sent.
        rows: what `results` says, one for each run.
    """

    house: Household
    servers: dict[str, Simulator]
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Ended]:
    gateways.install(cluster.api)
    serves = [word for model in MODELS for word in ("--model", model)]
    with (
        cluster.namespace("bench") as bench,
        cluster.namespace("stacks") as stacks,
        daemon.serving(tmp_path_factory.mktemp("m") / "house", cluster, bench) as house,
        simulators.serving(stacks, *serves, name="alone") as alone,
        simulators.serving(stacks, *serves, name="gated") as gated,
    ):
        daemon.grant_stack(stacks, bench)
        simulators.label(alone)
        gateways.before(stacks, gated.name)
        gateways.give_address(stacks, gated.direct.split("/")[-1].split(":")[0])
        house.drop("matrix", _job(alone, bench))
        house.wait_for("the end of the matrix", lambda: house.is_over("matrix"), within_s=300)
        rows = json.loads(house.asked("results", "matrix", "--json"))
        yield Ended(house, dict(zip(METHODS, (alone, gated), strict=True)), rows)


def _job(alone: Simulator, bench: Namespace) -> dict[str, Any]:
    """Sixteen launchers of the real inference-perf; the adapter's tokenizer is its model's."""
    treatments = [{"name": name, "load.stages.0.rate": rate} for name, rate in RATES.items()]
    return {
        "models": list(MODELS),
        "methods": list(METHODS),
        "namespace": alone.namespace.name,
        "workload": "sanity_fixed",
        "treatments": treatments,
        "overrides": {"load.stages.0.duration": SECONDS},
        "variables": {"LLMDBENCH_DEPLOY_CURRENT_TOKENIZER": MODEL},
        "harness": {
            **daemon.SMALL,
            "image": LAUNCHER,
            "namespace": bench.name,
            "parallelism": EACH,
            "env": dict(alone.harness_env),
        },
    }


def _archives(ended: Ended) -> list[Path]:
    return [Path(row["archive"]) for row in ended.rows]


def test_every_cell_of_the_matrix_ran_once_and_succeeded(ended: Ended) -> None:
    cells = Counter((row["model"], row["method"], row["treatment"]) for row in ended.rows)

    wanted = {(model, way, name) for model in MODELS for way in METHODS for name in RATES}
    assert cells == dict.fromkeys(wanted, 1)
    assert [row["reason"] for row in ended.rows if row["phase"] != "SUCCEEDED"] == []


def test_each_method_found_its_own_stack_and_its_pod(ended: Ended) -> None:
    for record in ended.house.records("matrix"):
        assert record.target is not None
        row = next(one for one in ended.rows if one["run"] == record.run)
        server = ended.servers[row["method"]]
        pod = f"{server.namespace.name}/{server.pod()}"
        assert [one for one in record.target.servers if one.endswith(pod)], record.target


def test_the_servers_were_sent_what_the_table_says(ended: Ended) -> None:
    for method, server in ended.servers.items():
        rows = [row for row in ended.rows if row["method"] == method]
        told = [row["requests"]["total"] for row in rows]
        assert told == [EACH * SECONDS * RATES[row["treatment"]] for row in rows]
        assert [row["requests"]["failures"] for row in rows] == [0] * len(rows)
        assert len(server.truth()) == sum(told), method


def test_the_archive_of_each_verifies(ended: Ended) -> None:
    assert "8 of 8 runs are whole" in ended.house.asked("verify", "matrix")


def test_launchers_have_single_reports_and_one_of_them_together(ended: Ended) -> None:
    for archive in _archives(ended):
        reports = archive / "reports"
        for index in range(1, EACH + 1):
            assert list((reports / str(index)).glob("benchmark_report_v0.2*.yaml")), archive
        merged = yaml.safe_load((reports / "benchmark_report_v0.2,_merged.yaml").read_text())
        total = json.loads((archive / "run.json").read_text())["requests"]["total"]
        assert merged["results"]["request_performance"]["aggregate"]["requests"]["total"] == total


def test_launchers_of_one_run_loaded_their_target_at_the_same_time(ended: Ended) -> None:
    for archive in _archives(ended):
        files = sorted((archive / "results").glob("*/DONE.json"))
        done = [json.loads(file.read_text()) for file in files]
        assert len(done) == EACH
        assert max(one["started"] for one in done) < min(one["stopped_at"] for one in done)


def test_the_table_names_every_run_with_what_sets_it_apart(ended: Ended) -> None:
    table = ended.house.asked("results", "matrix")

    for name in (*RATES, *METHODS, *MODELS):
        assert name in table, table
    assert table.count("SUCCEEDED") == len(ended.rows)
