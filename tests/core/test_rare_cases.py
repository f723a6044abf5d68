"""Rare cases of reading a job, each of which somebody's file will have one day."""

import json

import pytest

from llmdbenchd.core.job import schema
from llmdbenchd.core.job.accepted import decoded, encoded
from llmdbenchd.core.job.examination import Examination, examine
from llmdbenchd.core.job.jobfile import read_job
from llmdbenchd.core.job.nodes import compose
from llmdbenchd.core.job.problems import did_you_mean
from llmdbenchd.core.job.scalars import read_word
from llmdbenchd.core.job.workloads import Profile, Shelf, Source, find
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from llmdbenchd.core.workload.source import Source as ProfileText
from llmdbenchd.core.workload.tokens import _open_quote, _prove
from tests.fakes.jobs import accepted

STAGES = "load: {stages: [{duration: 5000}, {duration: 60}, {rate: 1}, 7]}\n"


class Page:
    """One profile."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.path = "profiles/inference-perf/sanity_random.yaml"


class OneProfile:
    """A shelf with one profile for inference-perf and nothing else."""

    def __init__(self, text: str = "a: 1\n") -> None:
        self._page = Page(text)

    def harnesses(self) -> list[str]:
        return ["inference-perf"]

    def names(self, harness: str) -> list[str]:
        if harness != "inference-perf":
            raise WorkloadError([WorkloadProblem("profiles", 0, harness, "is no harness")])
        return ["sanity_random.yaml"]

    def read(self, harness: str, name: str) -> Profile:
        assert harness
        assert name
        return self._page


def examined(text: str, shelf: Shelf | None = None) -> Examination:
    reading = read_job(f"endpoint: http://h\nmodels: m\n{text}".encode(), stem="j", environment={})
    return examine(reading, engine="local", shelf=shelf or OneProfile(), read_path=str)


def fields(examination: Examination) -> list[str]:
    return [one.field for one in examination.problems]


def test_a_job_of_a_newer_daemon_is_not_guessed_at() -> None:
    document = json.loads(encoded(accepted())) | {"version": 99}

    with pytest.raises(ValueError, match="version 99"):
        decoded(json.dumps(document).encode())


def test_a_text_that_is_no_yaml_is_one_problem() -> None:
    found = examined("models: [\n")

    assert found.problems
    assert found.outlines == ()


def test_a_wrong_harness_is_one_problem_and_not_two() -> None:
    assert fields(examined("harness: {name: [1]}\n")) == ["harness.name"]
    assert fields(examined("harness: dance\n")) == ["harness.name"]


def test_a_wrong_override_and_a_token_without_value_are_told_together() -> None:
    shelf = OneProfile("a: 1\nb: REPLACE_ENV_LLMDBENCH_NOT_THERE\n")

    assert sorted(fields(examined("overrides: {c: 2}\n", shelf))) == ["overrides.c", "workload"]


def test_a_load_that_lasts_longer_than_the_launchers_may_is_a_warning() -> None:
    found = examined("", OneProfile(STAGES))
    assert [(one.field, one.line) for one in found.warnings] == [("harness.wait_timeout", 1)]

    longer = examined("harness: {wait_timeout: 6000}\n", OneProfile(STAGES))
    left = examined("harness: {wait_timeout: 0}\n", OneProfile(STAGES))
    short = examined("harness: {wait_timeout: 60}\n", OneProfile(STAGES))
    assert (longer.warnings, left.warnings) == ((), ())
    assert [one.line for one in short.warnings] == [3]


@pytest.mark.parametrize("text", ["[1]\n", "load: 7\n", "load: {stages: null}\n"])
def test_a_workload_of_another_shape_has_no_stages_and_no_warning(text: str) -> None:
    assert examined("", OneProfile(text)).warnings == ()


def test_each_run_of_a_good_job_is_outlined() -> None:
    found = examined("repeat: 2\nharness: {parallelism: 3}\n")

    assert [len(one.launchers) for one in found.outlines] == [3, 3]
    assert [one.workload for one in found.outlines] == ["a: 1\n", "a: 1\n"]


def test_a_field_that_this_engine_cannot_serve_is_refused_and_nothing_is_outlined() -> None:
    found = examined("follow_servers: true\n")

    assert fields(found) == ["follow_servers"]
    assert found.outlines == ()


def test_a_workload_by_its_path_is_read_from_there() -> None:
    spec = accepted(workload="").spec.model_copy(update={"workload": "some/where.yaml"})

    assert find(spec, OneProfile(), lambda path: f"# {path}") == Source(
        "some/where.yaml", "# some/where.yaml"
    )


def test_a_file_that_submit_put_into_the_job_is_the_workload_word_for_word() -> None:
    carried = {"file": "x/mine.yaml.in", "text": "a: REPLACE_ENV_X  # why\n"}
    spec = accepted(workload="").spec

    for workload, source in (
        (carried, Source("mine.yaml.in", carried["text"])),
        (carried | {"file": ""}, Source("inline.yaml", carried["text"])),
        ({"file": "x"}, Source("inline.yaml", "file: x\n")),
    ):
        job = spec.model_copy(update={"workload": workload})
        assert find(job, OneProfile(), lambda path: path) == source


def test_every_mistake_of_these_is_told_at_its_field() -> None:
    said = {
        "engine: [local\n": "",
        "? [a]\n: 1\n": "",
        "skip_run: perhaps\n": "skip_run",
        "harness: {env: {a: [1]}}\n": "harness.env.a",
        'harness: {env: {a: "x\\0y"}}\n': "harness.env.a",
        "variables: 7\n": "variables",
    }
    for text, field in said.items():
        assert field in {one.field.rstrip(".[key]") for one in examined(text).problems}, text


def test_an_endpoint_that_is_no_url_at_all_is_told() -> None:
    for url in ("http://[::1", "http://h:port", "ftp://h", "http://h:0"):
        reading = read_job(f"endpoint: '{url}'\n".encode(), stem="j", environment={})
        assert [one.field for one in reading.problems] == ["endpoint"], url


def test_a_very_long_word_is_text_and_means_nothing_else() -> None:
    assert read_word("1" * 10_000).kind == "text"
    assert did_you_mean("x" * 10_000, ["x"]) == ""


@pytest.mark.parametrize(
    ("written", "value"), [("0x10", 16), ("1e3", 1000.0), ("1.5e+3", 1500.0), ("-.inf", -(10**400))]
)
def test_numbers_are_those_of_yaml(written: str, value: object) -> None:
    assert read_word(written).value == (float("-inf") if written == "-.inf" else value)


def test_a_schema_of_another_shape_is_noticed() -> None:
    with pytest.raises(TypeError, match="another shape"):
        schema._mapping([])
    with pytest.raises(TypeError, match="without its list"):
        schema._resolved({"anyOf": {}}, {})


def test_a_text_that_uses_every_character_is_no_profile() -> None:
    everything = "".join(map(chr, range(0xE000, 0xF900)))

    with pytest.raises(WorkloadError, match="is not text"):
        ProfileText(everything, "w.yaml")


def test_quotes_that_are_closed_again_are_not_open() -> None:
    assert _open_quote("a: 'x' 'y") == "'"
    assert _open_quote("a: 'x' ") == ""


@pytest.mark.parametrize(("rendered", "line"), [("a: 2\n", 1), ("a: [1]\n", 0)])
def test_a_rendering_that_reads_otherwise_than_meant_is_refused(rendered: str, line: int) -> None:
    with pytest.raises(WorkloadError) as refused:
        _prove(ProfileText("a: 1\n", "w.yaml"), rendered, ["a", "1"])

    assert refused.value.problems[0].line == line


def test_a_section_that_is_none_is_told_and_no_variable_is_put_into_it() -> None:
    found = examined("harness: 7\nvariables: {LLMDBENCH_HARNESS_CPU_NR: '4'}\n")

    assert fields(found) == ["harness"]


def test_a_key_that_is_refused_is_told_once() -> None:
    assert len(examined("&anchor name: x\n").problems) == 1


def test_an_override_needs_a_key() -> None:
    assert fields(examined('overrides: {" ": 1}\n')) == ["overrides"]


def test_saying_no_by_a_variable_is_saying_no() -> None:
    environment = {"LLMDBENCH_HARNESS_DEBUG": "no"}
    reading = read_job(b"endpoint: http://h\n", stem="j", environment=environment)

    assert reading.spec is not None
    assert reading.spec.harness.debug is False


def test_what_an_engine_that_nobody_named_lacks_is_told_at_the_beginning_of_the_file() -> None:
    reading = read_job(b"\nmodels: m\n", stem="j", environment={})
    found = examine(reading, engine="local", shelf=OneProfile(), read_path=str)

    assert [(one.field, one.line) for one in found.problems] == [("endpoint", 1)]


def test_a_control_character_inside_a_value_is_named_as_that() -> None:
    root, problems = compose("a: \x01")

    assert root is None
    assert [problem.message for problem in problems] == ["holds a control character"]


def test_a_variable_that_the_daemon_makes_itself_has_no_effect_and_says_so() -> None:
    data = b"variables: {LLMDBENCH_HARNESS_PROFILE_HARNESS_LIST: nop}\n"
    notes = read_job(data, stem="x", environment={}).notes

    assert [(note.line, "has no effect" in note.message) for note in notes] == [(1, True)]
