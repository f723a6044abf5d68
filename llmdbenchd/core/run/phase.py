"""The phases of a run, and the one table that says which may follow which.

Everything that affects transitions of phase lives in this file; `decide` may
only move along `NEXT`, and the picture in `docs/architecture.md` is drawn from it.
"""

from enum import StrEnum


class Phase(StrEnum):
    """Where a run stands; each member says what the run is waiting for."""

    QUEUED = "QUEUED"  # its turn to be resolved
    RESOLVING = "RESOLVING"  # the target to be looked up, the workload to be rendered
    READY = "READY"  # a slot, and the lease on its target
    LAUNCHING = "LAUNCHING"  # all N launchers to run (or to have ended)
    RUNNING = "RUNNING"  # all N launchers to end
    COLLECTING = "COLLECTING"  # every byte of the results to be proven here
    REPORTING = "REPORTING"  # the archive to be sealed
    CLEANING = "CLEANING"  # the launchers to be gone
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    LEFT = "LEFT"  # started and left running on request; `collect` brings it back

    @property
    def is_final(self) -> bool:
        """Whether the daemon is done with a run in this phase."""
        return self in FINAL

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to such a run any more; one that was LEFT can be fetched."""
        return self in FINAL and self is not Phase.LEFT

    @property
    def holds_slot(self) -> bool:
        """Whether a run in this phase holds a slot and the lease on its target."""
        return self in {Phase.LAUNCHING, Phase.RUNNING}


FINAL = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED, Phase.LEFT})

NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.QUEUED: frozenset({Phase.RESOLVING, Phase.COLLECTING}),
    Phase.RESOLVING: frozenset({Phase.READY, Phase.COLLECTING}),
    Phase.READY: frozenset({Phase.LAUNCHING, Phase.RESOLVING, Phase.COLLECTING}),
    Phase.LAUNCHING: frozenset({Phase.RUNNING, Phase.COLLECTING, Phase.LEFT}),
    Phase.RUNNING: frozenset({Phase.COLLECTING}),
    Phase.COLLECTING: frozenset({Phase.READY, Phase.REPORTING}),
    Phase.REPORTING: frozenset({Phase.CLEANING}),
    Phase.CLEANING: frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED}),
    Phase.SUCCEEDED: frozenset(),
    Phase.FAILED: frozenset(),
    Phase.CANCELLED: frozenset(),
    Phase.LEFT: frozenset({Phase.COLLECTING}),
}


def picture() -> str:
    """Draw `NEXT` as a Mermaid state diagram (text, ending in a newline)."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.QUEUED}"]
    for phase in Phase:
        lines += [f"    {phase} --> {after}" for after in Phase if after in NEXT[phase]]
        if phase.is_final:
            lines.append(f"    {phase} --> [*]")
    return "\n".join(lines) + "\n"
