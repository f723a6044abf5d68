"""The queue and the records on a local disk: what there is, for the audit. Changes nothing."""

from collections.abc import Iterator
from pathlib import Path

from llmdbenchd.core.fsck.accounts import Filed, Staged, Unread
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.files.archive import Archive, Finding, verify
from llmdbenchd.edge.files.claims import JOBS
from llmdbenchd.edge.files.durable import STAGED, translated
from llmdbenchd.edge.files.records import RUNS, Records
from llmdbenchd.edge.files.staging import INCOMING
from llmdbenchd.ports import Refused, Unavailable

_RECORD = ".json"


def unread_records(records: Records, job: str, read: tuple[Record, ...]) -> Iterator[Unread]:
    """Records of a job that are not among those `read`: bad ones, and those set aside.

    Raises:
        Refused, Unavailable: the folder cannot be read.
    """
    folder = records.state / JOBS / job / RUNS
    known = {record.run for record in read}
    for path in _entries(folder):
        run, ending, aside = path.name.partition(_RECORD)
        if ending and (aside or run not in known):
            yield Unread(job, run, str(path))


def filed_runs(archive: Archive, *, hashed: bool) -> Iterator[Filed]:
    """Every archived run; with `hashed` every byte of it is read and compared.

    Raises:
        OSError: the archive cannot be read.
    """
    for sealed in archive.runs():
        findings = tuple(_findings(sealed.path)) if hashed else ()
        yield Filed(sealed.job, sealed.run, findings)


def staged_folders(state: Path, archive: Path, *, daemon: bool) -> Iterator[Staged]:
    """Folders that wait to be finished: evidence of runs, and without a `daemon` jobs as well.

    Raises:
        Refused, Unavailable: a folder cannot be read.
    """
    for job in _entries(archive / INCOMING):
        for run in _entries(job):
            yield Staged(str(run), job.name, run.name)
    if not daemon:
        for folder in _entries(state / JOBS):
            if folder.name.startswith(STAGED):
                yield Staged(str(folder))


def _findings(path: Path) -> Iterator[str]:
    try:
        yield from map(_sentence, verify(path))
    except (Refused, Unavailable) as error:
        yield str(error)


def _sentence(finding: Finding) -> str:
    return f"{finding.path}: {finding.kind}: {finding.detail}"


def _entries(folder: Path) -> list[Path]:
    with translated(folder):
        try:
            return sorted(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
