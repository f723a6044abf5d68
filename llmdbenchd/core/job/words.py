"""The kinds of text with a spelling of their own: names, URLs, quantities, variables."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from llmdbenchd.core.job.credentials import holds_a_credential, names_a_credential
from llmdbenchd.core.job.kinds import parts, spelled, text
from llmdbenchd.core.job.mistakes import mistake
from llmdbenchd.core.job.names import slug
from llmdbenchd.core.job.problems import did_you_mean, quoted
from llmdbenchd.core.job.variables import KNOWN_VARIABLES

JOB_ID = r"[a-z0-9]([-a-z0-9]{0,46}[a-z0-9])?"
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_OBJECT = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_MODEL = r"[A-Za-z0-9./_][A-Za-z0-9._/:@+-]{0,254}"
_POD_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_VARIABLE = r"LLMDBENCH_[A-Z0-9_]+"
_QUANTITY = r"(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,2}|[numkMGTPE]|[KMGTPE]i)?"
_SECRETS = "name a secret by `hf_token` or `endpoint_auth`; a job file holds no credentials"


def quantity(value: object) -> str:
    """A Kubernetes quantity greater than zero; a bare number is one, too."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:.9f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    word = text(value)
    if re.fullmatch(_QUANTITY, word) is None:
        better = re.sub(r"(?i)^(\d+)\s*([kmgtpe])i?b?$", _binary_unit, word)
        hint = f"did you mean {better}?" if better != word else "write 16, 500m or 32Gi"
        raise mistake(f"{quoted(word)} is not a quantity", hint)
    if not re.search(r"[1-9]", re.split(r"[eE]", word)[0]):
        raise mistake("wants more than zero")
    return word


def endpoint(value: object) -> str:
    """The base URL of a model server, without a slash at its end."""
    word = text(value).strip()
    try:
        url = urlsplit(word)
        port = url.port
    except ValueError:
        raise mistake("is not a URL", "write http://HOST:PORT") from None
    if url.scheme not in {"http", "https"} or not url.hostname or re.search(r"\s", word):
        raise mistake("is not an http or https URL", "write http://HOST:PORT")
    if port == 0:
        raise mistake("has the port 0", "write http://HOST:PORT")
    if url.username is not None or url.password is not None:
        raise mistake("holds a user or a password", "name a secret by `endpoint_auth`")
    if url.query or url.fragment:
        raise mistake("has a query or a fragment", "write the base URL only: http://HOST:PORT")
    return word.rstrip("/")


def _binary_unit(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2].upper()}i"


def _check(pattern: str, what: str, example: str = "") -> BeforeValidator:
    def check(word: str) -> None:
        if re.fullmatch(pattern, word) is None:
            raise mistake(f"{quoted(word)} is not {what}", example and f"for example {example}")

    return spelled(check)


def _check_id(word: str) -> None:
    if re.fullmatch(JOB_ID, word) is None:
        rule = "1 to 48 of a-z, 0-9 and -, with a letter or digit at both ends"
        raise mistake(f"wants {rule}", f'did you mean "{slug(word, 48)}"?')


def _check_version(word: object) -> object:
    if word == 1 and not isinstance(word, bool):
        return 1
    raise mistake("this daemon reads version 1 only", "write version: 1, or remove the line")


def _check_variable(word: str) -> None:
    if names_a_credential(word):
        raise mistake("looks like a credential", _SECRETS)
    if re.fullmatch(_VARIABLE, word) is None:
        hint = did_you_mean(word, KNOWN_VARIABLES)
        raise mistake("is not the name of an LLMDBENCH_* variable", hint)


def _check_pod_variable(word: str) -> None:
    if names_a_credential(word):
        raise mistake("looks like a credential", _SECRETS)
    if re.fullmatch(_POD_VARIABLE, word) is None:
        raise mistake("is not the name of a variable", "letters, digits and _")


def scenario(value: object) -> str | dict[str, str]:
    """The name of a scenario file, or its variables by their names."""
    if not isinstance(value, dict):
        return text(value)
    for name, one in value.items():
        try:
            _check_pod_variable(name)
            _variable_value(one)
        except PydanticCustomError as error:
            facts = error.context or {}
            raise mistake(facts["message"], facts["hint"], at=(name,)) from None
    return value


def _variable_value(value: object) -> str:
    """A variable's value as text; empty is allowed, a credential is not."""
    if not isinstance(value, str):
        raise mistake("wants text")
    if "\0" in value:
        raise mistake("holds a NUL character")
    if holds_a_credential(value):
        raise mistake("holds what looks like a credential", _SECRETS)
    return value


_LIST = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
)
_VALUE_SCHEMA = WithJsonSchema({"type": ["string", "number", "boolean"]})

JobId = Annotated[str, Field(pattern=f"^{JOB_ID}$"), spelled(_check_id)]
Version = Annotated[int, BeforeValidator(_check_version), WithJsonSchema({"const": 1})]
Namespace = Annotated[str, _check(_LABEL, "a namespace's name", "llmdbench")]
ObjectName = Annotated[str, _check(_OBJECT, "the name of a Kubernetes object", "workload-pvc")]
HarnessName = Annotated[str, _check(_LABEL, "a harness's name", "inference-perf")]
ModelName = Annotated[str, _check(_MODEL, "a model's name", "meta-llama/Llama-3.2-1B-Instruct")]
ModelNames = Annotated[tuple[ModelName, ...], BeforeValidator(parts), _LIST]
MethodName = Annotated[str, _check(_OBJECT, "a method", "modelservice")]
MethodNames = Annotated[tuple[MethodName, ...], BeforeValidator(parts), _LIST]
ObjectNames = Annotated[tuple[ObjectName, ...], BeforeValidator(parts), _LIST]
Prefix = Annotated[
    str, _check(_POD_VARIABLE, "the beginning of a variable's name", "LLMDBENCH_RUN")
]
Prefixes = Annotated[tuple[Prefix, ...], BeforeValidator(parts), _LIST]
Image = Annotated[str, _check(r"[A-Za-z0-9][\w.:/@-]*", "an image reference")]
Quantity = Annotated[str, BeforeValidator(quantity), WithJsonSchema({"type": ["string", "number"]})]
Endpoint = Annotated[
    str, BeforeValidator(endpoint), WithJsonSchema({"type": "string", "format": "uri"})
]
VariableName = Annotated[str, spelled(_check_variable)]
VariableValue = Annotated[str, BeforeValidator(_variable_value), _VALUE_SCHEMA]
Scenario = Annotated[
    str | dict[str, str],
    BeforeValidator(scenario),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": {"type": ["string", "number", "boolean"]},
                },
            ]
        }
    ),
]
PodVariableName = Annotated[str, spelled(_check_pod_variable)]
