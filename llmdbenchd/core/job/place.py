"""The room of places: where a job's launchers live, as one word.

`local`, or `kubernetes/<namespace>`: one engine, one watch and one view for each.
"""

from llmdbenchd.core.job.support import KUBERNETES, LOCAL

__all__ = ["LOCAL", "cluster_place", "namespace_of", "place_of"]


def cluster_place(namespace: str) -> str:
    """The place of launchers in a namespace of the cluster."""
    return f"{KUBERNETES}/{namespace}"


def place_of(engine: str, namespace: str) -> str:
    """The place of launchers of a resolved engine; the namespace is of interest on a cluster."""
    return cluster_place(namespace) if engine == KUBERNETES else engine


def namespace_of(place: str) -> str:
    """The namespace of a place on the cluster; empty for `local`."""
    return place.partition("/")[2]
