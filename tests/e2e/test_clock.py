"""A cluster and a daemon whose clocks are an hour apart: nobody compares them unawares."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmdbenchd.core.run.phase import Phase
from tests.e2e import daemon
from tests.e2e.cluster import Cluster
from tests.e2e.evidence import assert_log_is_complete
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.slow, pytest.mark.timeout(240)]
LINES = 80
SHIFTED = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    const char *shift = getenv("CLOCK_SHIFT_S");
    if (!failed && clock == CLOCK_REALTIME && shift) now->tv_sec += atol(shift);
    return failed;
}
"""


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What gives a process another wall clock; the clocks that only go on stay as they are."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc")
    folder = tmp_path_factory.mktemp("clock")
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(SHIFTED, encoding="utf-8")
    subprocess.run((compiler, "-shared", "-fPIC", "-o", library, source), check=True)
    return library


@pytest.mark.parametrize("shift_s", [3600, -3600])
def test_clocks_that_are_an_hour_apart_cost_no_run_and_no_line(
    tmp_path: Path, cluster: Cluster, namespace: Namespace, preloaded: Path, shift_s: int
) -> None:
    clock = {"LD_PRELOAD": str(preloaded), "CLOCK_SHIFT_S": str(shift_s)}
    with daemon.serving(tmp_path / "house", cluster, namespace, **clock) as house:
        house.drop("day", daemon.light(seconds=8, lines=LINES))
        house.in_phase("day", Phase.RUNNING)
        house.kill()  # so that the log must be gone on with, too
        house.start()
        record = house.ended("day")

    assert (record.phase, record.attempt) == (Phase.SUCCEEDED, 1), record
    assert_log_is_complete(house.archive / "day" / "r001", lines=LINES)
    ahead_s = (record.submitted - datetime.now(UTC)).total_seconds()
    assert abs(ahead_s - shift_s) < 900, "the daemon's clock was the other one"
