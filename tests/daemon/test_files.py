"""What people put into the queue: good, bad, odd, half, and a great many at once."""

import os
from pathlib import Path

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = pytest.mark.slow

FIVE_MISTAKES = """\
endpoint: ftp://nowhere
prioritty: 5
repeat: none
harness:
  parallelism: -1
share_target: perhaps
"""


def refused(house: Household, name: str) -> str:
    """Wait for a file's refusal; the reason beside it."""
    why = house.queue / "rejected" / f"{name}.why"
    house.wait_for(f"the refusal of {name}", why.exists)
    house.wait_for("the file", lambda: os.path.lexists(house.queue / "rejected" / name))
    return why.read_text()


def test_five_mistakes_are_told_together_each_with_its_line(home: Household) -> None:
    (home.root / "bad.yaml").write_text(FIVE_MISTAKES)
    (home.root / "bad.yaml").rename(home.queue / "bad.yaml")

    why = refused(home, "bad.yaml")

    findings = [line for line in why.splitlines() if line.startswith("bad.yaml:")]
    assert [finding.split(":")[1] for finding in findings] == ["1", "2", "3", "5", "6"]
    assert 'did you mean "priority"?' in why
    done = home.cli("check", str(home.queue / "rejected" / "bad.yaml"))
    assert done.returncode == 1
    assert "rejected/bad.yaml: 5 mistakes" in done.stdout


def test_a_second_file_with_a_known_id_is_refused_and_points_to_the_first(home: Household) -> None:
    home.run_job("once", job())
    (home.root / "other.yaml").write_text(yaml.safe_dump({"id": "once", **job()}))
    (home.root / "other.yaml").rename(home.queue / "other.yaml")

    why = refused(home, "other.yaml")

    assert "the id once is already known (dropped as once.yaml by root)" in why
    assert len(home.records("once")) == 1


def test_a_name_with_spaces_and_other_scripts_becomes_a_job(home: Household) -> None:
    name = "Größe 测试 №1.yaml"
    (home.queue / name).write_text(yaml.safe_dump(job()))

    accepted = home.wait_for_event("job.accepted", file=name)

    assert home.ended(accepted["job"]).phase is Phase.SUCCEEDED
    assert (home.archive / accepted["job"] / "r001").is_dir()


def test_a_link_and_a_giant_are_refused_and_a_folder_is_left_alone(home: Household) -> None:
    (home.queue / "folder.yaml").mkdir()
    secret = home.root / "secret"
    secret.write_text("hidden: words")
    (home.queue / "link.yaml").symlink_to(secret)
    with (home.queue / "giant.yaml").open("wb") as giant:
        giant.truncate(20 << 20)

    why = refused(home, "link.yaml")
    assert "symbolic link" in why
    assert "hidden" not in why
    assert "20971520 bytes" in refused(home, "giant.yaml")
    assert (home.queue / "folder.yaml").is_dir()
    assert secret.read_text() == "hidden: words"
    (home.queue / "folder.yaml").rmdir()


def test_binary_and_a_bomb_of_aliases_are_refused_without_harm(home: Household) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
        f"{chr(letter)}: &{chr(letter)} [{', '.join(['*' + chr(letter - 1)] * 9)}]"
        for letter in range(ord("b"), ord("i"))
    )
    (home.queue / "bomb.yaml").write_text(bomb)
    (home.queue / "binary.yaml").write_bytes(bytes(range(256)) * 8)

    assert "bomb.yaml:" in refused(home, "bomb.yaml")
    assert "binary.yaml" in refused(home, "binary.yaml")


def test_a_half_written_file_waits_for_its_writer(home: Household) -> None:
    text = yaml.safe_dump({"id": "halves", **job()})
    with (home.queue / "halves.yaml").open("w", buffering=1) as writer:
        writer.write(text[:60])
        writer.flush()
        home.run_job("meanwhile", job())  # a whole life goes by
        assert (home.queue / "halves.yaml").exists()
        assert home.records("halves") == ()
        writer.write(text[60:])

    assert home.ended("halves").phase is Phase.SUCCEEDED


def test_an_editors_and_rsyncs_own_files_are_not_for_us(home: Household) -> None:
    names = (".x.yaml.swp", ".x.yaml.Xk2j9s", "x.yaml~", "x.yaml.part", "x.yaml.tmp", "notes.txt")
    for name in names:
        (home.queue / name).write_text("half")
    home.run_job("beside", job())

    assert all((home.queue / name).read_text() == "half" for name in names)


def test_three_hundred_files_at_once_are_taken_exactly_once_across_a_kill(
    household: Household,
) -> None:
    household.start()
    outside = household.root / "outside"
    outside.mkdir()
    for number in range(300):
        mapping = job(dry_run=True, description=f"file {number}")
        (outside / f"many{number:03d}.yaml").write_text(yaml.safe_dump(mapping))
    household.asked("pause")  # taken and QUEUED, not run
    for path in sorted(outside.iterdir()):
        path.rename(household.queue / path.name)
    household.wait_for_event("job.accepted")
    household.kill()
    household.start()

    household.wait_for("every file", lambda: not waiting(household))

    found = [path.parent.name for path in household.state.glob("jobs/*/job.yaml")]
    assert len(found) == 300
    assert {name.partition("-")[0] for name in found} == {f"many{n:03d}" for n in range(300)}
    assert list((household.queue / "rejected").iterdir()) == []
    household.wait_for("open runs", lambda: queued(household) == 300)


def waiting(house: Household) -> list[Path]:
    return [*house.queue.glob("*.yaml"), *(house.queue / ".taken").iterdir()]


def queued(house: Household) -> int:
    """Runs that the daemon says are QUEUED."""
    status = house.state / "status.json"
    phases = yaml.safe_load(status.read_text())["phases"] if status.exists() else {}
    return int(phases.get("QUEUED", 0))


def test_a_profile_that_is_dropped_into_its_folder_is_usable_at_once_by_name_and_by_path(
    household: Household,
) -> None:
    folder = household.root / "profiles" / "inference-perf"
    folder.mkdir(parents=True)
    household.settings["LLMDBENCHD_PROFILES"] = str(folder.parent)
    household.start()  # before there is a profile
    (folder / "mine.yaml.in").write_text(
        "load: {base: REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL}\n"
    )

    by_name = household.run_job("named", job(workload="mine", models=["a/b"]))
    by_path = household.run_job(
        "placed", job(workload=str(folder / "mine.yaml.in"), models=["a/b"])
    )

    for name, record in (("named", by_name), ("placed", by_path)):
        assert record.phase is Phase.SUCCEEDED, record
        workload = (household.archive / name / "r001" / "workload.yaml").read_text()
        assert workload == "load: {base: a/b}\n"
