"""`llmdbenchd cancel`: end a job or a run."""

import argparse

from llmdbenchd.cli.asking import register_one


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    register_one(commands, "cancel", "end a job or a run")
