"""The script of docs/pipeline.md: a stack stands up, is loaded, and is gone, whatever happened."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from tests.cluster import build
from tests.daemon.household import Household
from tests.e2e import daemon
from tests.e2e import simulator as simulators
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace
from tests.e2e.simulator import MODEL, NAME

pytestmark = [pytest.mark.kube, pytest.mark.timeout(400)]

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SCRIPT = EXAMPLES / "pipeline.sh"
WITHIN_S = 200


@dataclass(frozen=True)
class Pipeline:
    """Where the script runs: a daemon, a namespace for the stack, the two programs in PATH."""

    house: Household
    stack: Namespace
    bench: Namespace
    environment: dict[str, str]

    @contextmanager
    def running(self, models: list[str], seconds: float) -> Iterator[subprocess.Popen[str]]:
        """The script, with a job of one run for each model."""
        files = self.house.root / "stack.yaml", self.house.root / "nightly.yaml"
        files[0].write_text(yaml.safe_dump_all(_stack()))
        files[1].write_text(yaml.safe_dump(self._job(models, seconds)))
        with subprocess.Popen(
            [str(SCRIPT), *map(str, files), self.stack.name],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as script:
            yield script

    def run(self, models: list[str]) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of the script."""
        with self.running(models, 1) as script:
            out, err = script.communicate(timeout=WITHIN_S)
        return script.returncode, out, err

    def nothing_stands(self) -> bool:
        """Whether the stack is gone."""
        return not (self.stack.list("deployments") or self.stack.find("services", NAME))

    def _job(self, models: list[str], seconds: float) -> dict[str, object]:
        job = dict(daemon.light(seconds=seconds))
        del job["endpoint"]
        job["harness"]["namespace"] = self.bench.name
        where = {"namespace": self.stack.name, "methods": ["standalone"]}
        return job | where | {"models": models}


def _stack() -> list[dict[str, object]]:
    """As a person would write it down for kubectl."""
    command = ["llmdbenchd", "simulate", "--host", "", "--port", "8000"]
    made = simulators.objects(NAME, command)
    made["services"]["metadata"]["labels"] = {"stood-up-via": "standalone"}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", **made["deployments"]},
        {"apiVersion": "v1", "kind": "Service", **made["services"]},
    ]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Pipeline]:
    root = tmp_path_factory.mktemp("pipeline")
    programs = root / "programs"
    programs.mkdir()
    kubectl = shutil.which("kubectl") or build.program("kubectl")
    (programs / "kubectl").symlink_to(kubectl)
    ours = programs / "llmdbenchd"
    ours.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m llmdbenchd "$@"\n')
    ours.chmod(0o755)
    with (
        cluster.namespace("bench") as bench,
        cluster.namespace("pipeline") as stack,
        daemon.serving(root / "house", cluster, bench) as house,
    ):
        daemon.grant_stack(stack, bench)
        own = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": f"{programs}:{os.environ['PATH']}"}
        yield Pipeline(house, stack, bench, house.environment | own)


def test_the_pipeline_is_green_only_because_every_run_succeeded(pipeline: Pipeline) -> None:
    code, out, err = pipeline.run([MODEL])

    assert code == 0, err
    job, table = out.split("\n", 1)
    assert [one.phase for one in pipeline.house.records(job)] == [Phase.SUCCEEDED]
    assert "SUCCEEDED" in table
    assert pipeline.nothing_stands()


def test_one_failed_run_of_two_turns_the_pipeline_red_and_the_stack_goes_all_the_same(
    pipeline: Pipeline,
) -> None:
    code, out, err = pipeline.run([MODEL, "gpt2"])

    assert code == 1, err
    job = out.split("\n", 1)[0]
    found = json.loads(pipeline.house.asked("results", job, "--json"))
    assert {row["model"]: row["phase"] for row in found} == {MODEL: "SUCCEEDED", "gpt2": "FAILED"}
    assert "not gpt2" in err
    assert pipeline.nothing_stands()


def test_a_pipeline_that_is_ended_cancels_its_job_and_takes_its_stack_down(
    pipeline: Pipeline,
) -> None:
    before = len(pipeline.house.events)
    with pipeline.running([MODEL], 300) as script:
        running = pipeline.house.wait_for(
            "the load", lambda: pipeline.house.told("run.moved", before, now="RUNNING")
        )
        script.terminate()
        _, err = script.communicate(timeout=WITHIN_S)

    assert script.returncode == 143, err
    assert pipeline.nothing_stands()
    assert pipeline.house.ended(running[0]["job"]).phase is Phase.CANCELLED


def test_the_examples_beside_the_script_are_a_stack_and_a_job_for_it(pipeline: Pipeline) -> None:
    asked = ("check", str(EXAMPLES / "pipeline-job.yaml"), "--json")
    assert pipeline.house.asked(*asked)
    kinds = [one["kind"] for one in yaml.safe_load_all((EXAMPLES / "stack.yaml").read_text())]
    assert kinds == ["Deployment", "Service"]
