"""Whatever moment the daemon is killed at: every job ends once, with all of its evidence."""

import random
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import yaml

from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from tests.daemon.evidence import assert_log_is_complete, starts
from tests.daemon.household import Household
from tests.daemon.jobs import job

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

JOBS, KILLS = 20, 50
# A third of the kills hits a start; a tenth of the lives is long enough for files that lay there.
SHORT_S, LONG_S = (0, 0.6), (2.2, 3.2)
LINES = 40
MADE_ID = r"-\d{8}t\d{6}-[0-9a-f]{4}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One job that will be dropped, and what must have come of it at the end."""

    name: str
    mapping: dict[str, Any]
    started: Path
    phase: Phase
    attempts: int
    launchers: int
    way: str  # mv, cp, slow cp, or submit
    life: int


@dataclass(slots=True)
class Droppers:
    """People who drop files in several ways, some of them slowly, while the daemon dies."""

    house: Household
    half: list[tuple[BinaryIO, bytes]] = field(default_factory=list)
    submits: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def drop(self, plans: Iterable[Plan]) -> None:
        """Finish what is half written, and drop these."""
        for file, rest in self.half:
            file.write(rest)
            file.close()
        self.half.clear()
        for plan in plans:
            self._drop(plan)

    def finish(self) -> None:
        """Finish what is half written; each `submit` must have succeeded."""
        self.drop([])
        for process in self.submits:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, (out, err)

    def _drop(self, plan: Plan) -> None:
        name = f"{plan.name}.yaml"
        file, target = self.house.root / name, self.house.queue / name
        text = yaml.safe_dump(plan.mapping).encode()
        file.write_bytes(text)
        match plan.way:
            case "mv":
                file.rename(target)
            case "cp":
                shutil.copyfile(file, target)
            case "slow cp":  # the other half comes in a later life of the daemon
                slow, cut = target.open("wb", buffering=0), len(text) // 2
                slow.write(text[:cut])
                self.half.append((slow, text[cut:]))
            case _:
                command = (sys.executable, "-m", "llmdbenchd", "submit", str(file))
                environment = self.house.environment
                self.submits.append(
                    subprocess.Popen(
                        command,
                        env=environment,
                        cwd=self.house.root,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE,
                    )
                )


def plans(root: Path, dice: random.Random) -> Iterator[Plan]:
    for number in range(JOBS):
        name = f"job{number:02d}"
        launchers = dice.choice([1, 1, 1, 2, 3])
        fails = number % 5 == 4
        started = root / f"{name}.started"
        fake = {
            "FAKE_HARNESS_STARTED_FILE": started,
            "FAKE_HARNESS_LINES": LINES,
            "FAKE_HARNESS_RC": 3 if fails else 0,
        }
        mapping = job(
            seconds=dice.uniform(0.1, 1),
            fake=fake,
            harness__parallelism=launchers,
            priority=dice.randrange(-3, 4),
            retry={"attempts": 2 if fails else 1, "delay": 1},
            keep_going=True,  # so that each launcher of a failing run has its own end
        )
        if number % 2:
            mapping["id"] = name
        way = ("mv", "cp", "slow cp", "submit")[number // 2 % 4]
        phase = Phase.FAILED if fails else Phase.SUCCEEDED
        yield Plan(
            name, mapping, started, phase, 2 if fails else 1, launchers, way, dice.randrange(KILLS)
        )


def test_killed_at_fifty_moments_the_daemon_ends_every_job_exactly_once(
    household: Household, dice: random.Random
) -> None:
    everyone = list(plans(household.root, dice))
    household.queue.mkdir()
    droppers = Droppers(household)
    days = {life: [plan for plan in everyone if plan.life == life] for life in range(KILLS)}
    hit: set[Phase] = set()

    for life in range(KILLS):
        household.start(ready=life % 3 > 0)
        droppers.drop(days[life])
        threading.Event().wait(dice.uniform(*(LONG_S if life % 10 == 9 else SHORT_S)))
        household.kill()
        hit |= {record.phase for plan in everyone for record in records(household, plan)}
    household.start()
    droppers.finish()
    household.wait_for("every end", lambda: all(is_over(household, plan) for plan in everyone))
    assert household.stop() == 0

    assert {Phase.RUNNING, Phase.REPORTING} < hit, "the kills came when nothing was going on"
    for plan in everyone:
        assert_ended_once(household, plan)
    assert_all_is_whole(household)
    assert_nothing_is_left(household)


def is_over(house: Household, plan: Plan) -> bool:
    return any(record.phase.is_final for record in records(house, plan))


def records(house: Household, plan: Plan) -> list[Record]:
    return [record for found in ids(house, plan) for record in house.records(found)]


def ids(house: Household, plan: Plan) -> list[str]:
    """The jobs that the plan's file became."""
    names = [path.name for path in (house.state / "jobs").glob("*")]
    return [name for name in names if re.fullmatch(f"{plan.name}({MADE_ID})?", name)]


def assert_ended_once(house: Household, plan: Plan) -> None:
    [found] = ids(house, plan)
    [record] = house.records(found)
    assert (record.phase, record.attempt) == (plan.phase, plan.attempts), record
    assert starts(plan.started) == plan.attempts * plan.launchers
    assert record.left_behind == ""
    run = house.archive / found / "r001"
    folders = [run, *(run / "attempts" / str(past.attempt) for past in record.past)]
    for folder in folders:
        for index in range(1, plan.launchers + 1):
            assert_log_is_complete(folder, index, lines=LINES)


def assert_all_is_whole(house: Household) -> None:
    done = house.cli("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{JOBS} of {JOBS} runs are whole" in done.stdout


def assert_nothing_is_left(house: Household) -> None:
    assert house.processes() == {}
    left = [
        *(house.queue / ".taken").iterdir(),
        *house.queue.glob("*.yaml"),
        *(house.queue / "rejected").iterdir(),
        *(house.archive / ".incoming").rglob("*"),
        *(house.state / "local").iterdir(),
        *(path for path in (house.state / "live").rglob("*") if path.is_file()),
        *(house.state / "jobs").glob(".*"),
        *(path for path in house.root.rglob("*") if path.suffix in {".part", ".tmp"}),
        *house.root.rglob(".new-*"),
    ]
    assert [path for path in left if ".staging-" not in str(path)] == []
