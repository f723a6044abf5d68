"""The room of pods: other people's words, cut to what a sentence can hold."""

from collections.abc import Iterable

from llmdbenchd.core.pods.objects import Event

LONGEST = 600  # characters


def quoted(text: str) -> str:
    """A message on one line; its beginning, if it is long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."


def last_lines(text: str) -> str:
    """The last lines of an output, joined by ` | `: the reason mostly stands at the end."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    kept: list[str] = []
    room = LONGEST
    for line in reversed(lines):
        if len(line) > room:
            break
        kept.insert(0, line)
        room -= len(line) + 3
    return " | ".join(kept) if kept else f"... {lines[-1][-LONGEST:]}" if lines else ""


def warnings(events: Iterable[Event]) -> str:
    """The warnings among some events, each once, the newest last; empty when there is none."""
    told = [event for event in events if event.type == "Warning"]
    told.sort(key=lambda event: event.last_timestamp or event.event_time or "")
    sentences = dict.fromkeys(f"{event.reason}: {quoted(event.message)}" for event in told)
    return last_lines("\n".join(sentences))
