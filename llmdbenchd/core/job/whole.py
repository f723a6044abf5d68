"""A job file with all the files that it names: the door that daemon and `check` share."""

from collections.abc import Mapping
from typing import Protocol

from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.scenarios import ScenarioFile, read_job_with_scenario
from llmdbenchd.core.job.treatment_files import TreatmentsFile, with_treatments


class Files(Protocol):
    """Where the files are that a job may name."""

    def open_scenario(self, name: str) -> ScenarioFile:
        """A scenario by its name; raises `ScenarioError`."""
        ...

    def open_treatments(self, name: str) -> TreatmentsFile:
        """A treatments file by its name; raises `WorkloadError`."""
        ...


def read_whole_job(
    data: bytes, *, stem: str, environment: Mapping[str, str], files: Files
) -> Reading:
    """Read a job file, its scenario and its treatments. Never raises.

    In the reading's job the contents of these files stand in the place of their names, so
    that a file which is edited meanwhile changes no job; `values` keeps what was asked for.

    Args:
        data: the file, as for `read_job`.
        stem: the file's name without its ending.
        environment: the daemon's.
        files: where the others are.
    """
    reading = read_job_with_scenario(
        data, stem=stem, environment=environment, open_scenario=files.open_scenario
    )
    return with_treatments(reading, files.open_treatments)
