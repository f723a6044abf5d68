"""The room's broom: which of our objects in a namespace may go, and why the others stay."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmdbenchd.core.launch.labels import INSTANCE, JOB, MANAGED_BY, OURS, RUN, label_value
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record

POD, CONFIG_MAP, CLAIM = "pod", "ConfigMap", "claim"
_ORDER = (POD, CONFIG_MAP, CLAIM)


@dataclass(frozen=True, slots=True)
class Owned:
    """An object of ours, or of another daemon's, as it was found.

    Attributes:
        kind: `POD`, `CONFIG_MAP` or `CLAIM`.
    """

    namespace: str
    kind: str
    name: str
    uid: str
    labels: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Sorted:
    """What goes, in the order in which it goes, and what stays, each with the reason."""

    goes: tuple[Owned, ...]
    stays: tuple[tuple[Owned, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a daemon's folders say.

    Attributes:
        instance: the daemon's id.
        jobs: every job, also one whose records cannot be read.
        records: of all runs that can be read.
        daemon: one is running, and may use what belongs to no run.
    """

    instance: str
    jobs: tuple[str, ...]
    records: tuple[Record, ...]
    daemon: bool


def sort_out(found: Iterable[Owned], known: Known) -> Sorted:
    """Say of each object whether it may go.

    Args:
        found: what carries our label; anything else is not even looked at.
        known: what the daemon's folders say.
    """
    runs = {(label_value(one.job), label_value(one.run)): one for one in known.records}
    goes: list[Owned] = []
    stays: list[tuple[Owned, str]] = []
    for one in sorted(found, key=lambda one: (_ORDER.index(one.kind), one.namespace, one.name)):
        run = runs.get((one.labels.get(JOB, ""), one.labels.get(RUN, "")))
        why = _reason(one, run, known)
        if why:
            stays.append((one, why))
        else:
            goes.append(one)
    return Sorted(tuple(goes), tuple(stays))


def _reason(one: Owned, run: Record | None, known: Known) -> str:
    """Why it stays, or empty."""
    instance, job = one.labels.get(INSTANCE, ""), one.labels.get(JOB, "")
    if one.labels.get(MANAGED_BY) != OURS or instance != label_value(known.instance):
        return f"another daemon made it ({instance or 'of no name'})"
    if one.kind == CLAIM:
        return "results may lie on it: nobody but you removes it"
    if run is None and job in map(label_value, known.jobs):
        return f"the record of its run cannot be read: see `llmdbenchd status {job}`"
    if run is None:
        return "" if job or not known.daemon else "a daemon is running that may use it"
    if run.phase is Phase.LEFT:
        return f"run {run.key} was left running on request: `llmdbenchd collect {run.job}` first"
    if not run.phase.is_final:
        return f"run {run.key} is {run.phase}: `llmdbenchd cancel {run.key}` ends it"
    if run.uncollected:
        return f"results of run {run.key} were not brought home: {run.uncollected}"
    return ""
