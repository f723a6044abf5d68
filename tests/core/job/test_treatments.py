"""Treatments: the era's form, today's, and what each run is made of."""

from collections.abc import Mapping

import pytest
import yaml
from pydantic_core import PydanticCustomError

from llmdbenchd.core.job.examination import Examination, examine
from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.scenarios import ScenarioFile
from llmdbenchd.core.job.treatment_files import TreatmentsFile
from llmdbenchd.core.job.treatments import constants_of, read_treatments, treatments_of
from llmdbenchd.core.job.whole import read_whole_job
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from tests.core.test_rare_cases import OneProfile

PROFILE = "# kept\nnum_groups: 1\nsystem_prompt_len: 2  # kept, too\nstages:\n- rate: 3\nm: 4\n"
ERA = """\
setup:
  factors: [LLMDBENCH_VLLM_COMMON_REPLICAS]
  treatments: ["1"]
run:
  constants:
  - m: true
  factors:
  - num_groups
  - system_prompt_len
  levels:
    num_groups: "40,60"
  treatments:
    long one: "40,8000"
    short: 60,1000
"""
TODAY = """\
constants: {m: 5}
treatments:
- name: fast
  stages.0.rate: 30
- name: small
  num_groups: 2
  stages.0.rate: 1
"""


def said(text: str) -> tuple[Mapping[str, object], dict[str, Mapping[str, object]]]:
    document = read_treatments(yaml.safe_load(text))
    assert isinstance(document, Mapping)
    assert read_treatments(document) == document
    return constants_of(document), {one.name: one.changes for one in treatments_of(document)}


def test_the_eras_factors_meet_their_values() -> None:
    assert said(ERA) == (
        {"m": True},
        {
            "long_one": {"num_groups": 40, "system_prompt_len": 8000},
            "short": {"num_groups": 60, "system_prompt_len": 1000},
        },
    )


def test_an_item_without_a_name_is_named_by_its_values_as_in_the_era() -> None:
    text = (
        'run: {factors: [a, b], treatments: ["100,1.5", {my one: "1,x"}, "xREPLACE_COMMAy,a____b"]}'
    )

    assert said(text)[1] == {
        "run_100_1_5": {"a": 100, "b": 1.5},
        "my_one": {"a": 1, "b": "x"},
        "run_xREPLACE_COMMAy_a_b": {"a": "x,y", "b": "a b"},
    }
    assert said("run: {factors: [a], treatments: [500, true, '\"7\"']}")[1] == {
        "run_500": {"a": 500},
        "run_true": {"a": True},
        "run_7": {"a": 7},
    }


