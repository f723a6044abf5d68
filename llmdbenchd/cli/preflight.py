"""`check --cluster`: what a run would meet on its way, asked without making anything."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmdbenchd.cli.doctor_cluster import WITHIN_S, Namespaces, cluster
from llmdbenchd.cli.finding import Finding, Verdict
from llmdbenchd.core.job.examination import Outline
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.support import LOCAL, NOP
from llmdbenchd.core.launch.image import malformed, moves
from llmdbenchd.core.launch.manifest import EPHEMERAL
from llmdbenchd.core.launch.plan import LauncherPlan
from llmdbenchd.core.target.asked import Asked
from llmdbenchd.edge.kubernetes.discovering import ClusterScout
from llmdbenchd.edge.kubernetes.payloads import payload_of
from llmdbenchd.edge.kubernetes.rehearsing import claim_phase, would_claim, would_launch
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.edge.local.scouting import LocalScout
from llmdbenchd.ports import NotReady, Refused, Scout, Unavailable
from llmdbenchd.settings import Settings

_WHO = "check"  # instead of a daemon's id


@dataclass(frozen=True, slots=True)
class Preflight:
    """One good job that is about to fly.

    Attributes:
        engine: resolved.
        outlines: its runs, at least one.
    """

    spec: JobSpec
    engine: str
    outlines: Sequence[Outline]
    settings: Settings
    environment: Mapping[str, str]

    def findings(self) -> Iterator[Finding]:
        """Every question with its answer; what could not be found out is said to be so."""
        if self.engine != LOCAL:
            spec = self.spec
            stack, nowhere = frozenset({spec.namespace}), frozenset[str]()
            recorded = stack if spec.harness.name == NOP else nowhere
            looked_up = recorded if spec.endpoint is not None else stack
            asked = Namespaces(frozenset({spec.harness_namespace}), looked_up, recorded)
            rights = list(cluster(self.settings, self.environment, asked))
            yield from rights
            if not any(one.check == "cluster" and one.verdict is Verdict.OK for one in rights):
                return
        try:
            yield from asyncio.run(self._all())
        except (Refused, Unavailable, TimeoutError) as error:
            said = str(error) or f"not all was answered within {WITHIN_S:g} s"
            yield Finding("cluster", Verdict.UNKNOWN, said, "ask again")

    async def _all(self) -> list[Finding]:
        async with asyncio.timeout(WITHIN_S):
            if self.engine == LOCAL:
                return [one async for one in self._targets(LocalScout())]
            access = Access(self.settings.kubeconfig, self.settings.context, self.environment)
            async with await Session.open(access) as session:
                found = []
                if self.spec.harness.name != NOP:  # that has no pod
                    found = [_image(self._plan.pod.image), await self._claim(session)]
                    found.append(await self._room(session))
                return found + [one async for one in self._targets(ClusterScout(session))]

    @property
    def _plan(self) -> LauncherPlan:
        return self.outlines[0].launchers[0]

    async def _claim(self, session: Session) -> Finding:
        storage, namespace = self._plan.storage, self.spec.harness_namespace
        if storage.mode == EPHEMERAL:
            return Finding("claim", Verdict.OK, "none is needed (storage.mode: ephemeral)")
        phase = await claim_phase(session, namespace, storage)
        what = f"{namespace}/{storage.claim}"
        if phase == "Lost":
            fix = "its volume is gone: delete it, or name another with storage.claim"
            return Finding("claim", Verdict.BAD, f"{what} is Lost", fix)
        if phase:
            return Finding("claim", Verdict.OK, f"{what} is there, {phase}")
        why = await would_claim(session, namespace, storage, _WHO)
        if why:
            fix = "have it made by somebody who may, or name another with storage.claim"
            return Finding("claim", Verdict.BAD, f"{what} is not there: {why}", fix)
        said = f"{what} is not there and would be made, with {storage.size}"
        return Finding("claim", Verdict.OK, said)

    async def _room(self, session: Session) -> Finding:
        """Quota head-room, limits and policies, as the API server itself counts them."""
        plan, payload = self._plan, payload_of(_WHO)
        namespace, count = self.spec.harness_namespace, plan.identity.of
        size = f"{count} launchers of {plan.cpu} CPU and {plan.memory}"
        why = await would_launch(session, namespace, plan, payload, together=count)
        if not why:
            return Finding("room", Verdict.OK, f"{namespace}: {size} would be taken")
        fix = "ask for less (harness.cpu, .memory, .parallelism), or for a larger quota"
        alone = await would_launch(session, namespace, plan, payload, together=1)
        if not alone:
            return Finding("room", Verdict.WARN, f"{namespace}: not {size} at once: {why}", fix)
        return Finding("room", Verdict.BAD, f"{namespace}: not one of {size}: {alone}", fix)

    async def _targets(self, scout: Scout) -> AsyncIterator[Finding]:
        """Endpoint and model of each model and method, once."""
        seen: set[tuple[str, str]] = set()
        for one in self.outlines:
            pair = one.cell.model, one.cell.method
            if pair not in seen:
                seen.add(pair)
                yield await self._target(scout, *pair)

    async def _target(self, scout: Scout, model: str, method: str) -> Finding:
        spec = self.spec
        asked = Asked(
            endpoint=spec.endpoint or "",
            method=method,
            namespace=spec.namespace,
            near=spec.harness_namespace,
            model=model,
            loading=spec.harness.name == NOP,
            keyed=spec.endpoint_auth is not None,
        )
        what = f"{model} by {method}"
        try:
            found = await scout.find(asked)
        except Refused as error:
            return Finding("target", Verdict.BAD, f"{what}: {error}", "see the sentence")
        except NotReady as error:
            fix = f"a run waits for it, {spec.timeouts.target:g} s (timeouts.target)"
            return Finding("target", Verdict.WARN, f"{what}: not ready: {error}", fix)
        except Unavailable as error:
            return Finding("target", Verdict.UNKNOWN, f"{what}: {error}", "ask again")
        said = f"{what}: {found.endpoint} ({found.found or 'as given'})"
        if found.note:
            return Finding("target", Verdict.WARN, f"{said}: {found.note}", "look whether it is so")
        serves = f", serves {found.model or model}"
        pods = f", pods {', '.join(found.servers[1:])}" if len(found.servers) > 1 else ""
        return Finding("target", Verdict.OK, f"{said}{serves}{pods}")


def _image(reference: str) -> Finding:
    if malformed(reference):
        fix = "write harness.image: REGISTRY/NAME:TAG"
        return Finding("image", Verdict.BAD, f"`{reference}` is no reference of an image", fix)
    if moves(reference):
        said = f"{reference} may be another image tomorrow"
        return Finding("image", Verdict.WARN, said, "write a tag that stays, or a digest")
    return Finding("image", Verdict.OK, reference)
