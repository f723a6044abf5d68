"""What a run has proven: manifests, metrics with units, and the verdict."""
