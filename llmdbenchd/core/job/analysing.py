"""Local analysis as a job asks for it: what is said of it before anything runs."""

from collections.abc import Callable
from dataclasses import replace

from llmdbenchd.core.job.jobfile import Reading, Value
from llmdbenchd.core.job.layers import NOT_OF_THIS_JOB
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.problems import Problem, in_line_order

_FIELD = "harness.conda_env"
_HINT = "name one that is there, or leave it out: then our own Python does it"


def with_environment(reading: Reading, missing: Callable[[JobSpec], str]) -> Reading:
    """The reading, and what is wrong with the environment that it names for local analysis.

    It is a mistake where the job file names it. Where a scenario or an environment does, which
    were written with other machines in mind, it deserves a look.

    Args:
        reading: what `read_job` made of the file.
        missing: why the environment of a job cannot be used; empty when it can.
    """
    best, value = reading.best, reading.values.get(_FIELD)
    if best is None or value is None or not best.analyze_locally or not best.harness.conda_env:
        return reading
    why = missing(best)
    if not why:
        return reading
    if value.origin in NOT_OF_THIS_JOB:
        note = _at(value, f"{why}: there will be no analysis")
        return replace(reading, notes=in_line_order([*reading.notes, note]))
    problems = in_line_order([*reading.problems, _at(value, why, _HINT)])
    return replace(reading, spec=None, problems=problems)


def _at(value: Value, message: str, hint: str = "") -> Problem:
    if value.variable:
        message = f"{value.variable} ({value.origin}): {message}"
    return Problem(value.line, value.column, _FIELD, message, hint)
