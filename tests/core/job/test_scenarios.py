"""A job and its scenario: what counts, where it came from, and what is kept of it."""

import os

from llmdbenchd.core.job.environment import workload_variables
from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.matrix import runs
from llmdbenchd.core.job.scenarios import ScenarioFile, carried_scenario, read_job_with_scenario
from llmdbenchd.core.job.support import unsupported
from llmdbenchd.core.scenario.errors import ScenarioError

GUIDE = """
export LLMDBENCH_HARNESS_CPU_NR=8
export LLMDBENCH_DEPLOY_MODEL_LIST=a/b LLMDBENCH_MINE="x y"
export LLMDBENCH_DEPLOY_SCENARIO=another
export LLMDBENCH_EMPTY=
"""


def read(text: str, scenario: str = GUIDE, **environment: str) -> Reading:
    def open_scenario(name: str) -> ScenarioFile:
        if name == "missing":
            raise ScenarioError(name, 0, "is not the name of a scenario", 'did you mean "guide"?')
        return ScenarioFile(f"guides/{name}", scenario)

    return read_job_with_scenario(
        text.encode(), stem="x", environment=environment, open_scenario=open_scenario
    )


def test_a_scenarios_value_says_in_which_file_and_line_it_stands() -> None:
    value = read("scenario: guide.sh\n").values["harness.cpu"]

    assert (value.value, value.origin, value.place) == ("8", "scenario", "guides/guide.sh:2")
    assert (value.variable, value.line) == ("LLMDBENCH_HARNESS_CPU_NR", 1)


def test_a_scenario_beats_environments_and_yields_to_the_jobs_own_words() -> None:
    submitted = "submitted_environment: {LLMDBENCH_HARNESS_CPU_NR: 4}\n"
    reading = read(f"scenario: guide.sh\nmodels: c/d\n{submitted}", LLMDBENCH_HARNESS_CPU_NR="5")

    assert reading.values["harness.cpu"].value == "8"
    assert reading.values["models"].value == ["c/d"]
    assert read("scenario: g\nvariables: {LLMDBENCH_HARNESS_CPU_NR: 1}").spec is not None
    own = read("scenario: g\nvariables: {LLMDBENCH_HARNESS_CPU_NR: 1}").values["harness.cpu"]
    assert (own.value, own.origin) == ("1", "variables")


def test_the_variable_names_a_scenario_as_well_as_the_flag_did() -> None:
    for reading in (
        read("", LLMDBENCH_DEPLOY_SCENARIO="guide.sh"),
        read("submitted_environment: {LLMDBENCH_DEPLOY_SCENARIO: guide.sh}"),
        read("variables: {LLMDBENCH_DEPLOY_SCENARIO: guide.sh}"),
    ):
        assert reading.values["scenario"].value == "guide.sh"
        assert reading.values["harness.cpu"].value == "8"


def test_what_no_field_reads_is_kept_and_can_be_a_token() -> None:
    spec = read("scenario: guide.sh\nendpoint: http://h").spec
    assert spec is not None
    variables = workload_variables(spec, runs(spec)[0], endpoint="http://h")

    assert spec.scenario == {
        "LLMDBENCH_HARNESS_CPU_NR": "8",
        "LLMDBENCH_DEPLOY_MODEL_LIST": "a/b",
        "LLMDBENCH_MINE": "x y",
        "LLMDBENCH_DEPLOY_SCENARIO": "another",
        "LLMDBENCH_EMPTY": "",
    }
    assert variables["LLMDBENCH_MINE"] == "x y"
    assert "LLMDBENCH_EMPTY" not in variables


def test_a_scenario_sees_the_callers_variables_and_the_eras_defaults() -> None:
    guide = (
        "export LLMDBENCH_HARNESS_CPU_NR=${LLMDBENCH_MINE:-1}"
        " LLMDBENCH_HARNESS_NAMESPACE=${LLMDBENCH_VLLM_COMMON_NAMESPACE}-load"
    )
    reading = read("scenario: g\nsubmitted_environment: {LLMDBENCH_MINE: 3}", guide)

    assert reading.values["harness.cpu"].value == "3"
    assert reading.values["harness.namespace"].value == "llmdbench-load"


def test_a_scenario_may_stand_in_the_job_itself() -> None:
    reading = read("name: x\nscenario:\n  LLMDBENCH_HARNESS_CPU_NR: 010\n  OTHER: no\n")

    value = reading.values["harness.cpu"]
    assert (value.value, value.origin, value.place) == ("010", "scenario", "scenario:3")
    assert reading.spec is not None
    assert reading.spec.scenario == {"LLMDBENCH_HARNESS_CPU_NR": "010", "OTHER": "no"}


def test_a_wrong_value_of_a_scenario_is_a_mistake_with_its_line() -> None:
    [problem] = read("name: x\nscenario: g\n", "\nLLMDBENCH_HARNESS_CPU_NR=many").problems

    assert (problem.line, problem.field) == (2, "harness.cpu")
    assert "LLMDBENCH_HARNESS_CPU_NR from the scenario guides/g:2" in problem.message


