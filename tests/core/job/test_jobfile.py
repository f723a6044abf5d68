"""From the text that somebody dropped to a job, or to every mistake in it."""

import pytest

from llmdbenchd.core.job.jobfile import MOST_PROBLEMS, Reading, read_job
from llmdbenchd.core.job.model import JobSpec


def read(text: str, **environment: str) -> Reading:
    return read_job(text.encode(), stem="nightly", environment=environment)


def good(text: str, **environment: str) -> JobSpec:
    reading = read(text, **environment)
    assert reading.problems == ()
    assert reading.spec is not None
    return reading.spec


FIVE = """\
endpoint: ftp://host
models: [a/b]
harness:
  cpus: 4
  wait_timeout: -1
engine: kubernets
workload: sanity_random.yaml
repeat: zero
"""


def test_five_different_mistakes_are_five_findings_in_line_order() -> None:
    found = [(one.line, one.column, one.field) for one in read(FIVE).problems]

    assert found == [
        (1, 11, "endpoint"),
        (4, 3, "harness.cpus"),
        (5, 17, "harness.wait_timeout"),
        (6, 9, "engine"),
        (8, 9, "repeat"),
    ]
    assert read(FIVE).spec is None


def test_a_mistake_comes_with_the_word_that_was_probably_meant() -> None:
    hints = {one.field: one.hint for one in read(FIVE).problems}

    assert hints["harness.cpus"] == 'did you mean "cpu"?'
    assert hints["engine"] == 'did you mean "kubernetes"?'


@pytest.mark.parametrize("text", ["", "{}", "# nothing\n", "---\n", "\ufeff{}", "~"])
def test_a_file_that_says_nothing_is_a_job_of_defaults(text: str) -> None:
    spec = good(text)

    assert spec.model_copy(update={"name": None}) == JobSpec()
    assert spec.name == "nightly"


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("harness: guidellm", "harness.name", "guidellm"),
        ("models: a/b, c/d", "models", ["a/b", "c/d"]),
        ("models: [a/b, c/d]", "models", ["a/b", "c/d"]),
        ("methods: standalone,modelservice", "methods", ["standalone", "modelservice"]),
        ("keywords: one", "keywords", ["one"]),
        ("overrides: min=20,total_count=200", "overrides", {"min": 20, "total_count": 200}),
        ("overrides: {a.b: [1, x]}", "overrides", {"a.b": [1, "x"]}),
        ("overrides: {day: 2026-01-01}", "overrides", {"day": "2026-01-01"}),
        ("overrides: {seed: ~}", "overrides", {"seed": None}),
        ("harness: {cpu: 0.5}", "harness.cpu", "0.5"),
        ("harness: {cpu: 500m}", "harness.cpu", "500m"),
        ("harness: {memory: 34359738368}", "harness.memory", "34359738368"),
        ("harness: {wait_timeout: 0}", "harness.wait_timeout", 0),
        (
            "harness: {env: {A: 010, B: no, C: 1.10}}",
            "harness.env",
            {"A": "010", "B": "no", "C": "1.10"},
        ),
        ("endpoint: HTTPS://h:1/v/", "endpoint", "HTTPS://h:1/v"),
        ("fail_above: 1e-2", "fail_above", 0.01),
        ("not_before: 2026-03-01T08:00:00Z", "not_before", "2026-03-01T08:00:00Z"),
        ("not_before: '2026-03-01T08:00:00+02:00'", "not_before", "2026-03-01T08:00:00+02:00"),
        ("workload: {load: {type: constant}}", "workload", {"load": {"type": "constant"}}),
        ("storage: {class: fast}", "storage.class", "fast"),
        ("dry_run: yes", "dry_run", True),
        ("hf_token: {secret: s}", "hf_token.key", "HF_TOKEN"),
        ('name: "no"', "name", "no"),
        ("version: 1", "version", 1),
        ("id: nightly-1", "id", "nightly-1"),
    ],
)
def test_every_accepted_form_becomes_the_same_kind_of_value(
    text: str, field: str, expected: object
) -> None:
    reading = read(text)

    assert reading.problems == ()
    assert reading.values[field].value == expected
    assert not any(one.origin != "default" for name, one in reading.values.items() if name != field
                   and not name.startswith(("hf_token", "harness")))  # fmt: skip


