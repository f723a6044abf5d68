"""The audit's room: records, objects and archives compared, and what may be done about it.

What may be taken away is the least: an object that has ended, and whose evidence is archived
whole, or which belongs to no run that we know.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from llmdbenchd.core.fsck.accounts import (
    Archives,
    Difference,
    Filed,
    Kind,
    Object,
    Objects,
    Records,
    Run,
    Staged,
    Thing,
    Unread,
)
from llmdbenchd.core.job.names import run8
from llmdbenchd.core.launch.labels import attempt_name
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record

_WITH_LAUNCHERS = frozenset({Phase.LAUNCHING, Phase.RUNNING, Phase.COLLECTING, Phase.LEFT})
_MAY_BE_SEALED = frozenset({Phase.REPORTING, Phase.CLEANING})
_OF_A_RUN = re.compile(r".*-launcher-(?P<run8>[0-9a-f]{8})-(?P<attempt>\d+)")

Key = tuple[str, str]


def compare(records: Records, objects: Objects, archives: Archives) -> tuple[Difference, ...]:
    """Every difference, in the order in which a person would look at them."""
    index = _Index.of(records, objects, archives)
    return (
        *_unreadable(records),
        *(one for run in records.runs for one in _missing(run, objects)),
        *(one for thing in objects.things for one in _object(thing, index)),
        *(one for run in records.runs for one in _results(run, index)),
        *(one for filed in archives.filed for one in _archive(filed, index)),
        *(one for staged in archives.staged for one in _half_made(staged, index)),
    )


@dataclass(frozen=True, slots=True)
class _Index:
    """The same accounts, to be looked up in.

    Attributes:
        owners: by the eight digits that stand for a run in names.
        alive: attempts of which a launcher has not ended, as far as anybody can tell.
        jobs: of which there is any record.
        forgets: jobs without any may have been tidied away.
    """

    runs: dict[Key, Run]
    owners: dict[str, Run | Unread]
    filed: dict[Key, Filed]
    alive: frozenset[str]
    unread: frozenset[Key]
    jobs: frozenset[str]
    forgets: bool

    @classmethod
    def of(cls, records: Records, objects: Objects, archives: Archives) -> Self:
        def digits(job: str, run: str) -> str:
            return run8(records.instance, job, run)

        runs = {(one.record.job, one.record.run): one for one in records.runs}
        unread = frozenset((one.job, one.run) for one in records.unread)
        return cls(
            runs=runs,
            owners={digits(one.job, one.run): one for one in records.unread}
            | {digits(*key): run for key, run in runs.items()},
            filed={(one.job, one.run): one for one in archives.filed},
            alive=frozenset(
                attempt_name(thing.name)
                for thing in objects.things
                if thing.kind is Object.LAUNCHER and not thing.has_ended
            ),
            unread=unread,
            jobs=frozenset(job for job, _ in runs.keys() | unread),
            forgets=archives.forgets,
        )

    def is_forgotten(self, job: str) -> bool:
        """Whether all records of a job may have been tidied away, as the settings say."""
        return self.forgets and job not in self.jobs


def _unreadable(records: Records) -> Iterator[Difference]:
    for one in records.unread:
        yield Difference(
            kind=Kind.UNREADABLE,
            what=f"{one.job}/{one.run}",
            detail=f"its record {one.path} cannot be read",
            left="mend it by hand, or remove it: what belongs to it is then an orphan",
        )
    for job, why in {run.record.job: run.trouble for run in records.runs if run.trouble}.items():
        yield Difference(
            kind=Kind.UNREADABLE_JOB, what=job, detail=why, left="its runs stand still"
        )


def _missing(run: Run, objects: Objects) -> Iterator[Difference]:
    """Launchers that a run counts on and that are not there."""
    record = run.record
    if record.phase not in _WITH_LAUNCHERS or run.place not in objects.places:
        return
    there = {thing.name for thing in objects.things if thing.place == run.place}
    for index in record.seen:
        name = run.launchers[index - 1]
        if record.ended(index) is None and name not in there:
            yield Difference(
                kind=Kind.MISSING,
                what=name,
                where=run.place,
                detail=f"{record.key} is {record.phase} and has not seen it end",
                left="a running daemon ends the attempt as lost",
            )


def _object(thing: Thing, index: _Index) -> Iterator[Difference]:
    """A launcher or a ConfigMap, if it should not be there."""
    found = _OF_A_RUN.fullmatch(attempt_name(thing.name))
    owner = index.owners.get(found["run8"]) if found else None
    if found is None or owner is None:
        yield _told(Kind.ORPHAN, thing, "no record knows it", _why_alive(thing, index))
    elif isinstance(owner, Unread):
        said = f"it belongs to {owner.job}/{owner.run}, whose record cannot be read"
        yield _told(Kind.ORPHAN, thing, said, "it may be all that is left of that run")
    else:
        yield from _of_a_run(thing, owner.record, int(found["attempt"]), index)


def _of_a_run(thing: Thing, record: Record, attempt: int, index: _Index) -> Iterator[Difference]:
    if record.phase.is_over:
        noted = f", and noted: {record.left_behind}" if record.left_behind else ""
        why_not = _why_kept(record, attempt, index) or _why_alive(thing, index)
        yield _told(Kind.LEFT_BEHIND, thing, f"{record.key} is {record.phase}{noted}", why_not)
    elif attempt != record.attempt:
        said = f"it is of attempt {attempt}, and {record.key} is in attempt {record.attempt}"
        yield _told(Kind.LEFT_BEHIND, thing, said, "its run is not over")


def _why_kept(record: Record, attempt: int, index: _Index) -> str:
    """Why an object of a run that is over may still be worth something, or empty."""
    filed = index.filed.get((record.job, record.run))
    if record.uncollected and attempt == record.attempt:
        return "its results were not brought home"
    if filed is None:
        return "its run has no archive"
    return "the archive of its run is not whole" if filed.findings else ""


def _why_alive(thing: Thing, index: _Index) -> str:
    """Why an object cannot be called ended, or empty."""
    if thing.kind is Object.CONFIG_MAP:  # its launchers go with it
        return "its launchers have not ended" if attempt_name(thing.name) in index.alive else ""
    if thing.has_ended is None:
        return "nobody can tell whether it has ended: a running daemon finds out"
    return "" if thing.has_ended else "it has not ended"


def _told(kind: Kind, thing: Thing, said: str, left: str) -> Difference:
    return Difference(
        kind=kind,
        what=thing.name,
        where=thing.place,
        detail=f"{thing.kind}: {said}",
        remedy=None if left else thing,
        left=left,
    )


def _results(run: Run, index: _Index) -> Iterator[Difference]:
    """What a run that is over should have brought home, and has not."""
    record = run.record
    if not record.phase.is_over:
        return
    if record.uncollected and record.seen:
        where = f"; they may be in {', '.join(run.results)}" if run.results else ""
        yield Difference(
            kind=Kind.NOT_HOME,
            what=record.key,
            detail=record.uncollected + where,
            left="fetch them by hand; nothing removes them",
        )
    if (record.job, record.run) not in index.filed:
        yield Difference(
            kind=Kind.NOT_ARCHIVED,
            what=record.key,
            detail=f"it is {record.phase}, and there is no archive of it",
            left="nothing is wrong if somebody moved it on purpose",
        )


def _archive(filed: Filed, index: _Index) -> Iterator[Difference]:
    key = filed.job, filed.run
    what, run = "/".join(key), index.runs.get(key)
    if filed.findings:
        more = f", and {len(filed.findings) - 1} more" if len(filed.findings) > 1 else ""
        detail, left = filed.findings[0] + more, "`llmdbenchd verify` names every file"
        yield Difference(kind=Kind.NOT_WHOLE, what=what, detail=detail, left=left)
    if run is None:
        if not index.is_forgotten(filed.job) and key not in index.unread:
            detail, left = "no record knows of it", "archives are people's, and stay"
            yield Difference(kind=Kind.NO_RECORD, what=what, detail=detail, left=left)
    elif not run.record.phase.is_over and run.record.phase not in _MAY_BE_SEALED:
        detail = f"it is archived, and its record is {run.record.phase}"
        left = "was its id used before? the archive that is there will not be replaced"
        yield Difference(kind=Kind.EARLY, what=what, detail=detail, left=left)


def _half_made(staged: Staged, index: _Index) -> Iterator[Difference]:
    run = index.runs.get((staged.job, staged.run))
    if run is not None and not run.record.phase.is_over:
        return
    whose = f"of {staged.job}/{staged.run}, which nobody goes on with"
    evidence = "it may hold evidence that is nowhere else: look, and remove it by hand"
    yield Difference(
        kind=Kind.HALF_MADE,
        what=staged.path,
        detail=f"a folder {whose if staged.run else 'whose making was interrupted'}",
        left=evidence if staged.run else "the daemon's next start removes it",
    )
