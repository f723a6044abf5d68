"""One script for each harness, loaded by path: how to run it, and what came of it."""