WRONG = {
    "id: Nightly_1": "1 to 48 of a-z",
    "id: 12": "YAML reads `12` as a number",
    "name: no": "YAML reads `no` as a boolean",
    "name: 1e3": "YAML reads `1e3` as a number",
    "name: 2026-01-01": "YAML reads `2026-01-01` as a date",
    "name:": "has no value",
    "name: ''": "is empty",
    "name: [a]": "wants text",
    "description: {a: b}": "wants text",
    "priority: 101": "wants -100 to 100",
    "priority: yes": "whole number",
    "priority: 1.5": "whole number",
    "not_before: tomorrow": "not an ISO-8601 time",
    "not_before: 2026-03-01": "no time zone",
    "not_before: 2026-03-01T08:00:00": "no time zone",
    "engine: Local": "not `Local`",
    "models: []": "empty list",
    "models: 'a,,b'": "empty name",
    "models: a b": "not a model's name",
    "models: [a, a]": "twice",
    "models: [a, [b]]": "wants text",
    "models: {a: b}": "wants a list",
    "endpoint: localhost:8000": "not an http or https URL",
    "endpoint: http://me:pw@h": "user or a password",
    "endpoint: http://h:99999": "not a URL",
    "endpoint: http://h?x=1": "query",
    "namespace: A_b": "not a namespace's name",
    "harness: [a]": "wants a mapping",
    "harness: ../x": "not a harness's name",
    "harness: {cpu: 32GB}": "not a quantity",
    "harness: {memory: 0Gi}": "more than zero",
    "harness: {parallelism: 0}": "wants 1 to 1000",
    "harness: {wait_timeout: 1:30}": "base of 60",
    "harness: {parallelism: 010}": "octal",
    "harness: {debug: maybe}": "true or false",
    "harness: {env: {A-B: c}}": "not the name of a variable",
    "harness: {env: {HF_TOKEN: x}}": "looks like a credential",
    "harness: {env: {A: [1]}}": "wants text",
    "harness: {tolerations: [x]}": "wants a mapping",
    "harness: {executable: 'image:'}": "names no program",
    "dataset: {url: 's3://b/x'}": "is no URL that a launcher can fetch",
    "workload: 5": "YAML reads `5` as a number",
    "workload: [a]": "wants text",
    "overrides: min": "not of the form key=value",
    "overrides: [a]": "wants a mapping",
    "repeat: 0": "wants 1 to 1000",
    "fail_above: 1.5": "wants 0 to 1",
    "fail_above: .nan": "wants a number",
    "timeouts: 5": "wants a mapping",
    "timeouts: {bind: 0}": "wants 1 to",
    "retry: {attempts: 0}": "wants 1 to 1000",
    "storage: {mode: claims}": "wants one of claim, ephemeral",
    "storage: {class_: x}": "is not a field",
    "endpoint_auth: {secret: s}": "is needed",
    "variables: {LMDBENCH_X: 1}": "not the name of an LLMDBENCH_* variable",
    "variables: {LLMDBENCH_HF_TOKEN: hf_abcdefgh123}": "looks like a credential",
    "submitted_environment: {LLMDBENCH_CLUSTER_TOKEN: x}": "looks like a credential",
    "submitted_environment: {LLMDBENCH_X: hf_abcdefgh123}": "holds what looks like a credential",
    "variables: [a]": "wants a mapping",
    "version: 2": "version 1 only",
    "version: yes": "version 1 only",
    "parallelism: 2": "is not a field",
    "models: a,b\nrepeat: 1000\nmethods: a,b,c,d,e,f": "12000 runs",
}


@pytest.mark.parametrize("text", WRONG)
def test_one_mistake_is_one_finding(text: str) -> None:
    found = read(text).problems

    assert len(found) == 1
    assert WRONG[text] in found[0].message
    assert found[0].line >= 1
    assert found[0].column >= 1


def test_a_finding_about_an_item_points_at_the_item() -> None:
    (found,) = read("models:\n  - a/b\n  - a b\n").problems

    assert (found.line, found.column, found.field) == (3, 5, "models.1")


def test_a_finding_about_a_variable_names_it_and_its_origin() -> None:
    (found,) = read("name: x\nvariables:\n  LLMDBENCH_HARNESS_CPU_NR: many\n").problems

    assert (found.line, found.column, found.field) == (3, 29, "harness.cpu")
    assert found.message.startswith("LLMDBENCH_HARNESS_CPU_NR from the job file's variables: ")


def test_a_finding_about_the_daemons_environment_has_no_line() -> None:
    (found,) = read("", LLMDBENCH_HARNESS_CPU_NR="many").problems

    assert (found.line, found.column, found.field) == (0, 0, "harness.cpu")
    assert "LLMDBENCH_HARNESS_CPU_NR from the daemon's environment" in found.message


def test_what_is_right_keeps_its_value_beside_what_is_wrong() -> None:
    reading = read("repeat: none\nmodels: a/b\nendpoint_auth: {secret: s}\n")

    assert reading.spec is None
    assert reading.best is not None
    assert reading.best.models == ("a/b",)
    assert reading.best.repeat == 1
    assert {"repeat", "endpoint_auth.key"} <= reading.wrong
    assert "repeat" not in reading.values
    assert reading.values["models"].value == ["a/b"]


def test_a_very_long_list_of_mistakes_is_cut_and_says_so() -> None:
    found = read("".join(f"nonsense{n}: 1\n" for n in range(1000))).problems

    assert len(found) == MOST_PROBLEMS + 1
    assert found[-1].message == "900 more mistakes follow"


def test_an_unknown_variable_is_kept_and_noted() -> None:
    reading = read("variables: {LLMDBENCH_HARNESS_NAMES: x}")

    assert reading.spec is not None
    assert reading.spec.variables == {"LLMDBENCH_HARNESS_NAMES": "x"}
    (note,) = reading.notes
    assert note.hint == 'did you mean "LLMDBENCH_HARNESS_NAME"?'
