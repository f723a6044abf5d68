"""Names of profiles, and which profile a run uses."""

import re
from collections.abc import Sequence

from llmdbenchd.core.workload.errors import (
    WorkloadError,
    WorkloadProblem,
    did_you_mean,
    listing,
)

SUFFIXES = (".yaml.in", ".yaml.j2", ".yaml")  # the first that exists is the one that is meant
_DEFAULT = "sanity_random"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")


def stem(name: str) -> str:
    """The profile's name without its ending: `sanity_random` for `sanity_random.yaml.in`."""
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def is_name(name: str) -> bool:
    """Whether it can name a profile or a harness: one path component, nothing hidden."""
    return _NAME.fullmatch(name) is not None and ".." not in name


def choose(names: Sequence[str], requested: str | None, harness: str) -> str:
    """Which of a harness' profiles a job means.

    Args:
        names: the profiles that the harness has, with or without ending.
        requested: the job's `workload`, with or without ending; None or empty: the default,
            which is `sanity_random`, else the only profile.
        harness: the harness' name, for errors.

    Returns:
        The profile's name without ending.

    Raises:
        WorkloadError: no such profile, or no default; the message lists what there is.
    """
    stems = list(dict.fromkeys(map(stem, names)))
    if requested:
        if stem(requested) in stems:
            return stem(requested)
        raise unknown(stems, requested, harness)
    if _DEFAULT in stems:
        return _DEFAULT
    if len(stems) == 1:
        return stems[0]
    message = f"has no profile `{_DEFAULT}` to fall back on"
    hint = listing("Name one of its profiles as `workload`", stems)
    raise WorkloadError([WorkloadProblem(harness, 0, "the harness", message, hint)])


def unknown(names: Sequence[str], requested: str, harness: str) -> WorkloadError:
    """The error for a profile that the harness does not have."""
    hint = f"{did_you_mean(stem(requested), names)} {listing('It has', names)}"
    message = f"is not a profile of {harness}"
    return WorkloadError([WorkloadProblem(harness, 0, f"`{requested}`", message, hint.strip())])
