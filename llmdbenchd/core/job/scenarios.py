"""A job together with the scenario that it names: the daemon's door for job files."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from llmdbenchd.core.job.credentials import holds_a_credential, names_a_credential
from llmdbenchd.core.job.environment import field_variables
from llmdbenchd.core.job.jobfile import Reading, read_job, usable
from llmdbenchd.core.job.layers import SCENARIO, Layer
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.problems import Problem, in_line_order
from llmdbenchd.core.job.variables import BY_FIELD, FIELDS
from llmdbenchd.core.scenario.errors import ScenarioError
from llmdbenchd.core.scenario.reading import read_scenario
from llmdbenchd.core.scenario.scenario import Assigned, Scenario

INLINE = "scenario"
_ITSELF = BY_FIELD["scenario"].variables
_OF_INTEREST = frozenset(variable for row in FIELDS for variable in row.variables)


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario file that was found: its name as people know it, and its text."""

    file: str
    text: str


Open = Callable[[str], ScenarioFile]


@dataclass(frozen=True, slots=True)
class CarriedScenario:
    """A scenario on its way into a job: its variables, and what its owner should know."""

    variables: Mapping[str, str]
    remarks: tuple[str, ...]


def carried_scenario(found: ScenarioFile, *, environment: Mapping[str, str]) -> CarriedScenario:
    """What a job may hold of a scenario that lies where its daemon never looks.

    Args:
        found: the file.
        environment: the caller's; its credentials are as good as unset.

    Raises:
        ScenarioError: where it holds something else than a scenario does, and what.
    """
    harmless = {
        name: value
        for name, value in environment.items()
        if not names_a_credential(name) and not holds_a_credential(value)
    }
    scenario = read_scenario(found.text, file=found.file, given=_defaults() | harmless)
    kept = {name: one.text for name, one in _without_secrets(scenario).items()}
    return CarriedScenario(kept, tuple(message for message, _ in _remarks(scenario)))


def read_job_with_scenario(
    data: bytes, *, stem: str, environment: Mapping[str, str], open_scenario: Open
) -> Reading:
    """Read a job file, and the scenario that it or its variables name.

    In the reading's job the scenario is no longer a name but its variables, so that a file
    which is edited meanwhile changes no job; `values` keeps what was asked for.

    Args:
        data: the file, as for `read_job`.
        stem: the file's name without its ending.
        environment: the daemon's.
        open_scenario: finds a scenario by its name; raises `ScenarioError`.
    """
    reading = read_job(data, stem=stem, environment=environment)
    asked = reading.best.scenario if reading.best else None
    if asked is None or "scenario" in reading.wrong:
        return reading
    try:
        scenario = _read(asked, reading, environment, open_scenario)
    except ScenarioError as error:
        return _refused(reading, error)
    again = read_job(data, stem=stem, environment=environment, scenario=_layer(scenario))
    notes = in_line_order([*again.notes, *_notes(scenario, again)])
    kept = {"scenario": {name: one.text for name, one in _without_secrets(scenario).items()}}
    return replace(
        again,
        notes=notes,
        best=again.best.model_copy(update=kept) if again.best else None,
        spec=again.spec.model_copy(update=kept) if again.spec else None,
    )


def _read(
    asked: str | Mapping[str, str],
    reading: Reading,
    environment: Mapping[str, str],
    open_scenario: Open,
) -> Scenario:
    if not isinstance(asked, str):
        marks = {name: reading.plain.mark(("scenario", name)).line for name in asked}
        return Scenario.of(INLINE, asked, marks)
    found = open_scenario(asked)
    before = (
        _defaults()
        | usable(environment)
        | usable(reading.plain.values.get("submitted_environment"))
    )
    return read_scenario(found.text, file=found.file, given=before)


@cache
def _defaults() -> dict[str, str]:
    """What the era's scripts set before they read a scenario, as far as we know it."""
    return field_variables(JobSpec())


def _layer(scenario: Scenario) -> Layer:
    """What the scenario says of fields; it cannot name another one."""
    kept = _without_secrets(scenario)
    texts = usable({name: one.text for name, one in kept.items() if name not in _ITSELF})
    return Layer(SCENARIO, texts, {name: scenario.place(name) for name in texts})


def _without_secrets(scenario: Scenario) -> dict[str, Assigned]:
    return {
        name: one
        for name, one in scenario.variables.items()
        if not names_a_credential(name) and not holds_a_credential(one.text)
    }


def _notes(scenario: Scenario, reading: Reading) -> Iterator[Problem]:
    mark = reading.mark("scenario")
    for message, hint in _remarks(scenario):
        yield Problem(mark.line, mark.column, "scenario", message, hint)


def _remarks(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """What a scenario lets one expect and what does not happen, each with a hint."""
    for name, one in scenario.variables.items():
        place = scenario.place(name)
        if names_a_credential(name) or holds_a_credential(one.text):
            message = f"{place}: {name} holds a credential: it is neither used nor kept"
            yield message, "name a secret by `hf_token` or `endpoint_auth`"
        elif name in _OF_INTEREST and one.missing:
            missing = ", ".join(one.missing)
            yield f"{place}: {name} refers to {missing}, which nobody has set", ""


def _refused(reading: Reading, error: ScenarioError) -> Reading:
    mark = reading.mark("scenario")
    problem = Problem(mark.line, mark.column, "scenario", str(error), error.hint)
    return replace(
        reading,
        spec=None,
        problems=in_line_order([*reading.problems, problem]),
        wrong=reading.wrong | {"scenario"},
    )
