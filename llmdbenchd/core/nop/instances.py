"""The inference launcher's instances: what to ask for, what its answers mean, and whose they are.

The launcher gives an instance its id, so ours cannot be named beforehand. Ours is told by what
is kept before it is asked for: the ids that were there, and the options that we ask with.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from llmdbenchd.core.nop.attempt import Attempt
from llmdbenchd.core.nop.facts import facts_of

STANDALONE, LAUNCHED = "vLLM Standalone", "vLLM Launcher"
"""As the field's report calls the two."""
_SKIPPED = frozenset({"model_tag", "port"})
_OVER = frozenset({"stopped", "terminated", "not_running"})
_TOLD_WITH_DEFAULTS = "("  # how a whole Namespace begins, as vLLM wrote it before 0.9


class Instance(msgspec.Struct, frozen=True):
    """One server of a launcher.

    Attributes:
        instance_id: the launcher's own.
        status: `started`, `running`, `stopped`, `terminated`, `not_running`: its own word.
        options: that it was started with; empty where this launcher does not tell.
    """

    instance_id: str
    status: str = ""
    options: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it runs no more; it is listed until somebody deletes it."""
        return self.status in _OVER


class Listing(msgspec.Struct, frozen=True):
    """What runs below a launcher."""

    total_instances: int = 0
    running_instances: int = 0
    instances: tuple[Instance, ...] = ()


class Unclear(ValueError):
    """Nothing tells which instance is ours; none is touched."""


class Untold(ValueError):
    """A server's log does not tell with which arguments it was started."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An instance to be; on disk before it is asked for.

    Attributes:
        options: of the server, its port included.
        before: the ids that were there when nothing of ours was.
    """

    options: str
    before: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One instance that a recording started, or is about to.

    Attributes:
        namespace, pod, uid: whose launcher.
        begun: when it was asked for, seconds since 1970.
        instance: its id; empty until the launcher has told it.
        ready_at: when it answered first, likewise; None if it never did.
        trouble: why it is not what was asked for.
        is_over: whether nothing of it is left.
    """

    namespace: str
    pod: str
    uid: str
    wanted: Wanted
    begun: float
    instance: str = ""
    ready_at: float | None = None
    trouble: str = ""
    is_over: bool = False


def options_like(attempts: Sequence[Attempt], port: int) -> str:
    """Options of an instance that is as the standalone server is.

    Args:
        attempts: the server's starts; the last one counts.
        port: that the instance listens on.

    Raises:
        Untold: its log does not tell its own arguments.
    """
    told = [one for one in attempts if "args" in one.text]
    args = facts_of(told[-1]).args if told else None
    if args is None:
        raise Untold("the standalone server's log does not tell its arguments")
    if told[-1].text["args"].startswith(_TOLD_WITH_DEFAULTS):
        raise Untold("the standalone server's log tells all defaults among its arguments")
    return options_of(args, port)


def options_of(args: Mapping[str, object], port: int) -> str:
    """A server's own arguments as options of an instance.

    Args:
        args: as its log told them, by name.
        port: that the instance listens on; the server's own is left out.
    """
    words = [f"--port {port}"]
    if "model" not in args and args.get("model_tag"):
        words.append(f"--model {args['model_tag']}")
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


def why_not(listing: Listing) -> str:
    """Why no instance may be started now: somebody's runs already; nothing if one may."""
    others = [
        f"{one.instance_id} ({one.status or 'no status'})"
        for one in listing.instances
        if not one.is_over
    ]
    return f"the launcher runs instances that are not ours: {', '.join(others)}" if others else ""


def ended(instance: str, listing: Listing) -> str:
    """Why it will not be ready any more, or nothing."""
    for one in listing.instances:
        if one.instance_id == instance:
            return f"instance {instance} is {one.status}" if one.is_over else ""
    return f"the launcher knows nothing of instance {instance} any more"


def launcher_of(containers: Sequence[str]) -> str:
    """Which of a pod's containers is the launcher: it is called so, or is the second."""
    called = [one for one in containers if "launcher" in one]
    return next(iter(called or containers[1:2]), "")
