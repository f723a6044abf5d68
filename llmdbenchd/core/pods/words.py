"""The room of pods: other people's words, cut to what a sentence can hold.

They come from containers, registries and drivers, and go to terminals and verdicts: colours,
cursor movements and other invisible characters stay behind.
"""

import re
from collections.abc import Iterable

from llmdbenchd.core.pods.objects import Event

LONGEST = 600  # characters
LINES = 5
_CUT = " ..."
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_NO_VOLUME = {"FailedMount", "FailedAttachVolume", "FailedMapVolume"}
_VOLUMES_ARE_THERE = {"Pulling", "Pulled", "Created", "Started", "FailedCreatePodSandBox"}
_CHANGING = re.compile(r"[0-9a-f]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REPEATS_THE_STATE = re.compile(r"Error: \w+")  # "Error: ErrImagePull"


def quoted(text: str) -> str:
    """A message on one line; its beginning, if it is long."""
    line = _plain(text)
    return line if len(line) <= LONGEST else line[: LONGEST - len(_CUT)] + _CUT


def last_lines(text: str) -> str:
    """The last lines of an output, joined by ` | `: the reason mostly stands at the end."""
    lines = [line for line in map(_plain, text.splitlines()) if line]
    kept: list[str] = []
    room = LONGEST
    for line in reversed(lines[-LINES:]):
        if len(line) > room:
            break
        kept.insert(0, line)
        room -= len(line) + len(" | ")
    if lines and not kept:
        return f"... {lines[-1][4 - LONGEST :]}"
    return " | ".join(kept)


def warnings(events: Iterable[Event]) -> str:
    """The warnings among some events in one line, each once, the newest last; may be empty.

    Events differ in ids of containers that mean nothing to a person; of such only the last
    one is told. What only repeats the name of the pod's state is left out.
    """
    sentences: dict[str, str] = {}
    for event in sorted(events, key=lambda event: event.last_seen):
        if event.type == "Warning" and not _REPEATS_THE_STATE.fullmatch(event.message):
            sentence = quoted(": ".join(filter(None, (event.reason, event.message))))
            alike = _CHANGING.sub("", sentence)
            sentences.pop(alike, None)  # told once, and where it was told last
            sentences[alike] = sentence
    return last_lines("\n".join(sentences.values()))


def lacks_volume(events: Iterable[Event]) -> bool:
    """Whether a pod waits for a volume that cannot be mounted, by all of its events.

    The status does not say it: a container whose image is pulled looks the same. Nothing of
    a pod is pulled or made before all of its volumes are there.
    """
    reasons = {event.reason for event in events}
    return bool(reasons & _NO_VOLUME) and not reasons & _VOLUMES_ARE_THERE


def _plain(text: str) -> str:
    visible = _COLOURS.sub("", text)
    return " ".join("".join(c if c.isprintable() else " " for c in visible).split())