def test_todays_form_names_keys_and_paths() -> None:
    assert said(TODAY) == (
        {"m": 5},
        {"fast": {"stages.0.rate": 30}, "small": {"num_groups": 2, "stages.0.rate": 1}},
    )
    assert said("[{a: 1}, {name: x}]")[1] == {"t0": {"a": 1}, "x": {}}
    assert said("run: [{a: 1}, {name: x}]")[1] == {"t0": {"a": 1}, "x": {}}
    assert said("run: {treatments: {x: {a: 1}}, constants: [{key: b, value: 2}]}") == (
        {"b": 2},
        {"x": {"a": 1}},
    )


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("treatmens: []", "treatmens", "is not a field"),
        ("run: {factor: [a]}", "run.factor", "is not a field"),
        ("constants: {a: 1}", "treatments", "are missing"),
        ("run: {factors: [a]}", "run.treatments", "are missing"),
        ("run: {factors: a, treatments: ['1']}", "run.factors", "wants a list"),
        ("run: {factors: [a, b], treatments: ['1']}", "run.treatments.0", "1 values for 2 factors"),
        ("run: {factors: [a], treatments: {x: [1]}}", "run.treatments.x", "as a text"),
        ("run: {factors: [a], treatments: ['*x']}", "run.treatments.0", "alias"),
        ("run: {factors: [a, b], treatments: ['1,']}", "run.treatments.0", "is empty"),
        ("treatments: []", "", "names no treatment"),
        ("[]", "", "names no treatment"),
        ("[{a: 1}, 2]", "1", "wants a mapping"),
        ("treatments: {x: 1}", "treatments.x", "wants a mapping"),
        ("treatments: [x]", "treatments.0", "wants a mapping"),
        ("treatments: [{name: [x]}]", "treatments.0.name", "wants a name"),
        ("treatments: [{name: ++}]", "treatments.0.name", "wants a name"),
        ("treatments: [{name: x, profile: ../y}]", "treatments.0.profile", "name of a profile"),
        ("treatments: [{' ': 1}]", "treatments.0", "an empty key"),
        ("treatments: [{name: a-b}, {name: a.b}]", "treatments.1", "second treatment `a_b`"),
        ("run: {factors: [a], treatments: {'+': 1}}", "run.treatments.+", "has no name"),
        ("constants: 7\ntreatments: [{a: 1}]", "constants.0", "wants a mapping, or a list"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_experiment_is_found_at_its_place(text: str, at: str, message: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        read_treatments(yaml.safe_load(text))

    facts = caught.value.context
    assert facts is not None
    assert message in facts["message"]
    assert ".".join(map(str, facts["at"])) == at


class Files:
    """One treatments file, and no scenarios."""

    def __init__(self, text: str) -> None:
        self._text = text

    def open_scenario(self, name: str) -> ScenarioFile:
        return ScenarioFile(name, "")

    def open_treatments(self, name: str) -> TreatmentsFile:
        if name == "missing":
            raise WorkloadError([WorkloadProblem(name, 0, name, "cannot be read", "look again")])
        return TreatmentsFile(name, self._text)


def read(text: str, file: str = ERA) -> Reading:
    job = f"endpoint: http://h\nmodels: m\n{text}".encode()
    return read_whole_job(job, stem="j", environment={}, files=Files(file))


def examined(text: str, file: str = ERA, profile: str = PROFILE) -> Examination:
    shelf = OneProfile(profile)
    return examine(read(text, file), engine="local", shelf=shelf, read_path=str)


def test_each_treatment_is_a_run_with_its_own_workload() -> None:
    outlines = examined("treatments: t.yaml\nrepeat: 2\n").outlines

    assert [(one.cell.run, one.cell.treatment, one.cell.repetition) for one in outlines] == [
        ("r001", "long_one", 1),
        ("r002", "long_one", 2),
        ("r003", "short", 1),
        ("r004", "short", 2),
    ]
    assert outlines[0].workload == PROFILE.replace("groups: 1", "groups: 40").replace(
        "len: 2", "len: 8000"
    ).replace("m: 4", "m: true")
    assert [one.workload_file for one in outlines[1:3]] == [
        "sanity_random_treatment_long_one.yaml",
        "sanity_random_treatment_short.yaml",
    ]


def test_a_runs_results_folder_tells_its_treatment() -> None:
    [plan] = examined("treatments: t.yaml\n").outlines[1].launchers

    _, experiment, stack, index = plan.results_folder.split("_")
    assert experiment.split("-")[2] == "short"
    assert (stack, index) == ("endpoint-m-base", "1")
    assert plan.env["LLMDBENCH_RUN_EXPERIMENT_ID"] == experiment


def test_an_experiment_may_stand_in_the_job_itself() -> None:
    inline = "treatments:\n" + "".join(f"  {line}\n" for line in TODAY.splitlines())
    outlines = examined(inline).outlines

    assert [one.cell.treatment for one in outlines] == ["fast", "small"]
    assert "rate: 30\nm: 5\n" in outlines[0].workload
    assert "num_groups: 2\n" in outlines[1].workload


def test_the_jobs_overrides_come_last_as_in_the_field_path_or_not() -> None:
    found = examined("treatments: t.yaml\noverrides: {rate: 9}\n", TODAY)

    assert ["rate: 9" in one.workload for one in found.outlines] == [True, True]


def test_treatments_that_make_the_same_workload_deserve_a_look() -> None:
    file = "treatments: [{name: a, m: 1}, {name: b, m: 2}, {name: c, num_groups: 7}]"
    [warning] = examined(
        "models: [m, n]\ntreatments: t\noverrides: m=9\n".replace("models: [m, n]\n", ""), file
    ).warnings

    assert (warning.field, warning.message) == ("treatments", "a and b make the same workload")


def test_the_record_keeps_the_experiment_and_the_name_that_was_asked_for() -> None:
    reading = read("treatments: t.yaml\n")

    assert reading.spec is not None
    assert [one.name for one in reading.spec.experiment] == ["long_one", "short"]
    assert reading.values["treatments"].value == "t.yaml"


def test_what_an_experiment_asks_of_others_is_said_and_not_done() -> None:
    inline = "treatments: {treatment_stop_on_error: true, treatments: [{m: 1}]}\n"

    assert [(one.line, one.field, one.message) for one in read("treatments: t.yaml").notes] == [
        (3, "treatments.setup", "t.yaml:1: is a matter of stand-up: this daemon only runs")
    ]
    [note] = read(inline).notes
    assert (note.field, note.line) == ("treatments.treatment_stop_on_error", 3)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("run: {factors: [a]}", "t.yaml:1: run.treatments are missing"),
        ("\n\nruns: 1\n", "t.yaml:3: runs is not a field of an experiment"),
        ("treatments:\n- {name: a}\n- {name: a}\n", "t.yaml:3: treatments.1 is the second"),
        ("treatments: [\n", "t.yaml:2: "),
        ("treatments: [&a x]\n", "t.yaml:1: uses an anchor"),
        ("just text\n", "t.yaml:1: the file is a text, not a mapping"),
        ("", "t.yaml:1: the file wants text"),
    ],
)
def test_a_mistake_in_a_treatments_file_is_told_with_its_line_there(
    file: str, message: str
) -> None:
    [problem] = read("treatments: t.yaml\n", file).problems

    assert (problem.line, problem.field) == (3, "treatments")
    assert problem.message.startswith(message)


