"""The inference launcher's instances: what to ask for, what its answers mean, and whose they are.

The launcher gives an instance its id, so ours cannot be named beforehand. Ours is told by what
is kept before it is asked for: the ids that were there, and the options that we ask with.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec

_SKIPPED = frozenset({"model_tag", "port"})


class Instance(msgspec.Struct, frozen=True):
    """One server of a launcher.

    Attributes:
        instance_id: the launcher's own.
        status: `started`, `running`, `stopped`, `terminated`: its own word.
        options: that it was started with; empty where this launcher does not tell.
    """

    instance_id: str
    status: str = ""
    options: str = ""


class Listing(msgspec.Struct, frozen=True):
    """What runs below a launcher."""

    total_instances: int = 0
    running_instances: int = 0
    instances: tuple[Instance, ...] = ()


class Unclear(ValueError):
    """Nothing tells which instance is ours; none is touched."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An instance to be; on disk before it is asked for.

    Attributes:
        options: of the server, its port included.
        before: the ids that were there when nothing of ours was.
    """

    options: str
    before: frozenset[str]


def options_of(args: Mapping[str, object], port: int) -> str:
    """The standalone server's own arguments as options of an instance.

    Args:
        args: as its log told them, by name.
        port: that the instance listens on; the standalone server's own is left out.
    """
    words = [f"--port {port}"]
    for name, value in args.items():
        if name in _SKIPPED or value is None:
            continue
        flag = name.replace("_", "-")
        match value:
            case bool():
                words.append(f"--{'' if value else 'no-'}{flag}")
            case list() | tuple() | dict():
                words.append(f"--{flag} {json.dumps(value, separators=(',', ':'))}")
            case _:
                words.append(f"--{flag} {value}")
    return " ".join(words)


def ours(wanted: Wanted, listing: Listing) -> tuple[str, ...]:
    """The ids of what we started: not there before, and with our options where they are told.

    Raises:
        Unclear: options are not told and several are new: one may be somebody else's.
    """
    new = [
        one
        for one in listing.instances
        if one.instance_id not in wanted.before and one.options in {"", wanted.options}
    ]
    if len(new) > 1 and not all(one.options for one in new):
        ids = ", ".join(one.instance_id for one in new)
        raise Unclear(f"which of the launcher's instances {ids} is ours? end it by hand")
    return tuple(one.instance_id for one in new)


def why_not(listing: Listing, mine: Collection[str] = ()) -> str | None:
    """Why no instance may be started now: somebody else's runs; None = one may."""
    others = [
        f"{one.instance_id} ({one.status or 'no status'})"
        for one in listing.instances
        if one.instance_id not in mine
    ]
    if others:
        return f"the launcher has instances that are not ours: {', '.join(others)}"
    return None
