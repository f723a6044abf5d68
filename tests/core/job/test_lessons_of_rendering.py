"""What went wrong in the field between a profile and its workload, and does not here."""

import pytest
import yaml

from llmdbenchd.core.job.examination import Examination, examine
from llmdbenchd.core.job.scenarios import ScenarioFile
from llmdbenchd.core.job.treatment_files import TreatmentsFile
from llmdbenchd.core.job.whole import read_whole_job
from llmdbenchd.core.launch.config_maps import LARGEST
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from tests.core.test_rare_cases import OneProfile

SIX = """\
model: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL  # kept
url: REPLACE_ENV_LLMDBENCH_HARNESS_STACK_ENDPOINT_URL/v1
tokenizer: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_TOKENIZER
claim: REPLACE_ENV_LLMDBENCH_HARNESS_PVC_NAME
dir: REPLACE_ENV_LLMDBENCH_RUN_DATASET_DIR
file: REPLACE_ENV_LLMDBENCH_RUN_DATASET_FILE
"""


class Files:
    """No files at all."""

    def open_scenario(self, name: str) -> ScenarioFile:
        return ScenarioFile(name, "export LLMDBENCH_FROM_SCENARIO='s c'")

    def open_treatments(self, name: str) -> TreatmentsFile:
        return TreatmentsFile(name, "run: {factors: [a], treatments: {x: '1'}}")


def examined(profile: str, text: str = "", *, engine: str = "local") -> Examination:
    def read_path(path: str) -> str:
        if path != "/my/own.yaml":
            raise WorkloadError([WorkloadProblem(path, 0, path, "cannot be read")])
        return "a: own\n"

    job = f"endpoint: http://h:1\nmodels: o/m\n{text}".encode()
    reading = read_whole_job(job, stem="j", environment={}, files=Files())
    return examine(reading, engine=engine, shelf=OneProfile(profile), read_path=read_path)


def workload(profile: str, text: str = "") -> object:
    [outline] = examined(profile, text).outlines
    return yaml.safe_load(outline.workload)


def test_the_six_tokens_of_the_fields_profiles_have_their_values_and_comments_stay() -> None:
    [outline] = examined(SIX).outlines

    assert yaml.safe_load(outline.workload) == {
        "model": "o/m",
        "url": "http://h:1/v1",
        "tokenizer": "o/m",
        "claim": "workload-pvc",
        "dir": "/workspace",
        "file": "NONE",
    }
    assert outline.workload.startswith("model: o/m  # kept\n")


def test_any_other_variable_can_be_a_token_wherever_it_was_set() -> None:
    profile = "a: REPLACE_ENV_LLMDBENCH_FROM_SCENARIO\nb: REPLACE_ENV_LLMDBENCH_OWN\n"

    assert workload(profile, "scenario: s\nvariables: {LLMDBENCH_OWN: 7 8}\n") == {
        "a": "s c",
        "b": "7 8",
    }


@pytest.mark.parametrize(
    "value", ["a^b", "a&b", "a\\1", "x #y", "http://h/#top", "k: v", "- x", "a/b c", "'q'", "{x}"]
)
def test_no_character_of_a_value_is_special(value: str) -> None:
    text = f"variables: {{LLMDBENCH_V: {yaml.safe_dump(value, width=999).splitlines()[0]}}}\n"

    assert workload("a: REPLACE_ENV_LLMDBENCH_V\n", text) == {"a": value}


@pytest.mark.parametrize("default", ["a-b", "a:b", "a b", "a.b/c", "http://h:1/x-y z"])
def test_a_default_is_not_cut_at_its_first_dash_colon_or_blank(default: str) -> None:
    assert workload(f"a: 'REPLACE_ENV_LLMDBENCH_NO++++default={default}'\n") == {"a": default}


def test_a_token_that_begins_like_another_is_not_mistaken_for_it() -> None:
    profile = "a: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODELID\n"

    assert workload(profile, "variables: {LLMDBENCH_DEPLOY_CURRENT_MODELID: other}\n") == {
        "a": "other"
    }


def test_an_unset_token_is_named_with_its_file_and_line_and_never_ends_in_silence() -> None:
    [problem] = examined("b: 1\na: REPLACE_ENV_LLMDBENCH_NO\n").problems

    assert problem.message.startswith("sanity_random.yaml:2: REPLACE_ENV_LLMDBENCH_NO")


def test_a_full_path_names_a_workload_as_the_documentation_always_said() -> None:
    assert workload("a: 1\n", "workload: /my/own.yaml\n") == {"a": "own"}


def test_a_workload_in_the_job_itself_is_rendered_like_any_other() -> None:
    inline = "workload: {m: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL, n: [1]}\noverrides: n.0=2\n"

    assert workload("a: 1\n", inline) == {"m": "o/m", "n": [2]}


@pytest.mark.parametrize("engine", ["local", "kubernetes"])
def test_a_workload_that_no_config_map_can_carry_is_refused_before_anything_is_made(
    engine: str,
) -> None:
    long = "x" * 1000
    profile = "".join(f"k{n}: REPLACE_ENV_LLMDBENCH_LONG\n" for n in range(LARGEST // 1000))
    [problem] = examined(profile, f"variables: {{LLMDBENCH_LONG: {long}}}", engine=engine).problems

    assert (problem.field, "a ConfigMap carries at most 1048576" in problem.message) == (
        "workload",
        True,
    )


def test_a_file_that_is_edited_after_the_job_was_taken_changes_no_run_of_it() -> None:
    reading = read_whole_job(b"scenario: s\ntreatments: t", stem="j", environment={}, files=Files())

    assert reading.spec is not None
    assert reading.spec.scenario == {"LLMDBENCH_FROM_SCENARIO": "s c"}
    assert [one.changes for one in reading.spec.experiment] == [{"a": 1}]
