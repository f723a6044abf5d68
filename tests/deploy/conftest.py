"""For what we ship for clusters: the cluster of the end-to-end tests, where there is one."""

from tests.e2e.conftest import cluster, namespace

__all__ = ["cluster", "namespace"]
