"""Words on a terminal; decides nothing."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

COMMANDS = (
    "serve", "submit", "check", "status", "why", "logs", "cancel", "pause", "resume", "collect",
    "results", "verify", "replay", "fsck", "cleanup", "profiles", "settings", "schema", "doctor",
    "nop", "preprocess", "simulate",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """The command `llmdbenchd`.

    Returns:
        0 good, 1 the answer is no, 2 wrong usage, 3 could not find out.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    args = _parser(words).parse_args(words)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except (BrokenPipeError, ExceptionGroup) as error:
        if not _is_broken_pipe(error):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _is_broken_pipe(error: BaseException) -> bool:
    """`llmdbenchd results | head`: the reader has seen enough; tasks tell it as a group."""
    if isinstance(error, ExceptionGroup):
        return all(_is_broken_pipe(one) for one in error.exceptions)
    return isinstance(error, BrokenPipeError)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the module of the command that is asked for is imported."""
    parser = argparse.ArgumentParser(
        prog="llmdbenchd",
        description="Runs LLM serving benchmarks from dropped job files, and brings the results "
        "home proven whole.",
    )
    parser.add_argument("--version", action="version", version=version("llmdbenchd"))
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    asked = next((word for word in words if not word.startswith("-")), None)
    for name in [asked] if asked in COMMANDS else COMMANDS:
        import_module(f"llmdbenchd.cli.{name}").register(commands)
    return parser
