"""Plans of launchers for tests of manifests and of the engine that makes them."""

from dataclasses import replace

from llmdbenchd.core.job import names
from llmdbenchd.core.launch.config_maps import Payload
from llmdbenchd.core.launch.plan import Identity, LauncherPlan, PlanFile, PodTerms, Storage

INSTANCE = "0a1b2c3d"
PAYLOAD = Payload(INSTANCE, {"launch.py": "print('launch')\n", "harness/inference_perf.py": "\n"})


def plan(index: int = 1, of: int = 1, *, run: str = "r1", attempt: int = 1) -> LauncherPlan:
    """A plan of launcher `index` of `of`, on a claim."""
    run8 = names.run8(INSTANCE, "a-job", run)
    identity = Identity(
        instance=INSTANCE, job="a-job", run=run, run8=run8, attempt=attempt, index=index, of=of
    )
    return LauncherPlan(
        name=names.launcher("inference-perf", run8, attempt, index, of),
        identity=identity,
        harness="inference-perf",
        executable="llm-d-benchmark.sh",
        results_folder=f"inference-perf_1_{index}",
        files=(PlanFile("profiles/inference-perf/sanity.yaml", "load: {}\n"),),
        env={"LLMDBENCH_HARNESS_NAME": "inference-perf", "GREETING": "hello"},
        cpu="250m",
        memory="64Mi",
        pod=PodTerms(image="example.test/launcher:1"),
    )


def ephemeral(of: LauncherPlan) -> LauncherPlan:
    """The same, with its results in the launcher itself."""
    return replace(of, storage=Storage(mode="ephemeral"))
