"""`llmdbenchd settings`: what is in force, and where each value came from."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmdbenchd.settings import NAMES, Loaded, load, process_environment

_GOOD, _NO = 0, 1
_UNLIMITED_WIDTH = 10_000  # a path in a pipe is never folded


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("settings", help="print the settings and where they come from")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="read this file as `serve --config` would"
    )
    parser.add_argument("--json", action="store_true", help="an object: ok, problems, settings")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them; 1 when there is a mistake with which `serve` would not start."""
    loaded = load(args.config, process_environment(), cwd=Path.cwd())
    if args.json:
        print(json.dumps(as_json(loaded), indent=2))
    else:
        _print_table(loaded)
        for problem in loaded.problems:
            print(problem, file=sys.stderr)
    return _NO if loaded.problems else _GOOD


def as_json(loaded: Loaded) -> dict[str, Any]:
    """What `--json` prints: `{"ok", "problems": [...], "settings": {NAME: {"value", ...}}}`."""
    values = loaded.settings.model_dump(mode="json")
    return {
        "ok": not loaded.problems,
        "problems": [
            {"where": one.where, "name": one.name, "message": one.message, "hint": one.hint}
            for one in loaded.problems
        ],
        "settings": {
            name: {"value": values[name], "origin": loaded.origins[name]} for name in NAMES
        },
    }


def _print_table(loaded: Loaded) -> None:
    table = Table("setting", "value", "origin", box=None, pad_edge=False, header_style="bold")
    for name in NAMES:
        origin = loaded.origins[name]
        style = "dim" if origin == "default" else ""
        table.add_row(name, Text(_shown(getattr(loaded.settings, name))), Text(origin), style=style)
    console = Console()
    width = None if console.is_terminal else _UNLIMITED_WIDTH
    Console(width=width).print(table)


def _shown(value: object) -> str:
    if value is None or value == ():
        return "-"
    return ":".join(map(str, value)) if isinstance(value, tuple) else str(value)
