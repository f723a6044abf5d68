"""What the daemon's settings say where a job says nothing."""

from collections.abc import Mapping
from dataclasses import replace

from llmdbenchd.core.job.jobfile import Reading
from llmdbenchd.core.job.layers import DEFAULT
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.support import KUBERNETES


def completed(reading: Reading, *, engine: str, image: str, namespace: str | None) -> Reading:
    """The reading with the settings' values for fields that nobody gave.

    They are fixed when the job is taken: a later change of the settings changes no job.

    Args:
        reading: what `read_job` made of the file.
        engine: `local` or `kubernetes`, resolved; only the latter has images and namespaces.
        image: the setting `image`.
        namespace: the setting `namespace`; None = the job file's own default.
    """
    if engine != KUBERNETES or reading.best is None:
        return reading
    given = {"harness.image": image} | ({"namespace": namespace} if namespace else {})
    missing = {
        field: text
        for field, text in given.items()
        if field not in reading.values or reading.values[field].origin == DEFAULT
    }
    values = dict(reading.values)
    for field in missing.keys() & values.keys():
        values[field] = replace(values[field], value=missing[field])
    return replace(
        reading,
        best=_with(reading.best, missing),
        spec=_with(reading.spec, missing) if reading.spec else None,
        values=values,
    )


def _with(spec: JobSpec, missing: Mapping[str, str]) -> JobSpec:
    changes: dict[str, object] = {}
    if "harness.image" in missing:
        harness = spec.harness.model_copy(update={"image": missing["harness.image"]})
        changes["harness"] = harness
    if "namespace" in missing:
        changes["namespace"] = missing["namespace"]
    return spec.model_copy(update=changes)
