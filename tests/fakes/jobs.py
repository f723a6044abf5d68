"""Accepted jobs as people would have dropped them, and a book that has read them."""

from llmdbenchd.controllers.book import JobBook
from llmdbenchd.core.job.accepted import AcceptedJob, encoded
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.workloads import Source
from llmdbenchd.core.launch.plan import Places
from tests.core.run.cases import NOW

ENDPOINT = "http://127.0.0.1:8000"


def places(_: str, launcher: str) -> Places:
    return Places(f"/fake/{launcher}/workspace", f"/fake/{launcher}/requests")


def accepted(job: str = "j", *, workload: str = "a: 1\n", **fields: object) -> AcceptedJob:
    """Job `job` of Ada's with these fields, and this text as its workload."""
    said = {"endpoint": ENDPOINT, "models": ["m"], **fields}
    return AcceptedJob(
        job=job,
        owner="ada",
        submitted=NOW.utc,
        engine="local",
        spec=JobSpec.model_validate(said),
        values={},
        source=Source("w.yaml.in", workload),
    )


def book(*jobs: AcceptedJob) -> JobBook:
    """A book that knows these jobs."""
    on_disk = {one.job: encoded(one) for one in jobs}
    return JobBook(on_disk.__getitem__, instance="here", places=places)
