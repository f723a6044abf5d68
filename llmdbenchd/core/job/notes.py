"""What is not wrong in a job file and still deserves a look."""

from collections.abc import Iterator

from llmdbenchd.core.job.credentials import names_a_credential
from llmdbenchd.core.job.problems import Problem, did_you_mean
from llmdbenchd.core.job.tree import Plain
from llmdbenchd.core.job.variables import KNOWN_VARIABLES, TABLE

_WITHOUT_EFFECT = {
    variable: row
    for row in TABLE
    if row.type in {"derived", "setting"} and not row.field
    for variable in row.variables
}
_USEFUL = [name for name in KNOWN_VARIABLES if not names_a_credential(name)]


def notes(plain: Plain) -> Iterator[Problem]:
    """Variables that somebody wrote into the job file and that nothing reads."""
    variables = plain.values.get("variables")
    if not isinstance(variables, dict):
        return
    for name in variables:
        mark = plain.keys[("variables", name)]
        field = f"variables.{name}"
        if row := _WITHOUT_EFFECT.get(name):
            yield Problem(mark.line, mark.column, field, f"has no effect: {row.meaning}")
        elif name not in KNOWN_VARIABLES and len(variables) <= len(TABLE):
            hint = did_you_mean(name, _USEFUL, alike=0.85)
            message = "is unknown: it is recorded, and used only by a profile's token"
            yield Problem(mark.line, mark.column, field, message, hint)
