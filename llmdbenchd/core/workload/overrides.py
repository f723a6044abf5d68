"""Changing values of a profile by name, in its text, before its tokens are replaced.

A bare name (`min`) is the field's form: it changes every value with exactly that key,
wherever it stands. A dotted path (`data.input_distribution.min`, `load.stages.0.rate`,
`load.stages.-1.rate`) changes one. A name that is nowhere is refused. A path beats a bare
name that means the same value. A mapping or list replaces the whole value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from llmdbenchd.core.workload import writing
from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from llmdbenchd.core.workload.places import Kind, Path, Place, read_places
from llmdbenchd.core.workload.selection import reaches_further, select
from llmdbenchd.core.workload.source import Source


@dataclass(frozen=True, slots=True)
class _Change:
    """One value to be replaced, by which override, and the new YAML text."""

    place: Place
    by: str
    written: str


def override(text: str, overrides: Mapping[str, object], *, file: str) -> str:
    """Change values; everything else, comments and layout included, stays as it is.

    Args:
        text: a profile; its tokens may still be in it.
        overrides: name or path to the new value: text, number, bool, None, or a mapping or
            list of these. Text is written so that it stays text: `"20"` gets quotes.
        file: the profile's name, for errors.

    Raises:
        WorkloadError: every override that is not possible, or why the text cannot be read.
    """
    if not overrides:
        return text
    top = read_places(Source(text, file))
    changes, problems = _changes(top, overrides, file)
    problems += _conflicts(changes, file) or _shared(top, changes, file)
    if problems:
        raise WorkloadError(problems)
    changed = text
    for change in sorted(changes.values(), key=lambda each: each.place.start, reverse=True):
        changed = _replace(changed, change)
    _prove(top, changed, changes, file)
    return changed


def _changes(
    top: Place, overrides: Mapping[str, object], file: str
) -> tuple[dict[Path, _Change], list[WorkloadProblem]]:
    changes: dict[Path, _Change] = {}
    problems = []
    bare_first = sorted(overrides.items(), key=lambda item: "." in item[0])
    for name, value in bare_first:
        found = select(top, name, value, file=file)
        if isinstance(found, WorkloadProblem):
            problems.append(found)
            continue
        try:
            written = writing.one_line(value)
        except (yaml.YAMLError, RecursionError) as error:
            problems.append(WorkloadProblem(file, 0, name, "has no form in YAML", str(error)))
            continue
        changes |= {place.path: _Change(place, name, written) for place in found}
    return changes, problems


def _conflicts(changes: Mapping[Path, _Change], file: str) -> list[WorkloadProblem]:
    """Overrides that would change something inside of what another one replaces."""
    problems = []
    for path, change in changes.items():
        above = [changes[path[:depth]] for depth in range(len(path)) if path[:depth] in changes]
        problems += [
            WorkloadProblem(
                file,
                change.place.line,
                change.by,
                f"would change {change.place.name}, which `{other.by}` replaces as a whole",
                "Leave out one of the two.",
            )
            for other in above
        ]
    return problems


def _shared(top: Place, changes: Mapping[Path, _Change], file: str) -> list[WorkloadProblem]:
    if not any(place.kind is Kind.ALIAS for place in top.walk()):
        return []
    gone = {
        inside.path
        for change in changes.values()
        for inside in (change.place, *change.place.walk())
    }
    found = [
        reaches_further(top, each.place, gone, by=each.by, file=file) for each in changes.values()
    ]
    return [problem for problem in found if problem]


def _replace(text: str, change: _Change) -> str:
    """The text with one value replaced; positions in front of it stay right."""
    place, new = change.place, change.written
    start, end = place.start, place.end
    if start == end and text[start - 1 : start] not in (" ", ""):
        new = f" {new}"  # `key:` and `-` without a value
    old = text[start:end]
    new += old[len(old.rstrip("\r\n")) :]  # a block scalar ends with its line
    between = text[place.key_end : start] if place.key_end is not None else ""
    if "\n" not in between or place.key_end is None:
        return text[:start] + new + text[end:]
    colon = text.index(":", place.key_end) + 1  # the value moves up, beside its key
    block = text.rindex("\n", 0, start) + 1
    behind = (text + "\n").index("\n", end if text[end - 1] != "\n" else end - 1) + 1
    return f"{text[:colon]} {new.rstrip()}{text[colon:block]}{text[behind:]}"


def _prove(top: Place, changed: str, changes: Mapping[Path, _Change], file: str) -> None:
    """Read the result back: the asked values are there and every other value is as it was."""
    result = read_places(Source(changed, file))
    found = {place.path: place for place in (result, *result.walk())}
    if list(_facts(result, changes)) == list(_facts(top, changes)) and all(
        path in found and _same(found[path], change.written) for path, change in changes.items()
    ):
        return
    names = ", ".join(dict.fromkeys(change.by for change in changes.values()))
    lines = [change.place.line for change in changes.values()]
    raise WorkloadError(
        [
            WorkloadProblem(
                file,
                min(lines),
                names,
                "cannot be changed in place, because of the way the profile is written",
                "Write the value in the ordinary form `key: value`.",
            )
        ]
    )


def _facts(place: Place, skip: Mapping[Path, _Change]) -> Iterator[tuple[object, ...]]:
    """What YAML reads, place by place, without what is below the skipped ones."""
    if place.path in skip:
        yield place.path, "changed"
        return
    yield place.path, place.kind, place.text, place.look, place.anchor
    for child in place.children:
        yield from _facts(child, skip)


def _same(place: Place, written: str) -> bool:
    """Whether the place holds what the written text means by itself."""
    meant = read_places(Source(f"[{written}]", "")).children[0]
    return list(_relative(place)) == list(_relative(meant))


def _relative(place: Place) -> Iterator[tuple[object, ...]]:
    """What a place holds, wherever it stands."""
    for each in (place, *place.walk()):
        yield each.path[len(place.path) :], each.kind, each.text, each.look
