"""Launchers as pods: the only code that speaks to a Kubernetes API server."""
