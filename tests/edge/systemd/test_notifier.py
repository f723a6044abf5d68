"""What systemd hears from us, on a real datagram socket."""

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from llmdbenchd.edge.systemd import Notifier


class Ears:
    """A socket as systemd has one, and what came in."""

    def __init__(self, address: str) -> None:
        """Listen at `address`, a path or an abstract name with a leading `@`."""
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(0)

    def heard(self) -> list[str]:
        """Every datagram since the last call."""
        texts = []
        with suppress(BlockingIOError):
            while True:
                texts.append(self._socket.recv(65536).decode())
        return texts

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def ears(request: pytest.FixtureRequest) -> Iterator[Ears]:
    with TemporaryDirectory() as folder:  # a socket's path must be short
        path = str(Path(folder) / "notify")
        ears = Ears(path if request.param == "path" else f"@llmdbenchd-test{path}")
        yield ears
        ears.close()


class Hands:
    """A clock that moves when told to."""

    seconds = 100.0

    def __call__(self) -> float:
        """The time it shows."""
        return self.seconds


def listening(ears: Ears, clock: Callable[[], float] = time.monotonic) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": ears.address}, monotonic=clock)


def test_ready_and_stopping_arrive(ears: Ears) -> None:
    notifier = listening(ears)

    assert notifier.ready()
    assert notifier.stopping()
    assert ears.heard() == ["READY=1", "STOPPING=1"]


def test_a_reload_carries_the_monotonic_time_in_the_same_datagram(ears: Ears) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    listening(ears).reloading()

    (said,) = ears.heard()
    found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", said)
    assert found
    assert before <= int(found[1]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_text_with_an_arrow_and_line_ends_arrives_as_one_line(ears: Ears) -> None:
    listening(ears).status("3 runs → archive\nWATCHDOG=trigger")

    assert ears.heard() == ["STATUS=3 runs → archive WATCHDOG=trigger"]


def test_a_text_that_came_too_soon_goes_with_the_next_ping(ears: Ears) -> None:
    clock = Hands()
    notifier = listening(ears, clock)
    notifier.status("one run")
    notifier.status("two runs")
    notifier.ping()
    assert ears.heard() == ["STATUS=one run", "WATCHDOG=1"]

    clock.seconds += 2
    notifier.ping()
    clock.seconds += 2
    notifier.ping()
    assert ears.heard() == ["WATCHDOG=1\nSTATUS=two runs", "WATCHDOG=1"]


def test_a_text_that_systemd_did_not_take_is_told_again(ears: Ears) -> None:
    notifier = listening(ears)
    while notifier.ping():  # until the socket's queue is full; a blocking send would hang here
        pass
    assert not notifier.status("busy")

    ears.heard()
    assert notifier.ping()
    assert ears.heard() == ["WATCHDOG=1\nSTATUS=busy"]


@pytest.mark.parametrize(
    "environment",
    [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": "/no/such"}],
    ids=["unset", "empty", "another kind", "nobody listens"],
)
def test_outside_systemd_nothing_is_sent_and_nothing_breaks(environment: dict[str, str]) -> None:
    notifier = Notifier(environment)

    said = (notifier.ready(), notifier.status("x"), notifier.ping(), notifier.stopping())
    assert said == (False,) * 4
    assert notifier.watchdog_s is None


@pytest.mark.parametrize(
    ("environment", "limit_s"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
    ids=["for anyone", "for us", "for another process", "zero", "nonsense"],
)
def test_the_watchdog_is_ours_only_if_systemd_means_us(
    environment: dict[str, str], limit_s: float | None
) -> None:
    assert Notifier(environment).watchdog_s == limit_s
