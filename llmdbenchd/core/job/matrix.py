"""From one job to its runs: models x methods x treatments x repetitions, in one order."""

from dataclasses import dataclass
from itertools import islice, product

from llmdbenchd.core.job.model import JobSpec

ENDPOINT = "endpoint"  # stands for the method where a URL is given and nothing is looked up


@dataclass(frozen=True, slots=True)
class Cell:
    """One run of a job.

    Attributes:
        run: its id within the job: `r001`, `r002`, ...
        model: the model under test.
        method: a deploy method, or `ENDPOINT`.
        treatment: the treatment's name; empty when the job has none.
        repetition: from 1.
    """

    run: str
    model: str
    method: str
    treatment: str
    repetition: int


def runs(spec: JobSpec) -> tuple[Cell, ...]:
    """The cells of the job's matrix.

    Repetitions vary first, then treatments in the order of their file, then methods, then
    models. A job that collects all of a claim is one run.
    """
    methods = (ENDPOINT,) if spec.endpoint else spec.methods
    cells = product(
        spec.models,
        methods,
        [one.name for one in spec.experiment] or [""],
        range(1, spec.repetitions + 1),
    )
    made = (Cell(f"r{number:03d}", *cell) for number, cell in enumerate(cells, start=1))
    return tuple(islice(made, spec.cells))
