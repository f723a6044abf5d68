"""Which values of a profile an override's name means."""

from collections.abc import Collection

from llmdbenchd.core.workload.errors import WorkloadProblem, did_you_mean, listing
from llmdbenchd.core.workload.places import Kind, Path, Place


def select(top: Place, name: str, value: object, *, file: str) -> list[Place] | WorkloadProblem:
    """The places that a bare name or a dotted path means, or why there are none.

    Args:
        top: the whole profile.
        name: the override's key.
        value: its new value; a bare name with a single value never means a section.
        file: the profile's name, for errors.
    """
    named = [place for place in top.walk() if place.key == name]
    if named:
        return _by_key(name, named, value, file=file)
    if "." in name:
        return _by_path(top, name, file=file)
    leaves = [place.key for place in top.walk() if place.key and not place.children]
    nested = [place.name for place in top.walk() if place.key]
    hint = f"{did_you_mean(name, [*leaves, *nested])} {listing('The profile has', leaves)}"
    return WorkloadProblem(file, 0, name, "is not a key of this profile", hint.strip())


def reaches_further(
    top: Place, place: Place, gone: Collection[Path], *, by: str, file: str
) -> WorkloadProblem | None:
    """Why a change would reach further than asked: an alias shows the same value elsewhere.

    Args:
        top: the whole profile.
        place: what is to be replaced.
        gone: the paths of all that is replaced, by whichever override.
        by: the override's key. A path means this place only, so what it stands in may not be
            shared either; a bare name means it wherever it shows.
        file: the profile's name, for errors.
    """
    everything = [top, *top.walk()]
    aliases = {
        each.text: each.name
        for each in everything
        if each.kind is Kind.ALIAS and each.path not in gone
    }
    above = [each for each in everything if "." in by and each.path == place.path[: len(each.path)]]
    for each in (*above, place, *place.walk()):
        if each.anchor in aliases:
            elsewhere = aliases[each.anchor]
            message = f"would also change `{elsewhere}`, through the anchor &{each.anchor}"
            hint = "Override both, or write the value twice in the profile."
            return WorkloadProblem(file, each.line, by, message, hint)
    return None


def _by_key(
    name: str, named: list[Place], value: object, *, file: str
) -> list[Place] | WorkloadProblem:
    whole = value is None or isinstance(value, dict | list | tuple)
    found = named if whole else [place for place in named if not place.children]
    if found:
        return found
    message = f"is a {named[0].kind} (`{named[0].name}`), not a single value"
    inside = [child.name for child in named[0].children]
    hint = listing("Name a value in it, or give the whole as YAML; it holds", inside)
    return WorkloadProblem(file, named[0].line, name, message, hint)


def _by_path(top: Place, name: str, *, file: str) -> list[Place] | WorkloadProblem:
    here = top
    for step in name.split("."):
        below = _step(here, step)
        if below is None:
            return _dead_end(top, here, name, step, file=file)
        here = below
    return [here]


def _step(here: Place, step: str) -> Place | None:
    if here.kind is Kind.SEQUENCE:
        index = int(step) if step.removeprefix("-").isdecimal() else len(here.children)
        inside = -len(here.children) <= index < len(here.children)
        return here.children[index] if inside else None
    return next((child for child in here.children if child.path[-1] == step), None)


def _dead_end(top: Place, here: Place, name: str, step: str, *, file: str) -> WorkloadProblem:
    """A path that leads nowhere: how far it leads, and what is there."""
    where = f"`{here.name}`" if here.path else "the profile"
    match here.kind:
        case Kind.MAPPING:
            message = f"leads nowhere: {where} has no key `{step}`"
            hint = listing("It has", here.keys())
        case Kind.SEQUENCE:
            message = f"leads nowhere: {where} is a list of {len(here.children)}, without `{step}`"
            hint = "Items count from 0, or from -1 backwards."
        case Kind.ALIAS:
            message = f"leads nowhere: {where} is an alias (*{here.text})"
            hint = f"Change it where &{here.text} stands."
        case _:
            message = f"leads nowhere: {where} is a single value, with nothing below it"
            hint = ""
    paths = [place.name for place in top.walk()]
    longer = [path for path in paths if path.endswith(f".{name}")]
    suggestion = f"Did you mean `{longer[0]}`?" if longer else did_you_mean(name, paths)
    return WorkloadProblem(file, here.line, name, message, f"{suggestion} {hint}".strip())
