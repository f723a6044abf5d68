"""The test cluster's supervisor: pid 1 of its namespaces, whose end takes everything with it."""

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster import api, components
from tests.cluster.layout import (
    API_ADDRESS,
    HARD_CODED,
    NODE,
    NODE_ADDRESS,
    Layout,
    Settings,
    write,
)

_RESTART_S = 1.0  # from a component's end to its next start
_TICK_S = 0.05
_LISTENING = 200


def supervise(layout: Layout) -> None:
    """Set up the machine's insides, start the components and keep them running; never returns."""
    settings = layout.settings()
    assert settings is not None, "nobody but `up` starts a supervisor, and it writes them first"
    _mounts(layout)
    _network()
    household = _Household(layout, components.commands(layout, settings))
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopping.append(received))
    _run(household, layout, settings, stopping)
    os._exit(0)  # the kernel kills what else is in the namespace


def _run(
    household: "_Household", layout: Layout, settings: Settings, stopping: Sequence[int]
) -> None:
    for name in components.FIRST:  # the API server waits for etcd by itself
        household.start(name)
    waiting = [name for name in components.NAMES if name not in components.FIRST]
    while not stopping:
        if waiting and _api_server_is_ready(layout):
            for name in waiting:
                household.start(name)
            waiting = []
        if not (waiting or layout.ready.exists()) and _pods_can_be_made(layout, settings):
            layout.ready.touch()
        household.reap()
        household.start_again()
        time.sleep(_TICK_S)


class _Household:
    """The components: who runs, and who is to be started again when."""

    def __init__(self, layout: Layout, commands: Mapping[str, Sequence[str]]) -> None:
        self._layout = layout
        self._commands = commands
        self._running: dict[int, str] = {}
        self._due: dict[str, float] = {}

    def start(self, name: str) -> None:
        with (self._layout.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                self._commands[name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._layout.state,
            )
        self._running[process.pid] = name
        write(self._layout.pid_file(name), f"{process.pid}\n")

    def reap(self) -> None:
        """Orphans of containerd's shims come to pid 1 too."""
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                if name := self._running.pop(pid, None):
                    self._due[name] = time.monotonic() + _RESTART_S
                    self._layout.pid_file(name).unlink(missing_ok=True)

    def start_again(self) -> None:
        for name, when in list(self._due.items()):
            if time.monotonic() >= when and not self._layout.hold_file(name).exists():
                del self._due[name]
                self.start(name)


def _mounts(layout: Layout) -> None:
    _sh("mount", "--make-rprivate", "/")
    _sh("mount", "-t", "tmpfs", "tmpfs", "/run")
    for source, target in HARD_CODED.items():
        _sh("mount", "--bind", str(layout.state / source), target)
    names = Path("/etc/resolv.conf").resolve()
    if names.exists():  # not where it points below the machine's own /run
        _sh("mount", "--bind", str(layout.state / "resolv.conf"), str(names))


def _network() -> None:
    """A bridge that is the node's address and the pods' gateway; nothing leads to the machine."""
    _sh("ip", "link", "set", "lo", "up")
    _sh("ip", "address", "add", f"{API_ADDRESS}/32", "dev", "lo")
    _sh("ip", "link", "add", "cni0", "type", "bridge")
    _sh("ip", "address", "add", f"{NODE_ADDRESS}/24", "dev", "cni0")
    _sh("ip", "link", "set", "cni0", "up")
    _sh("ip", "route", "add", "default", "dev", "cni0")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    # kube-proxy's rules are to hold between two pods on the bridge as well
    Path("/proc/sys/net/bridge/bridge-nf-call-iptables").write_text("1")


def _sh(*words: str) -> None:
    subprocess.run(words, check=True)


def _api_server_is_ready(layout: Layout) -> bool:
    try:
        return api.local(layout.kubeconfig()).ask("GET", "/readyz", timeout_s=1)[0] == _LISTENING
    except OSError:
        return False


def _pods_can_be_made(layout: Layout, settings: Settings) -> bool:
    """The node is Ready since this start, the default account is there, names resolve."""
    server = api.local(layout.kubeconfig())
    try:
        node = server.find(f"/api/v1/nodes/{NODE}") or {}
        account = server.find("/api/v1/namespaces/default/serviceaccounts/default")
    except (OSError, api.Refused):
        return False
    conditions = {item["type"]: item for item in node.get("status", {}).get("conditions", [])}
    ready = conditions.get("Ready", {})
    fresh = ready.get("status") == "True" and ready["lastHeartbeatTime"] >= settings.started
    return fresh and account is not None and _names_resolve()


def _names_resolve() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", 8181, timeout=1)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == _LISTENING
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
