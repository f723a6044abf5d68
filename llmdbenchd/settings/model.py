"""What the person who runs the daemon decides: each setting, its limits, its default and why."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

_BINARY = {unit: 1024**power for power, unit in enumerate(("B", "KiB", "MiB", "GiB", "TiB"))}
_DECIMAL = {unit: 1000**power for power, unit in enumerate(("", "kB", "MB", "GB", "TB"))}
_UNITS = _BINARY | _DECIMAL
_SIZE = re.compile(rf"(\d+) *({'|'.join(_UNITS)})", re.ASCII)


def _size(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        raise ValueError("should be a number of bytes, or one with a unit such as 2GiB or 500MB")
    return int(found[1]) * _UNITS[found[2]]


def _paths(value: object) -> object:
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


Bytes = Annotated[int, BeforeValidator(_size)]
Size = Annotated[Bytes, Field(ge=0)]
Paths = Annotated[tuple[Path, ...], BeforeValidator(_paths)]


class Settings(BaseModel):
    """What the person who runs the daemon decides. Every path is absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    queue: Path = Path("queue")
    """Folder where people drop job files. `/var/lib/llmdbenchd/queue` when there is a file of
    settings, else `./queue`, so that a first try needs no rights and no preparation."""

    state: Path = Path(".llmdbenchd")
    """Folder of the daemon's own records. `/var/lib/llmdbenchd/state`, else `./.llmdbenchd`."""

    archive: Path = Path("archive")
    """Folder of finished evidence. `/var/lib/llmdbenchd/archive`, else `./archive`."""

    engine: Literal["auto", "kubernetes", "local"] = "auto"
    """Where launchers live. `auto`: a cluster where a kubeconfig or in-cluster configuration is
    found, otherwise this machine. A service should pin it: a lost kubeconfig must not turn jobs
    local."""

    kubeconfig: Path | None = None
    """File with the cluster's address and our rights. None: as kubectl looks for it, then the
    in-cluster configuration."""

    context: str | None = None
    """Context of the kubeconfig. None: its current one."""

    namespace: str | None = None
    """Namespace for jobs that name none. None: the job file's own default."""

    image: str = "ghcr.io/llm-d/llm-d-benchmark:v0.7.8"
    """Launcher image for jobs that name none. Pinned, so that two runs of one job file can be
    compared."""

    max_active_runs: int = Field(default=8, ge=1)
    """Runs that may load servers at one time. 8: what a bastion host follows with ease."""

    max_streams: int = Field(default=500, ge=1)
    """Logs followed at one time; each holds a file or a connection open. 500: half of the usual
    limit of 1,024 open files."""

    profiles: Path | None = None
    """Folder of workload profiles, one folder for each harness. None: those we ship."""

    scenarios: Path | None = None
    """Folder of scenario files that jobs may name. None: there are none."""

    scan_seconds: float = Field(default=5.0, ge=0.1, le=3600, allow_inf_nan=False)
    """Seconds between two looks at the queue folder. Notices from the kernel come at once; this
    is for those that are lost, and for folders that send none."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least level of our own log that is written."""

    log_format: Literal["json", "console", "auto"] = "auto"
    """`json`: one object a line; `console`: for eyes; `auto`: the latter at a terminal."""

    harness_venvs: Path | None = None
    """Folder with one virtual environment for each locally installed harness, named as the
    harness: `<folder>/inference-perf/bin/inference-perf`. None: what is on the PATH."""

    executables: Path | None = None
    """Folder of programs that a job may name as `harness.executable` on this machine. None: no
    job may, since who drops a file must not choose what the daemon's user runs."""

    secrets: Path | None = None
    """Folder of what jobs may name as `hf_token` and `endpoint_auth` on this machine:
    `<folder>/<secret>/<key>`, as Kubernetes shows a secret in a pod. None: there are none."""

    keep_days: int | None = Field(default=None, ge=1)
    """Days after which finished jobs are tidied away. None: never; evidence is not ours to
    lose."""

    lost_after: float = Field(default=3600.0, gt=0, allow_inf_nan=False)
    """Seconds for which a cluster may answer each look with no, before its runs are lost. An hour:
    rights that were withdrawn by mistake are given back. No answer at all loses nothing."""

    path_roots: Paths = ()
    """Further folders below which a dropped file may name paths, also to keep a data set in.
    In the environment separated by colons. None are given by default: the daemon may read more
    than a file's author."""

    min_free: Size = 2 * 1024**3
    """Bytes that must stay free where state and archive lie; below it no run is admitted. Also
    with a unit: `2GiB`. 2 GiB: the results of the runs under way must still fit."""

    transfer_rate: Annotated[Bytes, Field(ge=100_000)] | None = None
    """Bytes a second that all results together may take on their way out of clusters, for the
    sake of the API server that carries them. Also with a unit: `50MB`. None: no limit. At least
    100 kB: a slower connection would be taken for a dead one."""

    access_pod_seconds: float = Field(default=120.0, ge=0, le=600, allow_inf_nan=False)
    """Seconds for which a data-access pod, which shows what lies on a claim, is kept after its
    last use, since its start takes longer than most copies. On a claim that only one node may
    mount it is never kept. At most 600: then it ends by itself."""

    @field_validator("*", mode="before")
    @classmethod
    def _is_meant(cls, value: object) -> object:
        if isinstance(value, bool):  # pydantic would read it as 1 or 0
            raise ValueError("should not be true or false")  # noqa: TRY004 -- pydantic's protocol
        if isinstance(value, str) and value.startswith("~"):
            raise ValueError("should be written out: nobody expands a `~` here")
        return value


NAMES = tuple(Settings.model_fields)

RELOADABLE = frozenset({"max_active_runs", "log_level", "keep_days", "min_free"})
"""What SIGHUP may change; the rest is built into what already runs and needs a restart."""
