"""`llmdbenchd cleanup`: remove what the daemon made on a cluster, and say what stays."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from llmdbenchd.cli.doctor_cluster import of_jobs
from llmdbenchd.cli.state import GOOD, NO, Folders, add_common, answering
from llmdbenchd.core.fsck.leftovers import Known, Owned, sort_out
from llmdbenchd.edge.files.instance import NAME as INSTANCE
from llmdbenchd.edge.kubernetes.owned import owned_in, remove
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.ports import Refused, Unavailable
from llmdbenchd.settings import process_environment


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "cleanup",
        help="remove what the daemon made on a cluster",
        description="Remove pods and ConfigMaps that this daemon made and no run needs any more; "
        "nothing of anybody else, no claim, and nothing that holds the only copy of results. "
        "Whatever stays is named, with the reason.",
        epilog="Exit code: 0 done, 1 something could not be removed, 3 it could not be looked at.",
    )
    parser.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NAME",
        help="there, instead of where the settings and the open jobs send launchers",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="only say what would go")
    add_common(parser)
    parser.set_defaults(run=answering(_cleanup))


@dataclass(frozen=True, slots=True)
class _Line:
    """What became of one object: `removed`, `would go`, `stays` or `failed`, and why."""

    what: Owned
    became: str
    why: str = ""


def _cleanup(args: argparse.Namespace, folders: Folders) -> int:
    file = folders.settings.state / INSTANCE
    if not file.exists():
        raise Refused(f"{file} is not there: no daemon ever ran on this state folder")
    instance = file.read_text(encoding="ascii").strip()
    namespaces = args.namespace or sorted(of_jobs(folders.settings)[0].launchers)
    lines = asyncio.run(_sweep(folders, instance, namespaces, dry_run=args.dry_run))
    if args.json:
        document = [
            {
                "namespace": line.what.namespace,
                "kind": line.what.kind,
                "name": line.what.name,
                "became": line.became,
                "why": line.why,
            }
            for line in lines
        ]
        print(json.dumps({"namespaces": namespaces, "objects": document}, indent=2))
    else:
        for line in lines:
            print(f"{line.became}: {line.what}{': ' if line.why else ''}{line.why}")
        if not lines:
            print(f"nothing of ours is in {', '.join(namespaces)}")
    return NO if any(line.became == "failed" for line in lines) else GOOD


async def _sweep(
    folders: Folders, instance: str, namespaces: Sequence[str], *, dry_run: bool
) -> list[_Line]:
    settings = folders.settings
    access = Access(settings.kubeconfig, settings.context, process_environment())
    async with await Session.open(access) as session:
        found = [one for where in namespaces for one in await owned_in(session, where)]
        # Read after the objects: what a run made meanwhile is not among them.
        known = Known(
            instance=instance,
            jobs=tuple(folders.records.jobs()),
            records=tuple(folders.all_records()),
            daemon=bool(folders.daemon()["running"]),
        )
        answer = sort_out(found, known)
        gone = [
            _Line(one, "would go") if dry_run else await _removed(session, one)
            for one in answer.goes
        ]
    return [*gone, *(_Line(one, "stays", why) for one, why in answer.stays)]


async def _removed(session: Session, one: Owned) -> _Line:
    try:
        await remove(session, one)
    except (Refused, Unavailable) as error:
        return _Line(one, "failed", str(error))
    return _Line(one, "removed")
