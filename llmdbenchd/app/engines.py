"""Which engine a place has; all engines of one kind share what they stand on."""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from llmdbenchd import payload
from llmdbenchd.core.job.place import LOCAL, RECORDER, namespace_of
from llmdbenchd.core.launch.plan import IMAGE, LauncherPlan, Places
from llmdbenchd.core.launch.preview import preview
from llmdbenchd.edge.kubernetes.access import Access
from llmdbenchd.edge.kubernetes.collecting import Collecting
from llmdbenchd.edge.kubernetes.connecting import ConnectingEngine, ConnectingScout, Connection
from llmdbenchd.edge.kubernetes.launchers import KubernetesEngine
from llmdbenchd.edge.kubernetes.payloads import Payloads, payload_of
from llmdbenchd.edge.kubernetes.pools import PoolSizes
from llmdbenchd.edge.kubernetes.rate import ByteRate
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.edge.kubernetes.storage import Claims
from llmdbenchd.edge.local.installed import Installed
from llmdbenchd.edge.local.launchers import LocalEngine
from llmdbenchd.edge.local.scouting import LocalScout
from llmdbenchd.edge.recording.engine import RecordingEngine
from llmdbenchd.edge.recording.following import Follower
from llmdbenchd.ports import Clock, Engine, Scout
from llmdbenchd.settings import Settings

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class Engines:
    """Builds engines by their place: `local`, `kubernetes/<namespace>`, or `recorder`."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], clock: Clock, instance: str
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._clock = clock
        self._instance = instance
        self._local = self._local_engine()
        self._connection = Connection(self._open_session)
        self._rate = ByteRate(settings.transfer_rate)

    def build(self, place: str) -> Engine:
        """The engine of a place."""
        if place == LOCAL:
            return self._local
        if place == RECORDER:
            return ConnectingEngine(self._connection, self._recorder)
        return ConnectingEngine(self._connection, partial(self._on_cluster, namespace_of(place)))

    def scout(self, place: str) -> Scout:
        """Who looks for the targets of launchers in a place."""
        return LocalScout() if place == LOCAL else ConnectingScout(self._connection)

    def servers(self) -> Follower:
        """Who follows what servers log, which is done on a cluster only."""
        return Follower(self._connection, lambda: self._clock.now().utc)

    def places(self, place: str, launcher: str) -> Places:
        """Where a launcher in this place sees its files."""
        return self._local.places(launcher) if place == LOCAL else IMAGE

    def preview(self, place: str, plans: Sequence[LauncherPlan]) -> Mapping[str, bytes]:
        """Files that show what would be made of launchers in a place; nothing is touched."""
        return preview(plans, None if place in {LOCAL, RECORDER} else payload_of(self._instance))

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()

    async def _open_session(self) -> Session:
        access = Access(self._settings.kubeconfig, self._settings.context, self._environment)
        return await Session.open(access, sizes=PoolSizes(logs=self._settings.max_streams))

    def _on_cluster(self, namespace: str, session: Session) -> KubernetesEngine:
        payloads = Payloads(session, namespace, payload_of(self._instance))
        collecting = Collecting(
            session,
            namespace,
            self._instance,
            payloads=payloads,
            image=self._settings.image,
            min_free=self._settings.min_free,
            rate=self._rate,
            warm_s=self._settings.access_pod_seconds,
        )
        return KubernetesEngine(
            session,
            namespace,
            self._instance,
            payloads=payloads,
            claims=Claims(session, namespace, self._instance),
            collector=collecting,
            clock=lambda: self._clock.now().boot_s,
        )

    def _recorder(self, session: Session) -> RecordingEngine:
        return RecordingEngine(
            self._settings.state / "recordings",
            session,
            clock=self._seconds,
            min_free=self._settings.min_free,
        )

    def _seconds(self) -> float:
        return self._clock.now().utc.timestamp()

    def _local_engine(self) -> LocalEngine:
        settings, environment = self._settings, self._environment
        installed = Installed(
            payload=Path(payload.__file__).parent,
            python=Path(sys.executable),
            base_environment={name: environment[name] for name in PASSED_ON if name in environment},
            venvs=settings.harness_venvs,
            executables=settings.executables,
            secrets=settings.secrets,
            roots=settings.path_roots,
        )
        return LocalEngine(
            settings.state / "local",
            installed,
            boot_id=self._clock.now().boot_id,
            min_free=settings.min_free,
        )
