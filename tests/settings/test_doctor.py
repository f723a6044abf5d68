"""What the doctor finds, in places made for it."""

import argparse
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmdbenchd import settings
from llmdbenchd.cli import doctor
from llmdbenchd.cli.finding import Finding, Verdict
from llmdbenchd.settings import NAMES, Settings

MOUNTS = """\
22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:40 / /data rw shared:2 - ext4 /dev/vdb rw
41 40 0:41 / /data/my\\040bench rw - nfs4 server:/export rw
42 22 0:42 / /data rw - xfs /dev/vdc rw
"""


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SYSTEM_FILE", tmp_path / "none.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))  # no cluster of whoever runs the tests is asked
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name in NAMES:
        monkeypatch.delenv(f"LLMDBENCHD_{name.upper()}", raising=False)


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    doctor.register(parser.add_subparsers())
    args = parser.parse_args(["doctor", *words])
    code: int = args.run(args)
    return code


def verdicts(findings: Iterator[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def test_an_empty_folder_is_good_and_stays_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--json") == 0

    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is True
    assert {"settings", "queue", "state", "archive", "reports"} <= {
        c["check"] for c in said["checks"]
    }
    assert list(tmp_path.iterdir()) == []


def test_what_is_bad_makes_the_answer_no_and_comes_with_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "queue").write_text("not a folder")
    (tmp_path / "c.toml").write_text(f'queue = "{tmp_path}/queue"\nengine = "lokal"\n')
    assert run("--config", "c.toml") == 1

    text = capsys.readouterr().out
    assert "bad   settings" in text
    assert "bad   queue        " + f"{tmp_path}/queue is not a folder\n" in text
    assert "-> move it out of the way" in text


def test_a_folder_that_exists_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    found = list(doctor.folder("state", tmp_path, min_free=0))

    assert found[0] == Finding("state", Verdict.OK, f"{tmp_path} can be written")
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_bad(tmp_path: Path) -> None:
    *_, room = doctor.folder("archive", tmp_path / "later", min_free=2**70)

    assert room.verdict is Verdict.BAD
    assert "min_free" in room.fix


def test_a_folder_inside_that_lies_elsewhere_is_bad(tmp_path: Path) -> None:
    (tmp_path / ".taken").symlink_to("/proc")
    found = list(doctor.folder("queue", tmp_path, min_free=0))

    assert found[-1].verdict is Verdict.BAD
    assert f"{tmp_path}/.taken is on another filesystem" in found[-1].said


def test_a_queue_for_everybody_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    assert verdicts(doctor.folder("queue", tmp_path, min_free=0)) == [Verdict.OK, Verdict.WARN]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv", "ext4"),
        ("/database", "ext4"),
        ("/data/queue", "xfs"),
        ("/data/my bench/queue", "nfs4"),
    ],
    ids=["the root", "only a like name", "mounted over", "a space in the name"],
)
def test_the_innermost_and_latest_mount_counts(tmp_path: Path, path: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)

    assert doctor.filesystem(Path(path), mounts) == kind
    assert doctor.filesystem(Path(path), tmp_path / "absent") == "unknown"


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("nfs4", "queue", Verdict.BAD),
        ("nfs4", "archive", Verdict.BAD),
        ("tmpfs", "state", Verdict.WARN),
        ("tmpfs", "queue", None),
        ("xfs", "state", None),
        ("unknown", "state", None),
    ],
)
def test_some_filesystems_are_no_good(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    expected: Verdict | None,
) -> None:
    monkeypatch.setattr(doctor, "filesystem", lambda _path: kind)
    found = [one for one in doctor.folder(name, tmp_path, min_free=0) if f" {kind}" in one.said]

    assert [one.verdict for one in found] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(1524, Verdict.OK), (1523, Verdict.WARN), (resource.RLIM_INFINITY, Verdict.OK)],
)
def test_as_many_files_as_streams_and_some_must_be_allowed(limit: int, expected: Verdict) -> None:
    assert doctor.open_files(500, (limit, limit)).verdict is expected


def test_a_local_engine_without_harnesses_is_bad_and_with_one_names_it(tmp_path: Path) -> None:
    local = Settings(engine="local", harness_venvs=tmp_path)
    (tmp_path / "guidellm/bin").mkdir(parents=True)
    assert verdicts(doctor.engine(local)) == [Verdict.OK, Verdict.BAD]

    (tmp_path / "inference-perf/bin").mkdir(parents=True)
    (tmp_path / "inference-perf/bin/inference-perf").touch()
    _, harnesses = doctor.engine(local)
    assert harnesses == Finding("harnesses", Verdict.OK, f"{tmp_path}: inference-perf")


def test_a_cluster_needs_no_harness_here_but_its_kubeconfig(tmp_path: Path) -> None:
    there = tmp_path / "kubeconfig"
    pinned = Settings(engine="kubernetes", kubeconfig=there)
    assert verdicts(doctor.engine(pinned)) == [Verdict.OK, Verdict.BAD]

    there.touch()
    assert verdicts(doctor.engine(pinned)) == [Verdict.OK]


def test_executables_that_others_may_change_are_bad(tmp_path: Path) -> None:
    local = Settings(engine="auto", executables=tmp_path / "bin")
    assert [one.said for one in doctor.engine(local)][2:] == [f"{tmp_path}/bin is no folder"]

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/mine.sh").touch(0o755)
    (tmp_path / "bin").chmod(0o770)
    assert verdicts(doctor.engine(local))[2:] == [Verdict.BAD]

    (tmp_path / "bin").chmod(0o750)
    assert [one.said for one in doctor.engine(local)][2:] == [f"{tmp_path}/bin: mine.sh"]


def test_the_converter_is_wanted_in_the_version_whose_traps_are_known() -> None:
    assert doctor.converter("llmd-benchmark-report", "0.2.1").verdict is Verdict.OK
    assert doctor.converter("llmd-benchmark-report", "9").verdict is Verdict.WARN
    assert doctor.converter("no-such-package-here", "1").verdict is Verdict.BAD


def test_what_may_not_be_looked_at_is_said_and_the_rest_is_kept() -> None:
    def forbidden() -> Iterator[Finding]:
        yield Finding("state", Verdict.OK, "so far")
        raise PermissionError(13, os.strerror(13), "/secret")

    first, second = doctor.looked("state", forbidden())
    assert first.said == "so far"
    assert (second.verdict, second.said) == (
        Verdict.WARN,
        "could not be looked at: /secret: Permission denied",
    )
