"""`llmdbenchd serve`: the daemon itself."""

import argparse
import os
import sys
from pathlib import Path

from llmdbenchd.app.serve import HELD, WRONG_SETTINGS, serve
from llmdbenchd.logs import configure
from llmdbenchd.settings import load, process_environment


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "serve",
        help="the daemon",
        description="Take job files from the queue and run them until told to stop. SIGTERM and "
        "Ctrl-C leave launchers running; SIGHUP reads the settings again.",
        epilog=f"Exit code: 0 stopped, {HELD} another daemon holds the queue, "
        f"{WRONG_SETTINGS} wrong settings.",
    )
    parser.add_argument("--config", metavar="FILE", type=Path, help="the settings")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal."""
    environment = process_environment()
    loaded = load(args.config, environment, cwd=Path.cwd())
    for problem in loaded.problems:
        print(f"llmdbenchd: {problem}", file=sys.stderr)
    if loaded.problems:
        return WRONG_SETTINGS
    settings = loaded.settings
    with configure(
        settings.log_level, settings.log_format, stream=sys.stdout, environment=environment
    ) as log:
        code = serve(
            settings,
            environment,
            log,
            reread=lambda: load(args.config, environment, cwd=Path.cwd()),
        )
    sys.stdout.flush()
    # A thread may hash a large file at this moment; all of its work is safe to lose.
    os._exit(code)
