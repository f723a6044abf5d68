"""A person looks into a launcher that only sleeps, and finds everything there."""

from collections.abc import Sequence

from llmdbenchd.core.job.accepted import decoded, encoded
from llmdbenchd.core.job.debugging import everything, profile_files
from llmdbenchd.core.job.examination import examine
from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.job.matrix import runs
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.launch.config_maps import Payload, run_config_map
from llmdbenchd.core.launch.manifest import launcher_pod
from llmdbenchd.core.launch.plan import SLEEP
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from tests.core.job.test_replay import taken

TEXTS = {
    "inference-perf": {
        "sanity_random": "min: 1\nmodel: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL\n",
        "lacking": "a: REPLACE_ENV_LLMDBENCH_NOT_THERE\n",
    },
    "nop": {"nop": "b: 2\n", "broken": ""},
}


class Profile:
    """One of them, as a template."""

    def __init__(self, harness: str, name: str) -> None:
        self.path = f"{name}.yaml.in"
        self.text = TEXTS[harness][name]


class Shelf:
    """Two harnesses; one profile cannot be read."""

    def harnesses(self) -> Sequence[str]:
        return list(TEXTS)

    def names(self, harness: str) -> Sequence[str]:
        return list(TEXTS[harness])

    def read(self, harness: str, name: str) -> Profile:
        if name == "broken":
            raise WorkloadError([WorkloadProblem(name, 0, f"`{name}`", "is not UTF-8")])
        return Profile(harness, name)


def spec_of(**harness: object) -> JobSpec:
    return JobSpec.model_validate(
        {"endpoint": "http://h:1", "models": "a/b", "overrides": "min=7", "harness": harness}
    )


def test_every_profile_of_every_harness_is_there_rendered_or_with_the_reason() -> None:
    spec = spec_of(debug=True)
    found = profile_files(
        spec,
        runs(spec)[0],
        everything(spec, Shelf()),
        endpoint="http://h:1",
        workspace="/w",
    )

    texts = {file.path: file.text for file in found}
    assert texts["profiles/inference-perf/sanity_random.yaml"] == "min: 1\nmodel: a/b\n"
    assert texts["profiles/nop/nop.yaml"] == "b: 2\n"
    lacking = texts["profiles/inference-perf/lacking.yaml.in"]
    assert lacking.startswith("# ")
    assert lacking.endswith(TEXTS["inference-perf"]["lacking"])
    assert "is not UTF-8" in texts["profiles/nop/broken.yaml"]


def test_a_job_that_is_to_run_carries_its_own_workload_only() -> None:
    assert everything(spec_of(), Shelf()) == ()


def test_the_launcher_sleeps_with_all_profiles_mounted_and_its_own_workload_overridden() -> None:
    text = "endpoint: http://h:1\nharness: {debug: true}\noverrides: min=7\nengine: kubernetes\n"
    reading = read_job(text.encode(), stem="x", environment={"LLMDBENCH_IMAGE_TAG": "v1"})
    answer = examine(reading, engine="kubernetes", shelf=Shelf(), read_path=str)
    (plan,) = answer.outlines[0].launchers

    assert answer.problems == ()
    assert plan.executable == plan.env["LLMDBENCH_HARNESS_EXECUTABLE"] == SLEEP
    assert plan.files[0].text.startswith("min: 7\n")
    assert len(plan.files) == len({file.path for file in plan.files}) == 4
    payload = Payload("here", {"launch.py": ""})
    pod = str(launcher_pod(plan, payload, owner="u", secret="s"))  # noqa: S106 - a path, made up
    assert "'mountPath': '/workspace/profiles'" in pod
    assert "'path': 'nop/nop.yaml'" in pod
    assert len(str(run_config_map(plan)["data"]).split(".yaml'")) >= 3


def test_such_a_run_is_left_whatever_its_time_limit_and_keeps_its_profiles_on_disk() -> None:
    job = taken("harness: {debug: true, wait_timeout: 60}\nendpoint: http://h:1\n")

    assert job.limits.run_s == 0
    assert decoded(encoded(job)).shelved == job.shelved
