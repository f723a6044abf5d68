"""Makes what a launcher is of, each thing before what needs it: claim, payload, owner, pod.

Every name follows from the plan and every write may be repeated: whoever was killed between
two of them finds, the next time, what was made, and makes the rest.
"""

import secrets
from typing import Protocol

from llmdbenchd.core.launch import labels
from llmdbenchd.core.launch.manifest import EPHEMERAL, launcher_pod
from llmdbenchd.core.launch.plan import LauncherPlan, Storage
from llmdbenchd.edge.kubernetes.errors import AlreadyExists, Conflict, Forbidden
from llmdbenchd.edge.kubernetes.owners import Owners
from llmdbenchd.edge.kubernetes.payloads import Payloads
from llmdbenchd.edge.kubernetes.pods import pod_named
from llmdbenchd.edge.kubernetes.session import Session
from llmdbenchd.ports import Refused, Unavailable

MAY_PASS = (
    "exceeded quota",  # others may end
    'serviceaccount "default" not found',  # a namespace that was made a moment ago
)


class Claims(Protocol):
    """Who makes the volume claims."""

    async def ensure(self, storage: Storage, attempt: str) -> None:
        """Make the claim for an attempt, or find it made by whomever."""
        ...


class Maker:
    """Makes launchers in one namespace."""

    def __init__(
        self,
        session: Session,
        namespace: str,
        *,
        claims: Claims,
        payloads: Payloads,
        owners: Owners,
    ) -> None:
        self._session = session
        self._namespace = namespace
        self._claims = claims
        self._payloads = payloads
        self._owners = owners

    async def make(self, plan: LauncherPlan) -> None:
        """Make the launcher, or find that it was made before.

        Raises:
            Refused: it can never be made so.
            Unavailable: try again.
        """
        try:
            await self._make(plan)
        except ValueError as error:
            raise Refused(f"launcher {plan.name}: {error}") from error
        except (Forbidden, Conflict) as error:
            if isinstance(error, Conflict) or any(text in str(error) for text in MAY_PASS):
                raise Unavailable(str(error)) from error
            raise

    async def _make(self, plan: LauncherPlan) -> None:
        if plan.storage.mode != EPHEMERAL:
            await self._claims.ensure(plan.storage, labels.attempt_name(plan.name))
        await self._payloads.ensure()
        owner = await self._owners.ensure(plan)
        pod = launcher_pod(plan, self._payloads.payload, owner=owner, secret=secrets.token_hex(16))
        try:
            await self._session.ask("POST", self._pods, body=pod)
        except AlreadyExists:
            await self._adopt(plan)

    async def _adopt(self, plan: LauncherPlan) -> None:
        pod = await pod_named(self._session, self._namespace, plan.name)
        if pod is None:
            raise Unavailable(f"launcher {plan.name} went while it was made")
        if not labels.launcher_labels(plan.identity).items() <= pod.metadata.labels.items():
            taken = f"pod {plan.name} in namespace {self._namespace} is there and is not ours"
            raise Refused(f"{taken}: delete it, or give the job another id")

    @property
    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self._namespace}/pods"
