"""Whether a run succeeded: four separate facts, none of which stands for another."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    """How a run (or one attempt of it) came out."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, the constant name of its reason, and one sentence for people."""

    outcome: Outcome
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known when an attempt is judged.

    Attributes:
        bad_launcher: a sentence about the first launcher that ended badly, or empty.
        native_files: how many native result files came home.
        requests: requests sent, or None when nothing says so.
        failures: requests failed.
        uncollected: why the copy is not proven whole, or empty.
        sends_load: without it there are no requests, and who ended well saw a server ready.
    """

    bad_launcher: str
    native_files: int
    requests: int | None
    failures: int | None
    uncollected: str
    sends_load: bool = True


def judge(evidence: Evidence, fail_above: float) -> Verdict:
    """Judge one attempt that nobody cancelled and that no time-out ended.

    Args:
        evidence: the four facts.
        fail_above: tolerated share of failed requests, 0 to 1.
    """
    if evidence.bad_launcher:
        return _failed("launcher", evidence.bad_launcher)
    if evidence.uncollected:
        return _failed("collect", f"results are not proven whole: {evidence.uncollected}")
    if evidence.native_files == 0:
        return _failed("no results", "the harness ended well and left no result file")
    if not evidence.sends_load:
        return Verdict(Outcome.SUCCEEDED, "good", "a server became ready")
    if evidence.requests is None or evidence.failures is None:
        return _failed("no proof", "no result file says how many requests were sent")
    if evidence.requests == 0:
        return _failed("no requests", "the harness ended well and sent no request")
    if evidence.failures >= evidence.requests:
        return _failed("all requests failed", f"all {evidence.requests} requests failed")
    share = evidence.failures / evidence.requests
    if share > fail_above:
        return _failed(
            "too many failures",
            f"{evidence.failures} of {evidence.requests} requests failed "
            f"({share:.1%}, tolerated {fail_above:.1%})",
        )
    return Verdict(Outcome.SUCCEEDED, "good", f"{evidence.requests} requests")


def judge_found(evidence: Evidence, fail_above: float, *, told: str) -> Verdict:
    """Judge a run that only collected: how the launchers of these folders ended nobody saw.

    Args:
        evidence: of what came home.
        fail_above: tolerated share of failed requests, 0 to 1.
        told: what came home, for people.
    """
    if not evidence.uncollected and evidence.native_files == 0:
        return _failed("no results", f"{told}; no result file of the harness is among them")
    if not evidence.uncollected and evidence.requests is None:
        return Verdict(Outcome.SUCCEEDED, "collected", f"{told}; no figures of all together")
    verdict = judge(evidence, fail_above)
    if verdict.outcome is Outcome.FAILED:
        return verdict
    return replace(verdict, kind="collected", reason=f"{told}; {verdict.reason}")


def _failed(kind: str, reason: str) -> Verdict:
    return Verdict(Outcome.FAILED, kind, reason)
