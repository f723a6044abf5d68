"""What was last seen of all launchers; only a complete look makes `Absent` sayable."""

from collections.abc import Iterable
from typing import assert_never

from llmdbenchd.core.run.rivals import NOBODY, Rivals
from llmdbenchd.core.run.sight import Absent, Sight, Unknown
from llmdbenchd.ports import Listed, Others, Seen


class View:
    """Sights by launcher name, fed by the engine's watch and by our own looks.

    Attributes:
        rivals: what launchers of other daemons load there.
    """

    def __init__(self) -> None:
        self.rivals: Rivals = NOBODY
        self._sights: dict[str, Sight] = {}
        self._complete = False
        self._unsettled: set[str] = set()

    @property
    def is_complete(self) -> bool:
        """Whether a complete look was taken since the start."""
        return self._complete

    def look(self, launcher: str) -> Sight:
        """What is known of one launcher; our own unconfirmed write makes it `Unknown`."""
        if not self._complete or launcher in self._unsettled:
            return Unknown()
        return self._sights.get(launcher, Absent())

    def apply(self, news: Listed | Seen | Others) -> frozenset[str]:
        """Take in what the watch says; returns the launchers whose sight changed."""
        match news:
            case Listed(sights=sights):
                everyone = self._sights.keys() | sights.keys()
                changed = {name for name in everyone if self._sights.get(name) != sights.get(name)}
                if not self._complete:
                    changed |= everyone
                self._sights = dict(sights)
                self._complete = True
                return frozenset(changed)
            case Seen(launcher=launcher, sight=sight):
                return self._set(launcher, sight)
            case Others(rivals=rivals):
                self.rivals = rivals
                return frozenset()
            case _:
                assert_never(news)

    def is_unsettled(self, launcher: str) -> bool:
        """Whether our own write to it is not confirmed yet."""
        return launcher in self._unsettled

    def unsettle(self, launchers: Iterable[str]) -> None:
        """We are about to write: what we knew of these launchers may be stale."""
        self._unsettled.update(launchers)

    def settle(self, launcher: str, sight: Sight) -> None:
        """A look begun after our write says this."""
        self._unsettled.discard(launcher)
        self._set(launcher, sight)

    def _set(self, launcher: str, sight: Sight) -> frozenset[str]:
        before = self._sights.get(launcher, Absent())
        if isinstance(sight, Absent):
            self._sights.pop(launcher, None)
        else:
            self._sights[launcher] = sight
        return frozenset({launcher} if before != sight else ())
