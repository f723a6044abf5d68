"""The shape of one test cluster: its state folder, its names and its addresses."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

NODE = "node-1"
NODE_ADDRESS = "10.244.0.1"  # the bridge: gateway and name server of the pods too
POD_NETWORK = "10.244.0.0/24"
SERVICE_NETWORK = "10.96.0.0/24"
API_ADDRESS = "10.96.0.1"  # the Service `kubernetes`, an address on lo: no kube-proxy is needed
DOMAIN = "cluster.local"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - of a network namespace without a way out
PAUSE = "llmdbenchd.test/pause:1"
HARD_CODED = {  # below the state: folders that kubelet and CNI have at fixed places
    "kubelet": "/var/lib/kubelet",
    "podlogs": "/var/log/pods",
    "containerlogs": "/var/log/containers",
    "cni/lib": "/var/lib/cni",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one start of a cluster is made of.

    Attributes:
        id: eight hexadecimal digits, anew for each start.
        started: UTC, as the API server writes times.
        kube: the program with all Kubernetes components and etcd.
        dns: the program CoreDNS.
        snapshotter: containerd's, `overlayfs` or `native`.
        log_max_size: a container's log is rotated at this size.
        log_interval: how often kubelet looks at sizes.
        measured: for figures: the API server writes down what people and programs ask of it,
            and kubelet sets no CPU limits, so that more pods run than there are cores.
    """

    id: str
    started: str
    kube: str
    dns: str
    snapshotter: str
    log_max_size: str = "10Mi"
    log_interval: str = "10s"
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a cluster keeps what, below its state folder."""

    state: Path

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def volumes(self) -> Path:
        return self.state / "volumes"

    @property
    def audit_policy(self) -> Path:
        return self.state / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """What was asked of the API server of a `measured` cluster, one JSON object a line."""
        return self.logs / "audit.jsonl"

    @property
    def ready(self) -> Path:
        return self.run / "ready"

    def kubeconfig(self, user: str = "admin") -> Path:
        return self.state / "kubeconfig" / user

    def pid_file(self, component: str) -> Path:
        return self.run / f"{component}.pid"

    def hold_file(self, component: str) -> Path:
        return self.run / f"{component}.hold"

    def write_settings(self, settings: Settings) -> None:
        write_json(self.run / "settings.json", asdict(settings))

    def settings(self) -> Settings | None:
        """Those of the last start, None if there was none."""
        try:
            return Settings(**json.loads((self.run / "settings.json").read_text("utf-8")))
        except FileNotFoundError:
            return None


def cgroup(settings: Settings) -> str:
    """The name of the cluster's cgroup."""
    return f"llmdbenchd-test-{settings.id}"


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file whole, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}")
    half.write_text(text, encoding="utf-8")
    half.chmod(mode)
    half.rename(path)


def write_json(path: Path, content: Mapping[str, object], *, mode: int = 0o644) -> None:
    """Write a JSON file; the Kubernetes components take it for YAML."""
    write(path, json.dumps(content, indent=1) + "\n", mode=mode)
