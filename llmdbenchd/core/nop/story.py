"""What was recorded of one container: its starts, its cluster's view, its sleeps."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.calls import Cycle
from llmdbenchd.core.nop.timeline import Recorded, Timeline

_GPU = re.compile(
    r"gpu_uuid='(?P<uuid>[^']*)' gpu_name='(?P<name>[^']*)' "
    r"compute_cap='(?P<compute_cap>[^']*)' persistence_mode='(?P<persistence_mode>[^']*)'"
)
_NO_GPU = re.compile(r"preprocess: no GPU: (\S.*)")


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a server, and the file that its lines are numbered in."""

    recorded: Recorded
    log: str

    @property
    def attempt(self) -> Attempt:
        """What the log tells of it."""
        return self.recorded.attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One container of one pod, in one of the recordings.

    Attributes:
        number: of the recording, from 1.
        is_cold: the pod was made for this recording.
        is_gone: the pod vanished before the recording ended.
        gaps: of its logs, in words.
        made_at: when the pod was made, seconds since 1970.
        gpus: as the preprocess script prints them.
        no_gpu: why that script found none; empty where it did not run, or found one.
    """

    number: int
    pod: str
    container: str
    image: str
    is_cold: bool
    is_gone: bool
    made_at: float | None
    timeline: Timeline
    starts: tuple[Start, ...]
    gaps: tuple[str, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    gpus: tuple[dict[str, str], ...] = ()
    no_gpu: str = ""

    @property
    def name(self) -> str:
        """As the field names it; a folder's name too."""
        return f"{self.pod}_{self.container}"

    @property
    def best(self) -> Start | None:
        """The start that headlines are of: the last that became ready, or else the last."""
        ready = [one for one in self.starts if one.attempt.ready]
        return next(reversed(ready or self.starts), None)


def titled(stories: Sequence[Story]) -> list[tuple[str, Story, Start]]:
    """Every start with a name of its own; that of a headline is the container's."""
    found = []
    many = len({story.number for story in stories}) > 1
    for story in stories:
        name = f"{story.name} #{story.number}" if many else story.name
        for number, start in enumerate(story.starts, 1):
            own = name if start is story.best else f"{name} (start {number}: {ending(start)})"
            found.append((own, story, start))
    return found


def ending(start: Start) -> str:
    """What became of it, in a word or two."""
    attempt = start.attempt
    if attempt.ready:
        return "ready"
    return "failed" if attempt.failed else "cut off"


def no_gpu_of(lines: Iterable[str]) -> str:
    """Why the preprocess script named no device, as it prints that; empty if it does not."""
    return next((found[1] for line in lines if (found := _NO_GPU.search(line))), "")


def gpus_of(lines: Iterable[str]) -> tuple[dict[str, str], ...]:
    """The devices that a log names."""
    return tuple(found.groupdict() for line in lines if (found := _GPU.search(line)))
