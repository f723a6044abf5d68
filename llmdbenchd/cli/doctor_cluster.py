"""What `doctor` asks a cluster: whether it answers, and every right that the daemon needs."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmdbenchd.cli.finding import Finding, Verdict
from llmdbenchd.core.job.accepted import AcceptedJob, decoded
from llmdbenchd.core.job.model import JobSpec
from llmdbenchd.core.job.support import KUBERNETES, LOCAL, NOP
from llmdbenchd.core.rights import LAUNCHERS, PREPROCESS, STACK, STACK_CHANGES, Right, lacks
from llmdbenchd.edge.desk import cluster_configured
from llmdbenchd.edge.files.records import NewerRecord, Records
from llmdbenchd.edge.kubernetes.errors import Unauthorized
from llmdbenchd.edge.kubernetes.rights import missing_rights
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.ports import Refused, Unavailable
from llmdbenchd.settings import Settings

WITHIN_S = 30.0  # for all questions together
_RECORDING = (
    (STACK_CHANGES, "nop's restarts, sleep and wake", "rbac-stack-nop.yaml"),
    (PREPROCESS, "preprocess install", "rbac-stack-preprocess.yaml"),
)


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Where launchers go, where model servers are looked up, and where their loads are recorded."""

    launchers: frozenset[str] = frozenset()
    stacks: frozenset[str] = frozenset()
    recorded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Question:
    """All rights that are needed in one namespace, for whom, and the file that grants them.

    Attributes:
        is_extra: most do without, so having none of them is no sign of a wrong namespace.
    """

    namespace: str
    rights: Sequence[Right]
    whose: str
    file: str
    is_extra: bool = False


def cluster(
    settings: Settings, environment: Mapping[str, str], asked: Namespaces
) -> Iterator[Finding]:
    """Ask the cluster, if launchers can go to one and the way to it can be read."""
    if settings.engine == LOCAL or not cluster_configured(settings, environment):
        if settings.engine == KUBERNETES:
            yield Finding("cluster", Verdict.BAD, "no cluster is configured", "set `kubeconfig`")
        return
    if settings.kubeconfig is not None and not os.access(settings.kubeconfig, os.R_OK):
        return  # said already
    chosen, problems = (asked, []) if asked.launchers else of_jobs(settings)
    yield from problems
    questions = _questions(
        Namespaces(chosen.launchers, chosen.stacks | asked.stacks, chosen.recorded | asked.recorded)
    )
    access = Access(settings.kubeconfig, settings.context, environment)
    try:
        yield from asyncio.run(_answers(access, questions))
    except Unauthorized as error:
        fix = "renew the credentials in the kubeconfig"
        yield Finding("cluster", Verdict.BAD, str(error), fix)
    except (Unavailable, TimeoutError) as error:
        said = str(error) or f"it did not answer all questions within {WITHIN_S:g} s"
        fix = "look at the network, and whether the API server is up; then ask again"
        yield Finding("cluster", Verdict.UNKNOWN, said, fix)
    except Refused as error:
        yield Finding("cluster", Verdict.BAD, str(error), "see `kubeconfig` and `context`")


def of_jobs(settings: Settings) -> tuple[Namespaces, list[Finding]]:
    """Where the settings and the jobs that are not over send launchers; and what is unreadable."""
    default: str = JobSpec.model_fields["namespace"].default
    launchers, stacks, recorded = {settings.namespace or default}, set[str](), set[str]()
    problems: list[Finding] = []
    for job in _open_jobs(Records(settings.state), problems):
        if job.engine == KUBERNETES:
            launchers.add(job.spec.harness_namespace)
            is_recording = job.spec.harness.name == NOP
            if job.spec.endpoint is None or is_recording:
                stacks.add(job.spec.namespace)
            if is_recording:
                recorded.add(job.spec.namespace)
    return Namespaces(frozenset(launchers), frozenset(stacks), frozenset(recorded)), problems


def _open_jobs(records: Records, problems: list[Finding]) -> Iterator[AcceptedJob]:
    reading = "the jobs' records"
    try:
        for job in records.jobs():
            reading = f"job {job}"
            if not all(record.phase.is_over for record in records.read(job)):
                yield decoded(records.spec(job) or b"")
    except (Refused, Unavailable, NewerRecord, ValueError, TypeError, KeyError) as error:
        said = f"{reading} cannot be read, nor where they send launchers: {error}"
        problems.append(Finding("rights", Verdict.WARN, said, "name it with --namespace"))


def _questions(namespaces: Namespaces) -> list[_Question]:
    questions = [
        _Question(name, LAUNCHERS, "launchers", "rbac.yaml")
        for name in sorted(namespaces.launchers)
    ]
    for name in sorted(namespaces.stacks):
        questions.append(_Question(name, STACK, "looking up servers", "rbac-stack.yaml"))
        if name in namespaces.recorded:
            questions += [
                _Question(name, rights, whose, file, is_extra=True)
                for rights, whose, file in _RECORDING
            ]
    return questions


async def _answers(access: Access, questions: Sequence[_Question]) -> list[Finding]:
    async with asyncio.timeout(WITHIN_S), await Session.open(access) as session:
        found = [
            finding
            for question in questions
            for finding in _judged(
                question, await missing_rights(session, question.namespace, question.rights)
            )
        ]
    return [Finding("cluster", Verdict.OK, f"{session.server.url} answers"), *found]


def _judged(question: _Question, missing: frozenset[Right]) -> Iterator[Finding]:
    where, rights = question.namespace, question.rights
    lacking = lacks(rights, missing)
    fix = f"kubectl apply --namespace {where} --filename deploy/{question.file}"
    if len(missing) == len(rights) and not question.is_extra:
        said = f"{where}: none of the {len(rights)} for {question.whose}: is it the right namespace"
        bad = Verdict.BAD if any(lack.is_bad for lack in lacking) else Verdict.WARN
        yield Finding("rights", bad, f"{said}, and are we in its RoleBinding?", fix)
        return
    if not missing:
        said = f"{where}: all {len(rights)} for {question.whose}"
        yield Finding("rights", Verdict.OK, said)
    for lack in lacking:
        verdict = Verdict.BAD if lack.is_bad else Verdict.WARN
        said = f"{where}: may not {lack.right} ({lack.right.reason}): {lack.then}"
        yield Finding("rights", verdict, said, f"{fix}, or in the Role: {lack.right.rule}")
