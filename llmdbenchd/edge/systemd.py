"""Talks to systemd: one datagram for each thing it should know, nothing when it is not there.

The protocol is `KEY=VALUE` lines in one AF_UNIX datagram (sd_notify(3)). It is spoken here
rather than by a library, since those at hand drop a text that is not latin-1, or lack the
MONOTONIC_USEC that newer systemd insists on during a reload.

A sender never blocks the loop: when systemd does not read, a datagram is dropped and the
method says so. Pings and texts come again by themselves; for the rest the caller decides.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

STATUS_EVERY_S = 2.0  # systemctl shows only the last text; more would be noise on the bus


@dataclass(slots=True)
class Notifier:
    """Tells the service manager how we are.

    Attributes:
        environment: where NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are looked up.
        monotonic: seconds of a clock that never goes back; spaces out status texts.
    """

    environment: Mapping[str, str]
    monotonic: Callable[[], float] = time.monotonic
    _text: str = field(default="", init=False)
    _told: str = field(default="", init=False)
    _told_at: float = field(default=float("-inf"), init=False)

    @property
    def address(self) -> str | None:
        """The manager's socket: a path, or a name with a leading `@`; None outside systemd."""
        address = self.environment.get("NOTIFY_SOCKET", "")
        return address if address.startswith(("/", "@")) else None

    @property
    def watchdog_s(self) -> float | None:
        """After how many silent seconds systemd kills us; None when it does not watch us."""
        limit_us = _whole(self.environment.get("WATCHDOG_USEC"))
        pid = self.environment.get("WATCHDOG_PID") or str(os.getpid())
        return limit_us / 1e6 if limit_us and pid == str(os.getpid()) else None

    def ready(self) -> bool:
        """Say that we serve (also: that a reload is over). Returns whether it was sent."""
        return self._send("READY=1")

    def stopping(self) -> bool:
        """Say that we are ending. The first thing to do in a shutdown."""
        return self._send("STOPPING=1")

    def reloading(self) -> bool:
        """Say that settings are being read again; `ready` must follow."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        return self._send("RELOADING=1", f"MONOTONIC_USEC={now_us}")

    def status(self, text: str) -> bool:
        """Show a line in `systemctl status`; at most one every `STATUS_EVERY_S` is sent.

        A text that comes too soon is kept, and goes with the next `status` or `ping`.
        """
        self._text = " ".join(text.split())
        return self._send(*self._due_status())

    def ping(self) -> bool:
        """Say that the loops really move (only ever call it after looking)."""
        return self._send("WATCHDOG=1", *self._due_status())

    def _due_status(self) -> tuple[str, ...]:
        due = self.monotonic() - self._told_at >= STATUS_EVERY_S
        return (f"STATUS={self._text}",) if due and self._text != self._told else ()

    def _send(self, *lines: str) -> bool:
        address = self.address
        if address is None or not lines:
            return False
        name = f"\0{address[1:]}" if address.startswith("@") else address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(0)  # never wait for systemd
                sender.sendto("\n".join(lines).encode("utf-8", "replace"), name)
        except OSError:
            return False
        if lines[-1].startswith("STATUS="):
            self._told, self._told_at = self._text, self.monotonic()
        return True


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0
