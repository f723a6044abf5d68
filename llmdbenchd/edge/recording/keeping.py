"""The recorder's shelf: servers' logs that were followed beside a run, by their archive's names."""

from pathlib import Path

from llmdbenchd.core.results.document import ServerLog
from llmdbenchd.edge.files.evidence import Served, log_facts
from llmdbenchd.edge.recording.folder import LOG, Folder, ServerFolder
from llmdbenchd.kit.stamps import opened_at

HOME = "logs/servers"
SAID = "logs/servers.log"  # what was seen of them
_LONGEST = 1 << 10  # bytes of a first line that are looked at


def served(path: Path) -> Served:
    """What was kept in a folder, and where each file of it belongs in the archive. Blocks."""
    logs, files = list[ServerLog](), dict[str, Path]()
    folder = Folder(path)
    if (path / LOG).exists():
        files[SAID] = path / LOG
    for name, server in folder.named():
        for container in server.containers():
            kept = server.logs(container)
            for restart, log in kept:
                is_last = restart == kept[-1][0]
                file = f"{container}.log" if is_last else f"{container}.{restart}.log"
                logs.append(_told(server, log, f"{HOME}/{name}/{file}"))
                files[logs[-1].file] = log
    return Served(tuple(logs), files)


def _told(server: ServerFolder, log: Path, file: str) -> ServerLog:
    facts = log_facts(log)
    with log.open("rb") as opened:
        begins = opened_at(opened.readline(_LONGEST))
    return ServerLog(
        pod=server.pod().metadata.name,
        container=log.parent.name,
        restart=int(log.stem),
        file=file,
        bytes=facts.size,
        begins=begins or None,
        gaps=facts.gaps,
    )
