"""What the daemon knows survives it, and versions of it."""

import itertools
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import VERSION, Record
from llmdbenchd.edge.files.origin import Origin
from llmdbenchd.edge.files.origin import encoded as origin_encoded
from llmdbenchd.edge.files.records import NewerRecord, Records, decoded, encoded
from llmdbenchd.ports import Unavailable
from tests.edge.files.faults import Killed, fault
from tests.edge.files.make_samples import FOLDER, samples

SAMPLES = sorted(FOLDER.glob("v*/*.json"))
RECORD = samples()["queued.json"]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    (tmp_path / "jobs" / RECORD.job / "runs").mkdir(parents=True)
    return Records(tmp_path)


def places(records: Records, text: str, run: str = "other") -> Path:
    path = records.path(RECORD.job, run)
    path.write_text(text, encoding="utf-8")
    return path


def test_there_is_a_sample_of_every_phase_in_every_version() -> None:
    found = {(path.parent.name, path.stem) for path in SAMPLES}
    versions = {f"v{number}" for number in range(1, VERSION + 1)}
    assert found == {(v, phase.value.lower()) for v in versions for phase in Phase}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_sample_loads_and_is_saved_with_everything_that_it_held(path: Path) -> None:
    record = decoded(path.read_bytes(), path)
    held, saved = json.loads(path.read_bytes()), json.loads(encoded(record))
    assert record.phase.value.lower() == path.stem
    assert {key: saved[key] for key in held} == held


def test_the_samples_of_this_version_use_every_field() -> None:
    optional = {
        field.name: field.default
        for field in fields(Record)
        if field.default is not MISSING and field.name != "version"
    }
    unused = {
        name
        for name, default in optional.items()
        if all(getattr(record, name) == default for record in samples().values())
    }
    assert unused == set()


@pytest.mark.parametrize("name", sorted(samples()))
def test_a_saved_record_is_read_back_as_it_was(records: Records, name: str) -> None:
    record = samples()[name]
    records.save(record)
    assert records.load_all().records == (record,)
    assert records.read(record.job) == (record,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "truncated"),
        ('{"job": "x"', "truncated"),
        ("[]", "Expected"),
        ('{"job": "x"}', "missing required field"),
        ("\ufffd\x00", "malformed"),
        (encoded(RECORD).decode(), "wrong place"),
        (encoded(RECORD).decode().replace("QUEUED", "DREAMING"), "DREAMING"),
    ],
)
def test_one_bad_record_is_set_aside_and_named_and_never_stops_the_rest(
    records: Records, text: str, reason: str
) -> None:
    records.save(RECORD)
    path = places(records, text)
    loaded = records.load_all()
    (bad,) = loaded.bad
    assert loaded.records == (RECORD,)
    assert bad.path == path.with_name("other.json.bad")
    assert bad.path.read_text(encoding="utf-8") == text
    assert reason in bad.reason
    assert records.load_all().bad == ()


def test_a_second_bad_record_does_not_replace_the_first(records: Records) -> None:
    for text in ("one", "two"):
        places(records, text)
        records.load_all()
    kept = sorted(path.name for path in records.path(RECORD.job, "x").parent.iterdir())
    assert kept == ["other.json.bad", "other.json.bad.1"]


@pytest.mark.parametrize("rest", ["{}", '{"job": 7, "shape": "nobody knows"}'])
def test_a_newer_record_is_refused_whatever_it_holds(records: Records, rest: str) -> None:
    whole = json.loads(encoded(RECORD)) | json.loads(rest) | {"version": VERSION + 1}
    path = places(records, json.dumps(whole))
    with pytest.raises(NewerRecord, match=f"has version {VERSION + 1}, this llmdbenchd reads up"):
        records.load_all()
    assert path.exists()


def test_fields_that_nobody_knows_yet_are_passed_over(records: Records) -> None:
    whole = json.loads(encoded(RECORD)) | {"colour": "green"}
    places(records, json.dumps(whole), RECORD.run)
    assert records.load_all().records == (RECORD,)


def test_a_reader_without_rights_to_change_leaves_bad_records_in_place(records: Records) -> None:
    records.save(RECORD)
    path = places(records, "bad")
    assert records.read(RECORD.job) == (RECORD,)
    assert path.exists()


def test_files_may_vanish_under_a_readers_feet(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.save(RECORD)
    real = Path.iterdir

    def then_gone(path: Path) -> Iterator[Path]:
        found = list(real(path))
        shutil.rmtree(path, ignore_errors=True)
        return iter(found)

    monkeypatch.setattr(Path, "iterdir", then_gone)
    assert records.read(RECORD.job) == ()
    assert records.load_all().records == ()


def test_where_no_daemon_has_been_there_are_no_jobs(tmp_path: Path) -> None:
    records = Records(tmp_path / "nowhere")
    assert (records.jobs(), records.read("a"), records.spec("a")) == ((), (), None)
    assert records.origin("a") is None


def test_a_job_that_was_not_committed_is_not_seen(records: Records) -> None:
    (records.state / "jobs" / ".new-half").mkdir()
    assert records.jobs() == (RECORD.job,)


def test_a_job_keeps_who_dropped_it(records: Records) -> None:
    folder = records.state / "jobs" / RECORD.job
    origin = Origin("x.yaml", "alice", 1000, 1, 2, 3, "ab")
    (folder / "origin.json").write_bytes(origin_encoded(origin))
    assert records.origin(RECORD.job) == origin


def test_a_kill_while_saving_leaves_the_old_record_or_the_new(records: Records) -> None:
    after = replace(RECORD, phase=Phase.RESOLVING)
    seen = set()
    for at in itertools.count(1):
        records.save(RECORD)
        with fault(at) as faulty, suppress(Killed):
            records.save(after)
        loaded = records.load_all()
        assert loaded.bad == ()
        seen.add(loaded.records[0].phase)
        assert len(list(records.path(RECORD.job, "x").parent.iterdir())) == 1
        if not faulty.struck:
            break
    assert seen == {Phase.QUEUED, Phase.RESOLVING}


def test_a_record_of_a_job_without_a_folder_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="folder is gone"):
        Records(tmp_path).save(RECORD)


def test_a_disk_error_while_reading_sets_nothing_aside(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.save(RECORD)

    def broken(_: Path) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", broken)
        (bad,) = records.load_all().bad
    assert bad.path == records.path(RECORD.job, RECORD.run)
    assert records.load_all().records == (RECORD,)
