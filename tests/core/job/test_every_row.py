"""Every row of the table is there, and changes what a job does or what is said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from llmdbenchd.core.job.accepted import AcceptedJob
from llmdbenchd.core.job.completion import completed
from llmdbenchd.core.job.examination import examine
from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.job.row import Row
from llmdbenchd.core.job.scenarios import ScenarioFile
from llmdbenchd.core.job.support import resolve_engine
from llmdbenchd.core.job.treatment_files import TreatmentsFile
from llmdbenchd.core.job.variables import BY_FIELD, FIELDS, TABLE
from llmdbenchd.core.job.variables_without_field import WITHOUT_FIELD
from llmdbenchd.core.job.whole import read_whole_job
from llmdbenchd.core.job.workloads import find
from tests.core.job.facts import CODE_VARIABLES, CONTRACT_FIELDS, FLAGS, SEED_VARIABLES

BASE = "endpoint: http://h:8000\n"
TEXT = "min: 1\n{}: 2\nload: {{stages: [{{rate: 1, duration: 300}}]}}\n"


class Profile:
    """A profile that tells its name."""

    def __init__(self, name: str) -> None:
        self.path = f"{name}.yaml.in"
        self.text = TEXT.format(name)


class Shelf:
    """The same profiles for every harness."""

    def harnesses(self) -> Sequence[str]:
        return ["guidellm", "inference-perf"]

    def names(self, harness: str) -> Sequence[str]:
        return ["sanity_random", "other", "some-text"] if harness else []

    def read(self, harness: str, name: str) -> Profile:
        assert harness
        return Profile(name)


class Files:
    """A scenario and an experiment, whatever they are called."""

    def open_scenario(self, name: str) -> ScenarioFile:
        return ScenarioFile(name, "export LLMDBENCH_HARNESS_CPU_NR=3\n")

    def open_treatments(self, name: str) -> TreatmentsFile:
        return TreatmentsFile(name, "treatments: [{name: a, min: 2}]\n")


def told(text: str, environment: Mapping[str, str] | None = None) -> dict[str, object]:
    """All that is said of a job beside the echo of its values, and how patient it makes us."""
    reading = read_whole_job(text.encode(), stem="x", environment=environment or {}, files=Files())
    best = reading.best
    assert best is not None
    engine = resolve_engine(best.engine, cluster_configured=True)[0]
    reading = completed(reading, engine=engine, image="given:v1", namespace=None)
    answer = examine(reading, engine=engine, shelf=Shelf(), read_path=lambda path: f"a: {path}\n")
    found: dict[str, object] = {"engine": engine, **asdict(answer)}
    if reading.spec is not None:
        job = AcceptedJob(
            job=reading.spec.id or "x",
            owner="o",
            submitted=datetime(2026, 1, 1, tzinfo=UTC),
            engine=engine,
            spec=reading.spec,
            values=reading.values,
            source=find(reading.spec, Shelf(), lambda path: f"a: {path}\n"),
        )
        found |= {"limits": job.limits, "place": job.place}
    return found


ANOTHER = {
    "id": "mine",
    "name": "mine",
    "description": "why",
    "keywords": "[a]",
    "engine": "local",
    "scenario": "mine.sh",
    "models": "a/b",
    "methods": "standalone",
    "endpoint": "http://other:1",
    "harness.name": "guidellm",
    "workload": "other",
    "overrides": "min=2",
    "treatments": "mine.yaml",
    "fail_above": "0.5",
    "storage.access": "ReadWriteOnce",
    "storage.mode": "ephemeral",
    "storage.class": "fast",
    "harness.executable": "sleep",
    "harness.image": "other:v2",
    "harness.env_to_pod": "LLMDBENCH_SOME",
    "harness.node_selector": "{a: b}",
    "harness.tolerations": "[{key: a}]",
    "harness.env": "{A: b}",
    "nop.logging_level": "DEBUG",
    "endpoint_auth.secret": "s, key: k",
    "endpoint_auth.key": "k, secret: s",
    "variables": "{LLMDBENCH_HARNESS_NAME: guidellm}",
    "submitted_environment": "{LLMDBENCH_HARNESS_NAME: guidellm}",
    "version": "2",
}
BY_TYPE = {
    "number": "3", "seconds": "33", "quantity": "3", "yes or no": "true", "text": "some-text",
    "URL": "http://h/x.json", "list": "[a]",
}  # fmt: skip
ECHOED = {  # nothing of it is seen before the run: what reads it is tested where that happens
    "priority": "the record: admission",
    "not_before": "the record: admission",
    "stop_on_error": "the job's other runs",
    "share_target": "admission",
    "analyze_locally": "what is made of the results when they are home",
}


def with_field(field: str) -> str:
    value = ANOTHER.get(field) or BY_TYPE.get(BY_FIELD[field].type, "2026-01-01T00:00:00Z")
    section, dot, name = field.partition(".")
    line = f"{section}: {{{name}: {value}}}\n" if dot else f"{field}: {value}\n"
    more = "submitted_environment: {LLMDBENCH_SOME_X: '1'}\n" if "to_pod" in field else ""
    return (BASE if field not in {"endpoint", "methods"} else "") + line + more


@pytest.mark.parametrize("field", sorted(BY_FIELD.keys() - ECHOED.keys()))
def test_every_field_changes_what_a_job_does_or_what_is_said_of_it(field: str) -> None:
    more = "submitted_environment: {LLMDBENCH_SOME_X: '1'}\n" if "to_pod" in field else ""
    without = "" if field in {"endpoint", "methods"} else BASE

    assert told(with_field(field)) != told(without + more)


@pytest.mark.parametrize("field", sorted(BY_FIELD.keys() - ECHOED.keys()))
def test_no_field_is_refused_because_it_does_nothing_yet(field: str) -> None:
    problems = told(with_field(field))["problems"]
    assert isinstance(problems, Sequence)

    assert not [one for one in problems if "not yet supported" in one["message"]]


@pytest.mark.parametrize("field", sorted(BY_FIELD))
def test_every_field_is_echoed_with_its_origin(field: str) -> None:
    reading = read_job(with_field(field).encode(), stem="x", environment={})

    if field == "version":  # there is one
        assert [one.field for one in reading.problems] == ["version"]
        return
    assert reading.problems == ()
    assert reading.values[field].origin == "job file"
    assert ECHOED.keys() <= BY_FIELD.keys()


def in_variables(name: str, value: str = "marked") -> str:
    return f"{BASE}variables: {{{name}: {value}}}\n"


@pytest.mark.parametrize(
    ("row", "name"),
    [(row, name) for row in WITHOUT_FIELD for name in row.variables],
    ids=lambda one: one.type if isinstance(one, Row) else one,
)
def test_every_variable_without_a_field_does_what_its_row_says(row: Row, name: str) -> None:
    asked = f"{in_variables(name)}harness: {{env_to_pod: {name}}}\n"
    found = told(asked)
    match row.type:
        case "credential":
            assert "looks like a credential" in str(found["problems"])
        case "kept":
            assert found["problems"] == ()
            assert f"'{name}': 'marked'" in str(found["outlines"])
        case _:
            assert "has no effect" in str(found["warnings"])
            assert "marked" not in str(found["outlines"])


def missed_in(table: Sequence[Row]) -> set[str]:
    """What somebody may rely on and this table does not have."""
    there = {name for row in table for name in (row.field, *row.variables, *row.flags)}
    return {*CONTRACT_FIELDS, *SEED_VARIABLES, *CODE_VARIABLES, *FLAGS} - there


def test_no_row_was_taken_out_of_the_table() -> None:
    assert missed_in(TABLE) == set()
    assert {row.field for row in FIELDS} == set(CONTRACT_FIELDS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.field or row.variables[0])
def test_whichever_row_is_taken_out_of_the_table_it_is_missed(row: Row) -> None:
    names = {row.field, *row.variables, *row.flags} - {""}

    assert missed_in([one for one in TABLE if one is not row]) & names


@pytest.mark.parametrize("names", [SEED_VARIABLES, CODE_VARIABLES, CONTRACT_FIELDS, FLAGS])
def test_no_fact_is_told_twice(names: list[str]) -> None:
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.field or row.variables[0])
def test_the_era_of_a_row_is_that_of_its_oldest_name(row: Row) -> None:
    seed, code = set(SEED_VARIABLES), set(CODE_VARIABLES)
    if seed & set(row.variables):
        assert row.era == "seed"
    elif row.era == "code":
        assert set(row.variables) & code or row.variables[0].startswith("LLMDBENCH_")
    else:
        assert row.era in {"later", "ours"}
