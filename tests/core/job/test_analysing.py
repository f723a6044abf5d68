"""What is said of the environment that a job names for local analysis."""

from llmdbenchd.core.job.analysing import with_environment
from llmdbenchd.core.job.jobfile import Reading, read_job
from llmdbenchd.core.job.model import JobSpec

NAMED = "analyze_locally: true\nharness: {conda_env: mine}\n"
VARIABLE = "LLMDBENCH_HARNESS_CONDA_ENV_NAME"


def here(spec: JobSpec) -> str:
    assert spec.harness.name
    return ""


def nowhere(spec: JobSpec) -> str:
    return f"no environment {spec.harness.conda_env}; looked in /envs"


def read(text: str, **environment: str) -> Reading:
    return read_job(text.encode(), stem="x", environment=environment)


def test_one_that_is_not_here_is_a_mistake_at_its_line_that_says_where_was_looked() -> None:
    found = with_environment(read(NAMED), nowhere)

    (problem,) = found.problems
    assert found.spec is None
    assert (problem.line, problem.field) == (2, "harness.conda_env")
    assert problem.message == "no environment mine; looked in /envs"
    assert "leave it out" in problem.hint


def test_one_that_a_variable_of_the_job_names_is_a_mistake_as_well() -> None:
    text = f"variables:\n  {VARIABLE}: mine\nanalyze_locally: true\n"
    (problem,) = with_environment(read(text), nowhere).problems

    assert problem.line == 2
    assert problem.message.startswith(f"{VARIABLE} (variables): no environment mine")


def test_one_that_was_exported_for_another_machine_deserves_a_look_and_no_refusal() -> None:
    text = f"submitted_environment: {{{VARIABLE}: mine}}\nanalyze_locally: true\n"
    for reading in (read(text), read("analyze_locally: true\n", **{VARIABLE: "mine"})):
        found = with_environment(reading, nowhere)

        assert found.spec == reading.spec is not None
        assert "there will be no analysis" in found.notes[-1].message


def test_nothing_is_said_of_one_that_is_here() -> None:
    assert with_environment(read(NAMED), here) == read(NAMED)


def test_nothing_is_looked_up_that_nobody_would_use() -> None:
    for text in ("{}", "analyze_locally: true\n", "harness: {conda_env: mine}\n", "- no job\n"):
        assert with_environment(read(text), nowhere) == read(text)


def test_a_job_with_other_mistakes_is_told_all_of_them() -> None:
    found = with_environment(read(f"{NAMED}repeat: 0\n"), nowhere)

    assert [one.field for one in found.problems] == ["harness.conda_env", "repeat"]
