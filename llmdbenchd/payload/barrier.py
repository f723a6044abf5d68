"""Where the launchers of one attempt wait for each other, so that their loads begin together.

Each makes a file in a folder that all of them see, and starts when there are as many files
as launchers, or so much later as it was told to. Nobody else has a part in it: no daemon
that may be away, no right to ask for. A launcher that cannot start arrives all the same,
and keeps nobody.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from llmdbenchd.payload.contract import Code, Refusal

READY = ".llmdbenchd-ready"  # told to who asks for it: we could begin
GO = ".llmdbenchd-go"  # told to us: all could
LOOK_S = 0.05
LOST_S = 7200.0  # unless the environment says otherwise; whoever asked ends us before
_GONE = ".gone"


class Barrier:
    """The wait of launcher `index` (from 1) of `count`; `folder` is shared, or empty for none.

    Args:
        patience_s: with the others.
        later_s: how long to wait once all are there.
    """

    def __init__(
        self, folder: str, index: int, count: int, patience_s: float, later_s: float = 0
    ) -> None:
        self.folder = folder if count > 1 else ""
        self.index = index
        self.count = count
        self.patience_s = patience_s
        self.later_s = later_s
        self.waited_s = 0.0

    @classmethod
    def of(cls, env: dict[str, str]) -> Barrier:
        """The one that the environment names (`LLMDBENCHD_BARRIER`: `INDEX/COUNT`).

        Raises:
            Refusal: what it says is none.
        """
        index, _, count = env.get("LLMDBENCHD_BARRIER", "1/1").partition("/")
        patience = env.get("LLMDBENCHD_BARRIER_SECONDS") or str(LOST_S)
        later = env.get("LLMDBENCHD_STAGGER_SECONDS") or "0"
        try:
            said = int(index), int(count), float(patience), float(later)
        except ValueError:
            sentence = (
                f"LLMDBENCHD_BARRIER is {index}/{count}, for {patience} s and {later} s later: "
                "no barrier"
            )
            raise Refusal(Code.WRONG_CONTRACT, "wrong contract", sentence) from None
        if env.get("LLMDBENCHD_BARRIER_ROOT"):
            return Told(env["LLMDBENCHD_BARRIER_ROOT"], *said)
        return cls(env.get("LLMDBENCHD_BARRIER_DIR", ""), *said)

    def arrive(self) -> None:
        """Be there; again is fine, and makes a client of a network disk look anew.

        Raises:
            OSError: the folder cannot be written.
        """
        if not self.folder:
            return
        os.makedirs(self.folder, mode=0o777, exist_ok=True)
        path = os.path.join(self.folder, str(self.index))
        with open(f"{path}.new", "wb"):
            os.replace(f"{path}.new", path)

    def missing(self) -> list[int]:
        """Indices of those who are not there yet."""
        there = {name.partition(".")[0] for name in os.listdir(self.folder)}
        return [index for index in range(1, self.count + 1) if str(index) not in there]

    def look(self) -> bool:
        """Whether all are there, or our patience is at its end.

        Raises:
            Refusal: it is, or the folder is no folder.
        """
        try:
            self.arrive()
            missing = self.missing()
        except OSError as error:
            sentence = f"the barrier {self.folder} cannot be used: {error.strerror}"
            raise Refusal(Code.NO_RESULTS_FOLDER, "no barrier", sentence) from error
        if missing and self.waited_s >= self.patience_s:
            raise Refusal(Code.NO_BARRIER, "timeout: barrier", self.too_late(missing))
        return not missing

    def too_late(self, missing: list[int]) -> str:
        """The sentence about those who did not come."""
        return (
            f"not all {self.count} launchers were ready after {self.patience_s:g} s: "
            f"{', '.join(map(str, missing))} did not come"
        )

    def wait(self, is_asked_to_end: Callable[[], bool]) -> None:
        """Return when it is our turn to begin, or when we are asked to end.

        Args:
            is_asked_to_end: called at each look; true ends the wait.

        Raises:
            Refusal: not all came in time.
        """
        begun = time.monotonic()
        while self.folder and not is_asked_to_end():
            if self.look():
                self.leave()
                break
            time.sleep(LOOK_S)
            self.waited_s = time.monotonic() - begun
        together = time.monotonic()
        while time.monotonic() - together < self.later_s and not is_asked_to_end():
            time.sleep(LOOK_S)

    def leave(self) -> None:
        """Go; the last one takes the folder away."""
        if not self.folder:
            return
        try:
            with open(os.path.join(self.folder, f"{self.index}{_GONE}"), "wb"):
                pass
            gone = [name for name in os.listdir(self.folder) if name.endswith(_GONE)]
            if len(gone) == self.count:
                for name in os.listdir(self.folder):
                    os.unlink(os.path.join(self.folder, name))
                os.rmdir(self.folder)
        except OSError:
            pass  # it is small, and the load is what matters now


class Told(Barrier):
    """The same where no folder is seen by all of them.

    The daemon sees each one's own folder through the container beside it, and tells all of
    them at once. While it is away they wait, as long as their patience lasts.
    """

    def arrive(self) -> None:
        """Say that we could begin; again is fine.

        Raises:
            OSError: the folder cannot be written.
        """
        if self.folder:
            with open(os.path.join(self.folder, READY), "wb"):
                pass

    def missing(self) -> list[int]:
        """Everybody, as far as we know, until we are told."""
        is_told = os.path.exists(os.path.join(self.folder, GO))
        return [] if is_told else list(range(1, self.count + 1))

    def too_late(self, missing: list[int]) -> str:
        """The sentence about a word that did not come."""
        return (
            f"after {self.patience_s:g} s nobody had said that all {len(missing)} launchers are "
            "ready: one of them is not, or the daemon is away"
        )

    def leave(self) -> None:
        """Go; nothing is left that another launcher could stumble over."""
