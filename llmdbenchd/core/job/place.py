"""The room of places: where a job's launchers live, as one word.

`local`, `kubernetes/<namespace>`, or `recorder` for what the daemon carries out itself: one
engine, one watch and one view for each.
"""

from llmdbenchd.core.job.support import KUBERNETES, LOCAL, NOP

__all__ = ["LOCAL", "RECORDER", "cluster_place", "namespace_of", "place_of"]

RECORDER = "recorder"


def cluster_place(namespace: str) -> str:
    """The place of launchers in a namespace of the cluster."""
    return f"{KUBERNETES}/{namespace}"


def place_of(engine: str, namespace: str, harness: str) -> str:
    """The place of launchers of a resolved engine; the rest is of interest on a cluster."""
    if engine == KUBERNETES and harness == NOP:
        return RECORDER
    return cluster_place(namespace) if engine == KUBERNETES else engine


def namespace_of(place: str) -> str:
    """The namespace of a place on the cluster; empty for `local`."""
    return place.partition("/")[2]
