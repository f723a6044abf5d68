"""An accepted job: everything that its runs will ever need to know of it, as kept on disk.

Written once, when the job is committed, and never changed: the workload's source is in
it, so that a profile which is edited meanwhile changes no job that was accepted before.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from llmdbenchd.core.job.debugging import Shelved
from llmdbenchd.core.job.jobfile import Value
from llmdbenchd.core.job.layers import DEFAULT
from llmdbenchd.core.job.matrix import Cell, runs
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.place import place_of
from llmdbenchd.core.job.support import KUBERNETES, NOP
from llmdbenchd.core.job.workloads import Source
from llmdbenchd.core.launch.manifest import EPHEMERAL
from llmdbenchd.core.run.limits import Limits
from llmdbenchd.core.workload.duration import patience_s

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedJob:
    """One job.

    Attributes:
        job: its id.
        owner: who dropped it (the file's owner).
        submitted: when it was taken (UTC).
        engine: where its launchers live, resolved.
        spec: every value known; `values` says where each came from.
        source: its workload before rendering.
        sources: likewise for treatments that have their own profile, by their names.
        shelved: every other profile, for a job that asks for them (`harness.debug`).
        load_s: how long its longest load lasts, as far as its workloads say it.
    """

    job: str
    owner: str
    submitted: datetime
    engine: str
    spec: JobSpec
    values: Mapping[str, Value]
    source: Source
    sources: Mapping[str, Source] = field(default_factory=dict)
    shelved: Shelved = ()
    load_s: float = 0.0

    def source_of(self, cell: Cell) -> Source:
        """The workload of one run before rendering."""
        return self.sources.get(cell.treatment, self.source)

    @property
    def place(self) -> str:
        """Where its launchers live: an engine, on a cluster with the namespace."""
        return place_of(self.engine, self.spec.harness_namespace, self.spec.harness.name)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Its runs, in order."""
        return runs(self.spec)

    @property
    def wait_timeout_s(self) -> int:
        """How long its launchers may take; a longer load has longer, unless somebody said."""
        given = self.values.get("harness.wait_timeout")
        usual = self.spec.harness.wait_timeout
        if self.load_s <= usual or given is None or given.origin != DEFAULT:
            return usual
        return patience_s(self.load_s)

    @property
    def limits(self) -> Limits:
        """How patient to be with each of its runs."""
        spec = self.spec
        return Limits(
            launchers=spec.harness.parallelism,
            attempts=spec.retry.attempts,
            retry_delay_s=spec.retry.delay,
            start_s=spec.timeouts.start,
            bind_s=spec.timeouts.bind,
            pull_s=spec.timeouts.pull,
            target_s=spec.timeouts.target,
            run_s=0 if spec.harness.debug else self.wait_timeout_s,
            collect_s=spec.timeouts.collect,
            fail_above=spec.fail_above,
            keep_going=spec.keep_going,
            follow_servers=spec.follow_servers and spec.harness.name != NOP,
            sends_load=spec.harness.name != NOP,
            dry_run=spec.dry_run,
            skip_run=spec.skip_run,
            held=self._is_held,
        )

    @property
    def _is_held(self) -> bool:
        """Whether no folder is seen by all launchers of a run, in which they could meet."""
        has_pods = self.engine == KUBERNETES and self.spec.harness.name != NOP
        is_private = has_pods and self.spec.storage.mode == EPHEMERAL
        return is_private and self.spec.harness.parallelism > 1


def encoded(accepted: AcceptedJob) -> bytes:
    """The job as `spec.json`."""
    document = {
        "version": VERSION,
        "job": accepted.job,
        "owner": accepted.owner,
        "submitted": accepted.submitted.isoformat(),
        "engine": accepted.engine,
        "spec": accepted.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "values": {field: _plain(value) for field, value in accepted.values.items()},
        "source": asdict(accepted.source),
        "sources": {name: asdict(one) for name, one in accepted.sources.items()},
        "shelved": [[harness, asdict(source)] for harness, source in accepted.shelved],
        "load_s": accepted.load_s,
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def _plain(value: Value) -> dict[str, object]:
    """As `asdict`, which copies everything below it: there are seventy of them in a job."""
    return {name: getattr(value, name) for name in Value.__slots__}


def decoded(data: bytes) -> AcceptedJob:
    """The job that `spec.json` holds.

    Raises:
        ValueError: it is not one, or a newer daemon wrote it.
    """
    document: dict[str, Any] = json.loads(data)
    version = document.get("version")
    if version != VERSION:
        raise ValueError(f"spec.json has version {version!r}; this program reads {VERSION}")
    return AcceptedJob(
        job=document["job"],
        owner=document["owner"],
        submitted=datetime.fromisoformat(document["submitted"]),
        engine=document["engine"],
        spec=JobSpec.model_validate(document["spec"]),
        values={field: Value(**value) for field, value in document["values"].items()},
        source=Source(**document["source"]),
        sources={name: Source(**one) for name, one in document.get("sources", {}).items()},
        shelved=tuple((harness, Source(**one)) for harness, one in document.get("shelved", ())),
        load_s=document.get("load_s", 0.0),
    )
