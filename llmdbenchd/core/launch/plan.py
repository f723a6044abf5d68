"""The engine-neutral plan of one launcher: what runs, with which files and variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_EXECUTABLE = "llm-d-benchmark.sh"  # the field's name for what our launch.py replaces
IMAGES_OWN = "image:"  # before a program of the image, even one of the name above
SLEEP = "sleep infinity"  # what a launcher that is to be looked into runs instead
_DECISIVE = frozenset(
    {"PATH", "PYTHONPATH", "PYTHONHOME", "BASH_ENV", "ENV", "LLMDBENCHD_PAYLOAD_DIR"}
)


def decides_what_runs(variable: str) -> bool:
    """Whether a variable of this name could put another program in the place of a checked one."""
    return variable.startswith("LD_") or variable in _DECISIVE


@dataclass(frozen=True, slots=True)
class Places:
    """Where a launcher's engine keeps things, as the launcher itself sees them.

    Attributes:
        workspace: absolute folder; profiles lie in `<workspace>/profiles/<harness>/`.
        results_prefix: absolute folder; results lie in `<results_prefix>/<results_folder>`.
        shared: absolute folder that all launchers of an attempt see; empty if there is none.
    """

    workspace: str
    results_prefix: str
    shared: str = ""


IMAGE = Places("/workspace", "/requests", "/requests")  # in the field's launcher image


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A text file to be there before the launcher starts; `path` is below the workspace."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose launcher it is: launcher `index` (from 1) of `of`, of one attempt of one run.

    Attributes:
        instance: the daemon's id.
        run8: eight hexadecimal digits that stand for the run.
    """

    instance: str
    job: str
    run: str
    run8: str
    attempt: int
    index: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where results are kept on a cluster until they are home.

    Attributes:
        mode: `claim`, or `ephemeral` (in the launcher, which is held until they are copied).
        claim: the claim's name; made with the next three if it is not there.
        size: Kubernetes quantity.
        storage_class: None = the cluster's default.
        access: an access mode.
    """

    mode: str = "claim"
    claim: str = "workload-pvc"
    size: str = "20Gi"
    storage_class: str | None = None
    access: str = "ReadWriteMany"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRef:
    """A key of a secret: never its value."""

    secret: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTerms:
    """What only a pod has.

    Attributes:
        image: reference of the launcher's image.
        run_as_user: None = the image's.
        tolerations: each as Kubernetes has it.
        hf_token: where the Hugging Face token is, if there is one.
        endpoint_auth: where the endpoint's key is, if it wants one.
    """

    image: str = ""
    run_as_user: int | None = None
    service_account: str | None = None
    image_pull_secrets: tuple[str, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, object], ...] = ()
    priority_class: str | None = None
    hf_token: SecretRef | None = None
    endpoint_auth: SecretRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LauncherPlan:
    """All that an engine needs to make one launcher.

    Attributes:
        name: deterministic, unique, a valid pod name.
        harness: the load generator's name; its installation is the engine's business.
        executable: `DEFAULT_EXECUTABLE` for our payload, otherwise what is run in its place
            (below the payload's tee and manifest all the same); after `IMAGES_OWN` it is the
            image's.
        results_folder: one path component below `Places.results_prefix`.
        env: variables for the launcher, the contract of the field's image included.
        cpu: Kubernetes quantity, recorded and (on a cluster) enforced; `memory` likewise.
        servers: names that the run's lease on its target goes by; empty if it takes none.
        grace_s: what it gets to end by itself, whoever asks.
        storage, pod: of no interest to an engine without pods.
    """

    name: str
    identity: Identity
    harness: str
    executable: str
    results_folder: str
    files: tuple[PlanFile, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cpu: str = "16"
    memory: str = "32Gi"
    servers: tuple[str, ...] = ()
    grace_s: float = 30
    storage: Storage = field(default_factory=Storage)
    pod: PodTerms = field(default_factory=PodTerms)
