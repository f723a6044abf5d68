"""The job file's JSON Schema for editors: shapes from the models, words from the table."""

from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.row import Row
from llmdbenchd.core.job.variables import FIELDS

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def job_schema() -> dict[str, object]:
    """The schema, draft 2020-12, with a description for every field."""
    made = JobSpec.model_json_schema(by_alias=True, mode="validation")
    for row in FIELDS:
        described = _property(made, row.field.split("."))
        described["description"] = _description(row)
        described.pop("title", None)
    made["title"] = "llmdbenchd job file"
    made["description"] = "Every field is optional; an empty file is a job of defaults."
    return {"$schema": _DIALECT, **_mapping(_without_null(made))}


def _property(schema: dict[str, object], path: list[str]) -> dict[str, object]:
    """The part of the schema that describes a field."""
    part = schema
    for key in path:
        part = _mapping(_mapping(_resolved(part, schema)["properties"])[key])
    return part


def _resolved(part: dict[str, object], schema: dict[str, object]) -> dict[str, object]:
    """The object schema behind a reference, or among alternatives (a short form, null)."""
    if "$ref" in part:
        name = str(part["$ref"]).rpartition("/")[2]
        return _mapping(_mapping(schema["$defs"])[name])
    if "properties" in part:
        return part
    alternatives = part["anyOf"]
    if not isinstance(alternatives, list):
        raise TypeError("an alternative without its list")
    choices = [_resolved(one, schema) for one in alternatives if one.keys() & {"$ref", "anyOf"}]
    return choices[0]


def _without_null(part: object) -> object:
    """The schema without null: an empty value is a mistake in a job file."""
    if isinstance(part, list):
        return [_without_null(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("default", "") is None:
        part = {key: value for key, value in part.items() if key != "default"}
    alternatives = part.get("anyOf")
    if isinstance(alternatives, list) and {"type": "null"} in alternatives:
        left = [one for one in alternatives if one != {"type": "null"}]
        rest = {key: value for key, value in part.items() if key != "anyOf"}
        part = {**left[0], **rest} if len(left) == 1 else {**rest, "anyOf": left}
    return {key: _without_null(value) for key, value in part.items()}


def _mapping(part: object) -> dict[str, object]:
    if not isinstance(part, dict):
        raise TypeError("the schema has another shape than the table expects")
    return part


def _description(row: Row) -> str:
    names = ", ".join((*row.variables, *row.flags))
    also = f" Also {names}." if names else ""
    return f"{row.meaning[:1].upper()}{row.meaning[1:]}. Default: {row.default}.{also}"
