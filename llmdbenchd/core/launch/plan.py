"""The engine-neutral plan of one launcher: what runs, with which files and variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_EXECUTABLE = "llm-d-benchmark.sh"  # the field's name for what our launch.py replaces


@dataclass(frozen=True, slots=True)
class Places:
    """Where a launcher's engine keeps things, as the launcher itself sees them.

    Attributes:
        workspace: absolute folder; profiles lie in `<workspace>/profiles/<harness>/`.
        results_prefix: absolute folder; results lie in `<results_prefix>/<results_folder>`.
    """

    workspace: str
    results_prefix: str


IMAGE = Places("/workspace", "/requests")  # in the field's launcher image


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A text file to be there before the launcher starts; `path` is below the workspace."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LauncherPlan:
    """All that an engine needs to make one launcher.

    Attributes:
        name: deterministic, unique, a valid pod name.
        harness: the load generator's name; its installation is the engine's business.
        executable: `DEFAULT_EXECUTABLE` for our payload, otherwise what is run in its place
            (below the payload's tee and manifest all the same).
        results_folder: one path component below `Places.results_prefix`.
        env: variables for the launcher, the contract of the field's image included.
        cpu: Kubernetes quantity, recorded and (on a cluster) enforced; `memory` likewise.
    """

    name: str
    harness: str
    executable: str
    results_folder: str
    files: tuple[PlanFile, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cpu: str = "16"
    memory: str = "32Gi"
