"""All figures in one table: `python -m bench.run [--quick] [--only NAME] [--json | --markdown]`."""

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench import disk, following, intake, load_log, rest, sealing, simulator, start, turns
from bench.table import Figure, markdown, show

MODULES = {
    module.NAME: module
    for module in (disk, start, sealing, intake, following, load_log, rest, simulator, turns)
}


def main() -> int:
    """Measure and print; 0 when every figure could be taken, whether its aim is met or not."""
    args = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is left running or lying
    complaints = Console(stderr=True, highlight=False)
    figures = []
    for name in args.only or MODULES:
        module = MODULES[name]
        began = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix=f"llmdbenchd-bench-{name}-", dir=args.folder))
        try:
            rows = module.measure(folder, module.QUICK if args.quick else module.FULL)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        complaints.print(f"{name}: {time.monotonic() - began:.0f} s", style="dim")
        figures.append(Figure(name, module.TITLE, rows))
    if args.json:
        print(json.dumps({"machine": machine(), "figures": [asdict(one) for one in figures]}))
    elif args.markdown:
        print(f"{machine()}\n\n{markdown(figures)}")
    else:
        console = Console(width=None if sys.stdout.isatty() else 190, highlight=False)
        console.print(machine())
        show(figures, console)
    return 0


def machine() -> str:
    """What all of this was measured on, in one line."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, rough figures")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the rows as JSON")
    form.add_argument("--markdown", action="store_true", help="as docs/performance.md has it")
    parser.add_argument(
        "--only", action="append", choices=MODULES, metavar="NAME", help=", ".join(MODULES)
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("/var/tmp"),  # noqa: S108 - folders of our own are made in it by mkdtemp
        help="where to measure (%(default)s): on a disk, for a tmpfs makes durable writes free",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
