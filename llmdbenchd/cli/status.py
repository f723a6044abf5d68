"""`llmdbenchd status`: what is going on, from the records alone."""

import argparse
import json
from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmdbenchd.cli.complaining import complaints
from llmdbenchd.cli.state import GOOD, Folders, add_common, answering
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.clock import SystemClock

_COLOURS = {
    Phase.SUCCEEDED: "green",
    Phase.FAILED: "red",
    Phase.CANCELLED: "yellow",
    Phase.RUNNING: "cyan",
}


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "status",
        help="what is going on",
        description="The daemon, the jobs, and the runs of one job. Reads files; works without "
        "a daemon.",
    )
    parser.add_argument("job", nargs="?", metavar="JOB[/RUN]", help="one job (default: all)")
    parser.add_argument("--all", action="store_true", help="finished jobs as well")
    add_common(parser)
    parser.set_defaults(run=answering(_status))


def _status(args: argparse.Namespace, folders: Folders) -> int:
    records = folders.find(args.job) if args.job else tuple(folders.all_records())
    daemon = folders.daemon()
    if args.json:
        runs = [_as_json(one, complaints(one, folders)) for one in records]
        print(json.dumps({"daemon": daemon, "runs": runs}, indent=2))
        return GOOD
    console = Console()
    if not args.job:
        console.print(_daemon_line(daemon), style="bold", highlight=False, soft_wrap=True)
    if args.job:
        console.print(_runs_table(records, folders))
    else:
        _print_jobs(console, records, everything=args.all)
    return GOOD


def _daemon_line(daemon: dict[str, Any]) -> str:
    if daemon.get("silent"):
        silence = f"has told nothing for {daemon['age_s']:.0f} s"
        return f"daemon: pid {daemon['pid']} is there and {silence}: is the disk full?"
    if not daemon["running"]:
        heard = f" (last heard {daemon['age_s']:.0f} s ago)" if "age_s" in daemon else ""
        return f"daemon: not running{heard}"
    degraded = f"; degraded: {', '.join(daemon['degraded'])}" if daemon.get("degraded") else ""
    paused = f"; admission stopped: {', '.join(daemon['paused'])}" if daemon.get("paused") else ""
    return f"daemon: running, pid {daemon['pid']}, since {daemon['started'][:19]}{degraded}{paused}"


def _print_jobs(console: Console, records: tuple[Record, ...], *, everything: bool) -> None:
    table = Table("job", "runs", "phases", "since", box=None, pad_edge=False)
    jobs: dict[str, list[Record]] = {}
    for record in records:
        jobs.setdefault(record.job, []).append(record)
    shown = {
        job: mine
        for job, mine in jobs.items()
        if everything or any(not one.phase.is_final for one in mine)
    }
    for job, mine in sorted(shown.items(), key=lambda item: item[1][0].submitted):
        counts = Counter(one.phase for one in mine)
        phases = Text(", ").join(
            Text(f"{count} {phase}", _COLOURS.get(phase, "")) for phase, count in counts.items()
        )
        since = max(one.since for one in mine)
        table.add_row(job, str(len(mine)), phases, f"{since:%m-%d %H:%M:%S}")
    if shown:
        console.print(table)
    hidden = len(jobs) - len(shown)
    if hidden:
        console.print(f"{hidden} finished jobs (--all shows them)", style="dim")


def _runs_table(records: tuple[Record, ...], folders: Folders) -> Table:
    table = Table("run", "phase", "attempt", "for", "what", box=None, pad_edge=False)
    now = SystemClock.of_this_machine().now().utc
    for record in records:
        table.add_row(
            record.key,
            Text(record.phase, _COLOURS.get(record.phase, "")),
            str(record.attempt),
            f"{max(0.0, (now - record.since).total_seconds()):.0f} s",
            Text("; ".join(filter(None, (told(record), complaints(record, folders))))),
        )
    return table


def told(record: Record) -> str:
    """What there is to say about a run beside its phase."""
    if record.verdict is not None:
        left = f"; left behind: {record.left_behind}" if record.left_behind else ""
        return f"{record.verdict.kind}: {record.verdict.reason}{left}"
    if record.failure is not None:
        return f"ending: {record.failure.detail}"
    if record.last_error:
        return f"try {record.tries} failed: {record.last_error}"
    return record.target.endpoint if record.target else ""


def _as_json(record: Record, complaint: str) -> dict[str, Any]:
    return {
        "job": record.job,
        "run": record.run,
        "phase": record.phase,
        "attempt": record.attempt,
        "since": record.since.isoformat(),
        "submitted": record.submitted.isoformat(),
        "priority": record.priority,
        "target": record.target.endpoint if record.target else None,
        "kind": record.verdict.kind if record.verdict else None,
        "reason": told(record) or None,
        "complaint": complaint or None,
        "until": record.deadline.utc.isoformat() if record.deadline else None,
        "cancels": record.cancels,
        "left_behind": record.left_behind or None,
    }
