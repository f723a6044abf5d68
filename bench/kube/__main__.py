"""The figures of a cluster: `python -m bench.kube [--quick] [--json | --write] [PART ...]`.

Starts a fresh test cluster, measures inside it, and takes it down. `make bench-kube`.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.kube import alone, chatter, crowd, home, loading, looking, watching
from bench.kube.ground import Ground
from bench.run import machine
from bench.table import Figure, markdown, show
from tests.cluster import build
from tests.cluster.places import INSIDE

PARTS = {
    module.NAME: module for module in (looking, alone, crowd, home, chatter, loading, watching)
}
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- bench-kube: begin -->\n", "<!-- bench-kube: end -->\n"


def main() -> int:
    """Measure and print; 0 when every figure could be taken, whether its aim is met or not.

    A part that fails is told of, and the others go on; then the page is left as it is.
    """
    args = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is left running or lying
    return _inside(args) if INSIDE in os.environ else _outside(args)


def _outside(args: argparse.Namespace) -> int:
    """Start a cluster, call ourselves in it, take it down."""
    tool = (sys.executable, "-m", "tests.cluster")
    state = ("--state", str(args.state))
    words = [*("--folder", str(args.folder)), *args.parts]
    words += [f"--{flag}" for flag in ("quick", "json", "write") if getattr(args, flag)]
    build.program("kubectl")  # its modules cannot be fetched from within: there is no network
    try:
        subprocess.run(
            (*tool, "down", *state), check=False
        )  # one that is up may be of another kind
        up = subprocess.run((*tool, "up", "--fresh", "--measured", *state), check=False)
        if up.returncode:
            return up.returncode
        inside = (*tool, "exec", *state, "--", sys.executable, "-m", "bench.kube")
        return subprocess.run((*inside, *words), check=False).returncode
    finally:
        if not args.keep:
            subprocess.run((*tool, "down", *state), check=False)


def _inside(args: argparse.Namespace) -> int:
    complaints = Console(stderr=True, highlight=False)
    figures, failed = [], False
    for name in args.parts or PARTS:
        began = time.monotonic()
        folder = Path(tempfile.mkdtemp(prefix=f"llmdbenchd-bench-{name}-", dir=args.folder))
        try:
            rows = PARTS[name].measure(Ground.here(folder, quick=args.quick))
        except Exception:  # noqa: BLE001 - told; the others take minutes, and are wanted too
            complaints.print_exception()
            failed = True
            continue
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        complaints.print(f"{name}: {time.monotonic() - began:.0f} s", style="dim")
        figures.append(Figure(name, PARTS[name].TITLE, rows))
    if args.json:
        print(json.dumps({"machine": machine(), "figures": [asdict(one) for one in figures]}))
        return int(failed)
    console = Console(width=None if sys.stdout.isatty() else 190, highlight=False)
    console.print(machine())
    show(figures, console)
    if args.write and not failed:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(written(page, f"{machine()}\n\n{markdown(figures)}\n"), encoding="utf-8")
    return int(failed)


def written(page: str, table: str) -> str:
    """The page with this table in place of the one between the marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"no {BEGIN.strip()} in the page"
    assert end, f"no {END.strip()} in the page"
    return f"{before}{begin}\n{table}\n{end}{after}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.kube", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="few repetitions, rough figures")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the rows as JSON")
    form.add_argument("--write", action="store_true", help="put the table into the docs as well")
    parser.add_argument("--keep", action="store_true", help="leave the cluster up")
    temporary = Path("/var/tmp")  # noqa: S108 - folders of our own are made in it by mkdtemp
    parser.add_argument(
        "--folder",
        type=Path,
        default=temporary,
        help="where files are kept meanwhile (%(default)s)",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=temporary / "llmdbenchd-bench-cluster",
        help="the cluster's own folder (%(default)s)",
    )
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    return args


if __name__ == "__main__":
    sys.exit(main())
