"""Where the way to the API server is written: a kubeconfig, or a pod's own files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmdbenchd.ports import Refused

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Access:
    """Which cluster, as whom.

    Attributes:
        kubeconfig: a file; None = as kubectl looks for it, then the pod's own account.
        context: of the kubeconfig; None = its current one.
        environment: of this process. KUBECONFIG, HOME and KUBERNETES_SERVICE_* are looked up
            in it, and a login program gets it whole.
        service_account: folder of a pod's own token, CA and namespace.
    """

    kubeconfig: Path | None = None
    context: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    service_account: Path = SERVICE_ACCOUNT


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """Files to be merged, the first to say something wins; `context` None = the current one."""

    files: tuple[Path, ...]
    context: str | None


@dataclass(frozen=True, slots=True)
class InCluster:
    """A pod's own account: the server's address, and the folder with token, CA, namespace."""

    server: str
    folder: Path


def find(access: Access) -> Kubeconfig | InCluster:
    """Where to read. Looks which files are there, so call it in a thread.

    Raises:
        Refused: nowhere; says which places were looked at and what to do.
    """
    looked = _candidates(access)
    files = tuple(file for file in looked if file.is_file())
    if files:
        return Kubeconfig(files, access.context)
    chosen = access.kubeconfig or access.environment.get("KUBECONFIG") or access.context
    inside = None if chosen else _in_cluster(access)
    if inside is not None:
        return inside
    places = ", ".join(map(str, looked)) or "no KUBECONFIG and no HOME"
    raise Refused(
        f"no way to a cluster: looked at {places}; "
        "set `kubeconfig` to a file that kubectl works with, or run in a pod with an account"
    )


def _candidates(access: Access) -> tuple[Path, ...]:
    home = access.environment.get("HOME", "")
    if access.kubeconfig is not None:
        return (_at_home(str(access.kubeconfig), home),)
    named = [name for name in access.environment.get("KUBECONFIG", "").split(":") if name]
    if named:
        return tuple(_at_home(name, home) for name in named)
    return (Path(home, ".kube", "config"),) if home else ()


def _at_home(name: str, home: str) -> Path:
    return Path(home, name[2:]) if home and name.startswith("~/") else Path(name)


def _in_cluster(access: Access) -> InCluster | None:
    host = access.environment.get("KUBERNETES_SERVICE_HOST", "")
    port = access.environment.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (access.service_account / "token").is_file():
        return None
    return InCluster(
        f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        access.service_account,
    )