def test_a_scenario_that_cannot_be_read_is_one_mistake_among_all() -> None:
    found = read("scenario: g\nrepeat: no\n", "\nfor x in 1 2; do").problems

    assert [(one.line, one.field) for one in found] == [(1, "scenario"), (2, "repeat")]
    assert found[0].message == "guides/g:2: a loop (`for`)"


def test_a_scenario_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    [problem] = read("scenario: missing").problems

    assert (problem.message, problem.hint) == (
        "missing: is not the name of a scenario",
        'did you mean "guide"?',
    )


def test_an_inline_scenario_holds_names_and_values_only() -> None:
    for text, field in [
        ("scenario: {LLMDBENCH_X: [1]}", "scenario.LLMDBENCH_X"),
        ("scenario: {my key: 1}", "scenario.my key"),
        ("scenario: {LLMDBENCH_HF_TOKEN: x}", "scenario.LLMDBENCH_HF_TOKEN"),
        ("scenario: [1]", "scenario"),
    ]:
        assert [one.field for one in read(text).problems] == [field]


def test_credentials_of_a_scenario_are_neither_used_nor_kept() -> None:
    secrets = "export LLMDBENCH_HF_TOKEN=hf_abcdefgh123 LLMDBENCH_X=hf_abcdefgh123 LLMDBENCH_Y=1"
    reading = read("scenario: g", secrets)

    assert "hf_abcdefgh123" not in repr(reading)
    assert reading.spec is not None
    assert reading.spec.scenario == {"LLMDBENCH_Y": "1"}
    assert [one.message.split()[1] for one in reading.notes] == [
        "LLMDBENCH_HF_TOKEN",
        "LLMDBENCH_X",
    ]


def test_what_a_scenario_says_of_the_servers_is_no_complaint_about_the_load() -> None:
    guide = (
        "export LLMDBENCH_VLLM_COMMON_PREPROCESS=/x LLMDBENCH_VLLM_COMMON_PVC_STORAGE_CLASS=fast"
        " LLMDBENCH_DEPLOY_METHODS=standalone LLMDBENCH_HARNESS_SKIP_RUN=1"
    )
    spec = read("scenario: g\nendpoint: http://h", guide)
    assert spec.spec is not None
    found = unsupported(spec.spec, spec.values, "local")

    assert [one.field for one in found.refused] == ["skip_run"]  # something else would be run
    assert sorted(one.field for one in found.warnings) == ["methods", "storage.class"]


def test_a_reference_to_nothing_is_pointed_out_where_it_matters_only() -> None:
    guide = "export LLMDBENCH_HARNESS_CPU_NR=$LLMDBENCH_OTHER\nexport LLMDBENCH_Z=$LLMDBENCH_OTHER"
    [note] = read("scenario: g", guide).notes

    assert "guides/g:1: LLMDBENCH_HARNESS_CPU_NR refers to LLMDBENCH_OTHER" in note.message


def test_the_daemons_own_environment_is_never_changed_by_a_scenario() -> None:
    before = dict(os.environ)
    read("scenario: g", "export PATH=/nowhere LLMDBENCH_HARNESS_CPU_NR=1")

    assert dict(os.environ) == before


def test_a_file_that_is_no_job_needs_no_scenario() -> None:
    assert read("- scenario").problems
    assert read("scenario: missing\nscenario: g").problems
    assert read("\x00").best is None


def test_a_scenario_that_is_carried_says_what_it_would_have_said_where_it_lay() -> None:
    text = f"{GUIDE}export LLMDBENCH_HF_TOKEN=x LLMDBENCH_AT=$LLMDBENCH_MINE LLMDBENCH_IN=$HOME/a\n"
    carried = carried_scenario(ScenarioFile("g.sh", text), environment={"HOME": "/home/me"})
    spec = read(f"scenario: {dict(carried.variables)}").spec
    there = read("scenario: g", text.replace("$HOME", "/home/me")).spec

    assert spec is not None
    assert there is not None
    assert spec.scenario == there.scenario == carried.variables
    assert spec.harness.cpu == there.harness.cpu == "8"
    assert [one.split()[:2] for one in carried.remarks] == [["g.sh:6:", "LLMDBENCH_HF_TOKEN"]]


def test_a_carried_scenario_sees_no_credential_of_the_caller_under_any_name() -> None:
    text = "export LLMDBENCH_HARNESS_CPU_NR=$MY_SECRET$MINE\n"
    secrets = {"MY_SECRET": "12345", "MINE": "hf_abcdefgh123"}
    carried = carried_scenario(ScenarioFile("g.sh", text), environment=secrets)

    assert carried.variables == {"LLMDBENCH_HARNESS_CPU_NR": ""}
    assert carried.remarks == (
        "g.sh:1: LLMDBENCH_HARNESS_CPU_NR refers to MY_SECRET, MINE, which nobody has set",
    )
