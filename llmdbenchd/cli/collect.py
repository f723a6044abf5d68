"""`llmdbenchd collect`: collect a run that was left running."""

import argparse

from llmdbenchd.cli.asking import register_one


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    register_one(commands, "collect", "collect a run that was left running")
