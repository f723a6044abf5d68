"""What was recorded of one container: its starts, its cluster's view, its sleeps."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.calls import Cycle
from llmdbenchd.core.nop.instances import LAUNCHED, STANDALONE
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
        title: what the field calls it; empty where it calls it by its name.
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
    title: str = ""
    no_gpu: str = ""

    @property
    def name(self) -> str:
        """As the field names a folder of its files."""
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
        title = story.title or story.name
        name = f"{title} #{story.number}" if many else title
        for number, start in enumerate(story.starts, 1):
            own = name if start is story.best else f"{name} (start {number}: {ending(start)})"
            found.append((own, story, start))
    return found


def as_the_field_calls_them(
    own: Sequence[Story], launched: Sequence[Story], launchers: Mapping[str, str]
) -> list[Story]:
    """The same with the titles of the launcher variant; standalone servers first.

    Args:
        own: of each container.
        launched: of each instance of a launcher; without a start where its launcher keeps no
            logs of instances, and has their lines in its own.
        launchers: by pod, which container is the launcher.
    """
    apart = {one.pod for one in launched if one.starts}
    several = len({(one.number, one.pod) for one in own}) > len({one.number for one in own})

    def titled_so(story: Story, kind: str) -> Story:
        return replace(story, title=f"{kind} {story.pod}" if several else kind)

    of_launchers = [one for one in own if one.container == launchers.get(one.pod)]
    return [
        *(titled_so(one, STANDALONE) for one in own if one not in of_launchers),
        *(one if one.pod in apart else titled_so(one, LAUNCHED) for one in of_launchers),
        *(titled_so(one, LAUNCHED) for one in launched),
    ]


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
