"""Ten thousand files at once, across kills of the daemon: each becomes a job, exactly once."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.daemon.household import Household

pytestmark = pytest.mark.slow

FILES, KILLS = 10_000, 3
TEXT = "endpoint: http://127.0.0.1:9\nmodels: [m]\nname: '{number}'\n"


@pytest.mark.timeout(600)  # ten thousand files on a disk that others use too
def test_ten_thousand_files_are_all_taken_exactly_once_across_kills(household: Household) -> None:
    household.start()
    household.stop()
    (household.queue / "PAUSED").touch()  # they are taken and QUEUED; nothing is launched
    waiting = household.queue.parent / "waiting"
    waiting.mkdir()
    for number in range(FILES):
        (waiting / f"{number}.yaml").write_text(TEXT.format(number=number), encoding="ascii")
    for path in list(waiting.iterdir()):
        path.rename(household.queue / path.name)

    for part in range(1, KILLS + 1):
        household.start(ready=False)
        household.wait_for(
            f"part {part} of the files",
            lambda part=part: len(jobs(household)) > part * FILES // (KILLS + 2),  # type: ignore[misc]  # bound now
        )
        household.kill()
    household.start(ready=False)
    household.wait_for("the last file", lambda: len(jobs(household)) == FILES)
    assert household.stop() == 0

    names = Counter(
        json.loads((folder / "spec.json").read_bytes())["spec"]["name"]
        for folder in jobs(household)
    )
    assert set(names.values()) == {1}
    assert len(names) == FILES
    assert list((household.queue / ".taken").iterdir()) == []
    assert list((household.queue / "rejected").iterdir()) == []


def jobs(household: Household) -> list[Path]:
    """Folders of committed jobs."""
    folder = household.state / "jobs"
    return [path for path in folder.iterdir() if not path.name.startswith(".")]
