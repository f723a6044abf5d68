"""From one job to its runs: models x methods x repetitions, always in the same order."""

from dataclasses import dataclass

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
    """The cells of the job's matrix; repetitions vary first, then methods, then models."""
    methods = (ENDPOINT,) if spec.endpoint else spec.methods
    cells = (
        (model, method, repetition)
        for model in spec.models
        for method in methods
        for repetition in range(1, spec.repeat + 1)
    )
    return tuple(
        Cell(f"r{number:03d}", model, method, "", repetition)
        for number, (model, method, repetition) in enumerate(cells, start=1)
    )
