"""Whatever is dropped: an answer, never a crash."""

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from llmdbenchd.core.job.jobfile import Reading, read_job
from llmdbenchd.core.job.matrix import runs
from llmdbenchd.core.job.problems import show
from llmdbenchd.core.job.variables import BY_FIELD, KNOWN_VARIABLES

SYMBOLS = st.text(alphabet="ab:- \n\t\"'[]{}#&*!|>%@`,?~<=.0123456789éß\u3000", max_size=60)
WORDS = st.sampled_from(["no", "1e3", "0x10", "-.inf", ".nan", "1:30", "2026-01-01", "~", "", "<<"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), SYMBOLS, WORDS, st.just("http://h")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(SYMBOLS | WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)
TOP = sorted({field.partition(".")[0] for field in BY_FIELD})
INNER = sorted({field.rpartition(".")[2] for field in BY_FIELD} | set(KNOWN_VARIABLES))
SECTIONS = st.dictionaries(st.sampled_from(INNER), VALUES, max_size=3)
JOBS = st.dictionaries(st.sampled_from(TOP) | SYMBOLS, VALUES | SECTIONS, max_size=5)


def answered(data: bytes) -> Reading:
    reading = read_job(data, stem="x", environment={})
    assert (reading.spec is None) == bool(reading.problems)
    for problem in reading.problems:
        assert show(problem, reading.text, "x.yaml")
        assert "\n" not in problem.message
    if reading.spec is not None:
        assert runs(reading.spec)
        assert reading.values.keys() == BY_FIELD.keys()
        json.dumps({name: value.value for name, value in reading.values.items()})
    return reading


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    answered(data)


@given(st.lists(SYMBOLS, max_size=4))
def test_anything_that_looks_like_yaml_has_an_answer(lines: list[str]) -> None:
    answered("\n".join(lines).encode())


@settings(max_examples=300)
@given(JOBS)
def test_any_mapping_has_an_answer(job: dict[str, object]) -> None:
    answered(yaml.safe_dump(job, allow_unicode=True).encode())


@given(st.text(max_size=40))
def test_any_text_form_of_overrides_has_an_answer(text: str) -> None:
    answered(yaml.safe_dump({"overrides": text}).encode())
