"""The one table: every field, every variable, and nothing else."""

import typing

import pytest
from pydantic import BaseModel

from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.parts import Section
from llmdbenchd.core.job.row import Row
from llmdbenchd.core.job.variables import BY_FIELD, FIELDS, KNOWN_VARIABLES, TABLE, row_of
from llmdbenchd.core.job.variables_without_field import WITHOUT_FIELD


def section_of(annotation: object) -> type[Section] | None:
    options = [annotation, *typing.get_args(annotation)]
    return next(
        (one for one in options if isinstance(one, type) and issubclass(one, Section)), None
    )


def leaves(model: type[BaseModel], before: str = "") -> set[str]:
    found: set[str] = set()
    for name, info in model.model_fields.items():
        path = f"{before}{info.alias or name}"
        section = section_of(info.annotation)
        found |= leaves(section, f"{path}.") if section else {path}
    return found


def test_every_field_of_the_model_has_a_row_and_every_row_a_field() -> None:
    assert leaves(JobSpec) == set(BY_FIELD)
    assert len(BY_FIELD) == len(FIELDS)


def test_no_variable_means_two_things() -> None:
    assert sorted(KNOWN_VARIABLES) == sorted(set(KNOWN_VARIABLES))


def test_no_flag_means_two_things() -> None:
    flags = [(flag, row.part) for row in TABLE for flag in row.flags]

    assert sorted(flags) == sorted(set(flags))


def test_a_row_without_a_field_says_what_becomes_of_its_variable() -> None:
    assert {row.type for row in WITHOUT_FIELD} == {"derived", "setting", "kept", "credential"}
    assert not any(row.field for row in WITHOUT_FIELD)


TEXTS = {
    "number": "7",
    "seconds": "77",
    "yes or no": "1",
    "quantity": "3",
    "list": "LLMDBENCH_A,LLMDBENCH_B",
    "mapping or text": "min=20,max=30",
    "text or mapping": "other.yaml",
    "URL": "http://h/x",
    "text": "some-text",
}
WORDS = {"storage.access": "ReadWriteOnce", "nop.logging_level": "DEBUG"}
LISTS = {"models": "a/b,c/d", "methods": "standalone,other", "harness.env_to_pod": "A,B"}


@pytest.mark.parametrize(
    ("row", "variable"),
    [(row, variable) for row in FIELDS for variable in row.variables],
    ids=lambda one: one.field if isinstance(one, Row) else one,
)
def test_every_variable_reaches_its_field(row: Row, variable: str) -> None:
    text = WORDS.get(row.field) or LISTS.get(row.field) or TEXTS[row.type]
    reading = read_job(b"", stem="x", environment={variable: text})

    assert reading.problems == ()
    value = reading.values[row.field]
    assert (value.origin, value.variable) == ("daemon environment", variable)
    default = read_job(b"", stem="x", environment={}).values[row.field]
    assert value.value != default.value


@pytest.mark.parametrize("field", sorted(BY_FIELD))
def test_every_field_is_explained(field: str) -> None:
    reading = read_job(b"", stem="x", environment={})

    assert reading.values[field].origin == "default"
    assert BY_FIELD[field].meaning


def shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, list) else str(value)


def test_the_tables_defaults_are_the_models() -> None:
    values = read_job(b"", stem="x", environment={}).values
    in_words = {name for name, one in values.items() if one.value in (None, [], {})} | {"name"}
    expected = {name: shown(one.value) for name, one in values.items() if name not in in_words}

    assert {row.field: row.default for row in FIELDS if row.field not in in_words} == expected


def test_a_place_inside_of_a_field_belongs_to_its_row() -> None:
    assert row_of(("overrides", "min")) is BY_FIELD["overrides"]
    assert row_of(("harness",)) is None
