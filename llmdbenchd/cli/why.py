"""`llmdbenchd why`: what a run waits for, and who holds it."""

import argparse
import json
from collections.abc import Mapping

from llmdbenchd.cli.complaining import complaints
from llmdbenchd.cli.state import GOOD, Folders, add_common, answering
from llmdbenchd.cli.status import told
from llmdbenchd.cli.way_in import ways_in
from llmdbenchd.core.job.accepted import decoded
from llmdbenchd.core.run.admit import waits_for
from llmdbenchd.core.run.limits import Capacity
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.core.run.rivals import Rivals
from llmdbenchd.edge.clock import SystemClock
from llmdbenchd.edge.files.inbox import is_paused

_WAITS = {
    Phase.RESOLVING: "its target is looked up and its workload rendered",
    Phase.LAUNCHING: "its launchers are being started",
    Phase.RUNNING: "its launchers generate load",
    Phase.COLLECTING: "its logs and results are brought home",
    Phase.REPORTING: "its reports are made and its archive is sealed",
    Phase.CLEANING: "its launchers are removed",
    Phase.LEFT: "it was left running (wait_timeout: 0, or debug): `llmdbenchd collect` brings "
    "it back",
}


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "why",
        help="why a job waits, or ended as it did",
        description="One line for each run: what it waits for and who holds it, or why it ended.",
    )
    parser.add_argument("job", metavar="JOB[/RUN]")
    add_common(parser)
    parser.set_defaults(run=answering(_why))


def _why(args: argparse.Namespace, folders: Folders) -> int:
    asked = folders.find(args.job)
    everyone = [record for record in folders.all_records() if not record.phase.is_final]
    paused = is_paused(folders.settings.queue)
    capacity = Capacity(slots=folders.settings.max_active_runs)
    daemon = folders.daemon()
    is_running = daemon["running"]
    rivals = daemon.get("rivals", {}) if is_running else {}
    ill = daemon.get("degraded_since", {}) if is_running else {}
    reasons = {
        record.key: _reason(record, everyone, capacity, paused=paused, rivals=rivals)
        + _complaint(record, folders)
        + _ill(record, folders, ill)
        for record in asked
    }
    ways = {record.key: ways_in(record, folders) for record in asked}
    if args.json:
        told_ways = {key: list(way) for key, way in ways.items() if way}
        answer = {"daemon_running": is_running, "why": reasons, "ways_in": told_ways}
        print(json.dumps(answer, indent=2))
        return GOOD
    for record in asked:
        print(f"{record.key} {record.phase}: {reasons[record.key]}")
        *shells, by_hand = ways[record.key] or ("",)
        for index, shell in enumerate(shells, start=1):
            print(f"  into launcher {index}:  {shell}")
        if by_hand:
            print(
                f"  and in there:     {by_hand}\n  end it:           llmdbenchd cancel {record.key}"
            )
    if not is_running and any(not record.phase.is_final for record in asked):
        print("no daemon is running on this state folder: nothing moves")
    return GOOD


def _complaint(record: Record, folders: Folders) -> str:
    """What the run's launchers tell of errors although they still run."""
    said = complaints(record, folders)
    return f"; {said}" if said else ""


def _ill(record: Record, folders: Folders, ill: Mapping[str, Mapping[str, str]]) -> str:
    """What is known of a run may be old: since when nobody sees the place of its launchers."""
    spec = None if record.phase.is_over else folders.records.spec(record.job)
    place = decoded(spec).place if spec else ""
    if place not in ill:
        return ""
    return f"; {place} is degraded since {ill[place]['since'][:19]}: {ill[place]['reason']}"


def _reason(
    record: Record, everyone: list[Record], capacity: Capacity, *, paused: bool, rivals: Rivals
) -> str:
    if record.phase.is_final and record.phase is not Phase.LEFT:
        return told(record)
    now = SystemClock.of_this_machine().now()
    waiting = waits_for(record, everyone, capacity, now, paused=paused, rivals=rivals)
    more = f" ({told(record)})" if record.failure or record.last_error else ""
    return (waiting or _WAITS.get(record.phase, "it is its turn")) + _until(record) + more


def _until(record: Record) -> str:
    if record.deadline is None:
        return ""
    return f", until {record.deadline.utc:%Y-%m-%d %H:%M:%S} UTC at most"
