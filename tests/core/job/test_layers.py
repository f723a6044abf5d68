"""Which value is in force, and where it came from."""

import pytest

from llmdbenchd.core.job.jobfile import Reading, read_job
from llmdbenchd.core.job.layers import Layer

CPU = "LLMDBENCH_HARNESS_CPU_NR"
FIELD = "harness.cpu"


def read(text: str = "", *, environment: str = "", scenario: str = "") -> Reading:
    return read_job(
        text.encode(),
        stem="x",
        environment={CPU: environment} if environment else {},
        scenario=Layer("scenario", {CPU: scenario}) if scenario else None,
    )


NAMED = "harness: {cpu: 1}\n"
VARIABLES = f"variables: {{{CPU}: 2}}\n"
SUBMITTED = f"submitted_environment: {{{CPU}: 4}}\n"


@pytest.mark.parametrize(
    ("text", "scenario", "environment", "value", "origin"),
    [
        (NAMED + VARIABLES + SUBMITTED, "3", "5", "1", "job file"),
        (VARIABLES + SUBMITTED, "3", "5", "2", "variables"),
        (SUBMITTED, "3", "5", "3", "scenario"),
        (SUBMITTED, "", "5", "4", "submitted environment"),
        ("", "", "5", "5", "daemon environment"),
        ("", "", "", "16", "default"),
    ],
)
def test_the_nearer_to_the_job_the_stronger(
    text: str, scenario: str, environment: str, value: str, origin: str
) -> None:
    found = read(text, scenario=scenario, environment=environment).values[FIELD]

    assert (found.value, found.origin) == (value, origin)


def test_an_empty_variable_counts_as_not_given() -> None:
    found = read(f"variables: {{{CPU}: ''}}", environment="5").values[FIELD]

    assert (found.value, found.origin) == ("5", "daemon environment")


def test_a_wrong_value_that_is_not_in_force_is_no_mistake() -> None:
    assert read(NAMED, environment="nonsense").problems == ()


def test_a_named_field_that_cannot_be_read_is_not_replaced_by_a_variable() -> None:
    reading = read("harness: {cpu: }", environment="5")

    assert [one.message for one in reading.problems] == ["has no value"]


def test_the_short_form_of_the_harness_leaves_room_for_variables() -> None:
    reading = read("harness: guidellm", environment="5")

    assert reading.problems == ()
    assert reading.values[FIELD].value == "5"
    assert reading.values["harness.name"].value == "guidellm"


def test_an_image_is_put_together_from_its_variables_wherever_they_stand() -> None:
    reading = read_job(
        b"variables: {LLMDBENCH_IMAGE_TAG: v1}",
        stem="x",
        environment={"LLMDBENCH_IMAGE_REGISTRY": "r.example", "LLMDBENCH_IMAGE_TAG": "v0"},
    )

    image = reading.values["harness.image"]
    assert image.value == "r.example/llm-d/llm-d-benchmark:v1"
    assert (image.origin, image.variable) == ("variables", "LLMDBENCH_IMAGE_TAG")


def test_credentials_of_the_daemons_environment_are_never_read() -> None:
    reading = read_job(b"", stem="x", environment={"LLMDBENCH_HF_TOKEN": "hf_abcdefgh123"})

    assert reading.problems == ()
    assert "hf_abcdefgh123" not in repr(reading)


def test_a_value_knows_where_it_stands() -> None:
    reading = read(f"name: x\nvariables:\n  {CPU}: 2\n")
    value = reading.values[FIELD]

    assert (value.line, value.column, value.variable) == (3, 29, CPU)
    assert reading.mark("harness", "cpu").line == 3
    assert reading.mark("name").column == 7
