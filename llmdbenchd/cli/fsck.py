"""`llmdbenchd fsck`: whether records, launchers and archives tell the same of every run."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from llmdbenchd.cli.audit import Auditor, Seen
from llmdbenchd.cli.state import CANNOT_TELL, GOOD, NO, Folders, add_common, answering
from llmdbenchd.core.fsck.accounts import Difference
from llmdbenchd.edge.files.locks import Held, queue_lock
from llmdbenchd.ports import Refused, Unavailable
from llmdbenchd.settings import process_environment

AGAIN_S = 2.0  # what a running daemon is in the middle of is over by then, or differs again


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "fsck",
        help="compare records, launchers and archives",
        description="Compare what the records say with the launchers that there are, here and "
        "on the cluster, and with the archive, every byte of which is hashed. Prints each "
        "difference and what is done about it.",
        epilog="Exit code: 0 no difference (is left), 1 there is one, 3 something could not be "
        "looked at.",
    )
    how = parser.add_mutually_exclusive_group()  # what is removed is archived whole, bytes and all
    how.add_argument(
        "--repair",
        action="store_true",
        help="remove what has ended and is archived whole or belongs to no run that we know; "
        "only while no daemon runs",
    )
    how.add_argument("--quick", action="store_true", help="do not hash the archives")
    parser.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NAME",
        help="look there too (beside the namespaces of all known jobs)",
    )
    add_common(parser)
    parser.set_defaults(run=answering(_fsck))


@dataclass(frozen=True, slots=True)
class _Line:
    """A difference, and whether it was mended (None: nobody tried), or why that failed."""

    difference: Difference
    mended: bool | None = None
    error: str = ""


def _fsck(args: argparse.Namespace, folders: Folders) -> int:
    auditor = Auditor(
        folders, process_environment(), hashed=not args.quick, namespaces=tuple(args.namespace)
    )
    with ExitStack() as stack:
        try:
            stack.enter_context(queue_lock(folders.settings.queue))
        except Held as error:
            return _beside_a_daemon(args, auditor, error)
        seen = auditor.look(daemon=False)
        lines = [_Line(one) for one in seen.differences]
        if args.repair:
            lines = list(asyncio.run(_repair(auditor, seen.differences)))
        return _answer(args, seen, lines)


def _beside_a_daemon(args: argparse.Namespace, auditor: Auditor, held: Held) -> int:
    """Look twice: what differs only once was on its way."""
    if args.repair:
        raise LookupError(f"{held} (--repair needs the queue for itself: stop it first)")
    first = auditor.look(daemon=True)
    if not first.differences:
        return _answer(args, first, [])
    asyncio.run(asyncio.sleep(AGAIN_S))
    second = auditor.look(daemon=True)
    still = [_Line(one) for one in second.differences if one in first.differences]
    return _answer(args, second, still)


async def _repair(auditor: Auditor, differences: Sequence[Difference]) -> list[_Line]:
    lines: list[_Line] = []
    async with auditor.hands() as remove:
        for one in differences:
            if one.remedy is None:
                lines.append(_Line(one))
                continue
            try:
                await remove(one.remedy)
            except (Refused, Unavailable) as error:
                lines.append(_Line(one, mended=False, error=str(error)))
            else:
                lines.append(_Line(one, mended=True))
    return lines


def _answer(args: argparse.Namespace, seen: Seen, lines: Sequence[_Line]) -> int:
    if args.json:
        print(json.dumps(_as_json(seen, lines), indent=2))
    else:
        for text in _told(seen, lines):
            print(text)
    for place, why in seen.unseen.items():
        print(f"llmdbenchd: {place} could not be looked at: {why}", file=sys.stderr)
    if any(not line.mended for line in lines):
        return NO
    return CANNOT_TELL if seen.unseen else GOOD


def _told(seen: Seen, lines: Sequence[_Line]) -> Iterator[str]:
    for line in lines:
        one = line.difference
        where = f" ({one.where})" if one.where else ""
        yield f"{one.kind}: {one.what}{where}"
        yield f"    {one.detail}"
        yield f"    -> {_done(line)}"
    left = sum(not line.mended for line in lines)
    mended = len(lines) - left
    yield (
        f"{seen.runs} runs, {seen.things} objects, {seen.archives} archives: "
        f"{left or 'no'} difference{'' if left == 1 else 's'}"
        + (f", {mended} mended" if mended else "")
    )


def _done(line: _Line) -> str:
    if line.mended:
        return "removed"
    if line.error:
        return f"could not be removed: {line.error}"
    return line.difference.left or "`llmdbenchd fsck --repair` removes it"


def _as_json(seen: Seen, lines: Sequence[_Line]) -> dict[str, object]:
    return {
        "runs": seen.runs,
        "objects": seen.things,
        "archives": seen.archives,
        "unseen": dict(seen.unseen),
        "differences": [
            {
                "kind": line.difference.kind,
                "what": line.difference.what,
                "where": line.difference.where or None,
                "detail": line.difference.detail,
                "removable": line.difference.remedy is not None,
                "mended": bool(line.mended),
                "left": None if line.mended else _done(line),
            }
            for line in lines
        ],
    }
