"""Which engine a place has; all engines of one kind share what they stand on."""

import sys
from collections.abc import Mapping
from pathlib import Path

from llmdbenchd import payload
from llmdbenchd.core.launch.plan import IMAGE, Places
from llmdbenchd.edge.local.installed import Installed
from llmdbenchd.edge.local.launchers import LocalEngine
from llmdbenchd.ports import Clock, Engine, Refused
from llmdbenchd.settings import Settings

LOCAL = "local"
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class Engines:
    """Builds engines by their place."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], clock: Clock) -> None:
        self._settings = settings
        self._environment = environment
        self._clock = clock
        self._local = self._local_engine()

    def build(self, place: str) -> Engine:
        """The engine of a place."""
        if place == LOCAL:
            return self._local
        raise Refused(f"no engine for {place}")

    def places(self, place: str, launcher: str) -> Places:
        """Where a launcher in this place sees its files."""
        return self._local.places(launcher) if place == LOCAL else IMAGE

    def _local_engine(self) -> LocalEngine:
        settings, environment = self._settings, self._environment
        installed = Installed(
            payload=Path(payload.__file__).parent,
            python=Path(sys.executable),
            base_environment={name: environment[name] for name in PASSED_ON if name in environment},
            venvs=settings.harness_venvs,
            executables=settings.executables,
        )
        return LocalEngine(
            settings.state / "local",
            installed,
            boot_id=self._clock.now().boot_id,
            min_free=settings.min_free,
        )
