"""Where the logs of a run's servers lie: beside its launchers' logs, live or archived."""

from llmdbenchd.cli.state import Folders
from llmdbenchd.cli.tailing import LogFile
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.files.evidence import SERVERS
from llmdbenchd.edge.recording.keeping import HOME, served


def server_logs(folders: Folders, record: Record) -> list[LogFile]:
    """Those of the last attempt, named by pod and container; none where nobody asked for them."""
    live = folders.live / record.job / record.run / str(record.attempt) / SERVERS
    kept = folders.settings.archive / record.job / record.run
    if live.is_dir():
        files = {name: path for name, path in served(live).files.items() if _is_of_a_server(name)}
    else:
        paths = sorted((kept / HOME).rglob("*.log"))
        files = {path.relative_to(kept).as_posix(): path for path in paths}
    return [
        LogFile(name.removeprefix(f"{HOME}/").removesuffix(".log"), path, kept / name)
        for name, path in files.items()
    ]


def _is_of_a_server(name: str) -> bool:
    return name.startswith(f"{HOME}/")
