"""What raw Kubernetes objects say about launchers."""