def test_a_treatments_file_that_is_not_there_is_a_mistake_of_the_job() -> None:
    [problem] = read("treatments: missing\n").problems

    assert (problem.message, problem.hint) == ("missing cannot be read", "look again")


def test_a_matrix_that_is_too_large_is_refused_before_anything_is_made() -> None:
    many = "treatments: [" + ",".join(f"{{name: n{n}}}" for n in range(21)) + "]"

    [problem] = read("repeat: 500\ntreatments: t.yaml\n", many).problems
    assert "10500 runs; at most 10000" in problem.message
    [problem] = read(f"repeat: 500\n{many}\n").problems
    assert "10500 runs; at most 10000" in problem.message


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("treatments: [{name: a, mm: 1}]", "treatment a: mm is not a key of this profile"),
        ("constants: {mm: 1}\ntreatments: [{name: a}]", "constants: mm is not a key"),
        ("treatments: [{name: a, m.x: 1}]", "treatment a: m.x leads nowhere"),
    ],
)
def test_a_treatment_that_changes_nothing_is_refused_by_its_name(file: str, message: str) -> None:
    [problem] = examined("treatments: t.yaml\n", file).problems

    assert (problem.line, problem.field) == (3, "treatments")
    assert message in problem.message


def test_mistakes_of_all_layers_and_tokens_are_told_at_once() -> None:
    profile = PROFILE + "t: REPLACE_ENV_LLMDBENCH_NO\n"
    file = "treatments: [{name: a, mm: 1}, {name: b, nn: 1}]"
    found = examined("treatments: t.yaml\noverrides: {oo: 1}\n", file, profile).problems

    assert [one.field for one in found] == ["workload", "treatments", "treatments", "overrides.oo"]


def test_a_treatment_may_name_its_own_profile() -> None:
    file = "treatments: [{name: a, profile: sanity_random}, {name: b, profile: other}]"

    [problem] = examined("treatments: t.yaml\n", file).problems
    assert (problem.field, "other" in problem.message) == ("treatments", True)
    good = file.replace("other", "sanity_random.yaml").replace("b, p", "b, m: 9, p")
    assert len(examined("treatments: t.yaml\n", good).outlines) == 2


def test_an_experiment_that_cannot_be_read_hides_no_other_mistake() -> None:
    found = examined("treatments: {x: 1}\noverrides: {oo: 1}\nrepeat: no\n").problems

    assert [one.field for one in found] == ["treatments.x", "repeat"]
