"""The cluster that end-to-end tests run in: its administrator's way in, its components."""

import json
import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import api, components
from tests.cluster.layout import Layout
from tests.cluster.places import INSIDE
from tests.e2e.namespace import Namespace

_FOREIGN = "E2E_KUBECONFIG"
_FOREIGN_VOLUMES = Path("/var/local/llmdbenchd-e2e")  # on the node of somebody else's cluster
_RESTART_S = 10.0
MISSING = (
    "real cluster missing: `make e2e` starts one and runs the tests inside it; "
    f"{_FOREIGN}=FILE uses another"
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is up.

    Attributes:
        kubeconfig: the administrator's.
        api: asked as the administrator.
        layout: of our own cluster, whose components a test may end; None for another.
    """

    kubeconfig: Path
    api: api.Api
    layout: Layout | None

    @contextmanager
    def namespace(self, prefix: str = "e2e") -> Iterator[Namespace]:
        """A new namespace of a random name; its objects and volumes are removed afterwards."""
        volumes = self.layout.volumes if self.layout else None
        made = Namespace(f"{prefix}-{secrets.token_hex(3)}", self.api, volumes, _FOREIGN_VOLUMES)
        made.open()
        try:
            yield made
        finally:
            made.close()

    def kill(self, component: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal a component; one that ends is started again after a second, unless held.

        SIGTERM of the API server takes more than a minute: tests kill it.
        """
        os.kill(self.pid(component), number)

    def pid(self, component: str) -> int:
        """The component's process, as the tests see it; waits for one that is started again."""
        assert component in components.NAMES
        file = self._ours().pid_file(component)
        deadline = time.monotonic() + _RESTART_S
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        return int(file.read_text(encoding="utf-8"))

    @contextmanager
    def without(self, component: str) -> Iterator[None]:
        """Kill a component and keep it from being started again until the block ends."""
        hold = self._ours().hold_file(component)
        hold.touch()
        try:
            self.kill(component)
            yield
        finally:
            hold.unlink()

    @contextmanager
    def frozen(self, component: str) -> Iterator[None]:
        """Stop a component's process, connections left open, until the block ends."""
        self.kill(component, signal.SIGSTOP)
        try:
            yield
        finally:
            self.kill(component, signal.SIGCONT)

    def kubeconfig_of(self, namespace: Namespace, account: str, into: Path) -> Path:
        """Write a kubeconfig for a service account's own token, which lasts an hour."""
        config = _read(self.kubeconfig)
        context = config["contexts"][0]
        context["context"] |= {"user": account, "namespace": namespace.name}
        config["contexts"], config["current-context"] = [context], context["name"]
        config["users"] = [{"name": account, "user": {"token": namespace.token(account)}}]
        into.write_text(json.dumps(config), encoding="utf-8")
        into.chmod(0o600)
        return into

    def _ours(self) -> Layout:
        assert "PYTEST_XDIST_WORKER" not in os.environ, "mark it `alone`: others need the component"
        if self.layout is None:
            pytest.skip("the components of another cluster are not ours to end")
        return self.layout


def find() -> Cluster:
    """The cluster around this process, or the one that E2E_KUBECONFIG names; skips without."""
    if named := os.environ.get(_FOREIGN):
        kubeconfig = Path(named).absolute()
        return Cluster(kubeconfig, api.Api.of(_read(kubeconfig)), None)
    if not (state := os.environ.get(INSIDE)):
        pytest.skip(MISSING)
    layout = Layout(Path(state))
    return Cluster(layout.kubeconfig(), api.local(layout.kubeconfig()), layout)


def _read(kubeconfig: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    return content
