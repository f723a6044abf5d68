"""The JSON Schema that editors are given."""

import json

from llmdbenchd.core.job.schema import job_schema
from llmdbenchd.core.job.variables import FIELDS

SCHEMA = json.loads(json.dumps(job_schema()))


def objects(part: object) -> list[dict[str, object]]:
    inner = (
        list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []
    )
    own = [part] if isinstance(part, dict) and "properties" in part else []
    return own + [found for one in inner for found in objects(one)]


def test_it_is_of_the_draft_that_it_names() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert not {"ge", "le", "nullable"} & set(json.dumps(SCHEMA).split('"'))


def test_every_section_refuses_unknown_keys() -> None:
    sections = objects(SCHEMA)

    assert len(sections) == 9
    assert all(one["additionalProperties"] is False for one in sections)


def test_every_field_is_described_in_the_tables_words() -> None:
    text = json.dumps(SCHEMA, ensure_ascii=False)

    for row in FIELDS:
        assert json.dumps(row.meaning[1:], ensure_ascii=False)[1:-1] in text
        assert all(name in text for name in (*row.variables, *row.flags))


def test_every_reference_leads_somewhere() -> None:
    for piece in json.dumps(SCHEMA).split('"$ref": "')[1:]:
        name = piece.partition('"')[0]
        assert name.removeprefix("#/$defs/") in SCHEMA["$defs"]


def test_short_forms_are_known() -> None:
    properties = SCHEMA["properties"]

    for field in ("harness", "models", "methods", "keywords", "overrides", "workload"):
        assert {"type": "string"} in properties[field]["anyOf"]


def test_ranges_and_choices_are_known() -> None:
    properties = SCHEMA["properties"]

    assert properties["engine"]["enum"] == ["auto", "kubernetes", "local"]
    assert (properties["priority"]["minimum"], properties["priority"]["maximum"]) == (-100, 100)
    assert properties["version"]["const"] == 1


def test_no_field_may_be_null_as_in_the_daemon() -> None:
    assert "null" not in json.dumps(SCHEMA).split('"')
