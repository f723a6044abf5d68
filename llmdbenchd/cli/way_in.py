"""How a person gets into the launchers of a run that was left sleeping (`harness.debug`)."""

import shlex
import sys
from pathlib import Path

from llmdbenchd import payload
from llmdbenchd.cli.state import Folders
from llmdbenchd.controllers.book import JobBook
from llmdbenchd.core.job.accepted import decoded
from llmdbenchd.core.job.place import LOCAL, namespace_of
from llmdbenchd.core.launch.manifest import HARNESS, PAYLOAD_FOLDER
from llmdbenchd.core.launch.plan import IMAGE
from llmdbenchd.core.run.phase import Phase
from llmdbenchd.core.run.record import Record
from llmdbenchd.edge.files.instance import NAME
from llmdbenchd.edge.local.folder import Folder

_TRY = (
    "LLMDBENCH_HARNESS_EXECUTABLE= "
    "LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR=$LLMDBENCH_RUN_EXPERIMENT_RESULTS_DIR/by-hand "
    "{python} -I -S {payload}/launch.py"
)
_SHELL = (
    "import os; os.chdir({workspace!r}); "
    "said = open('/proc/{pid}/environ', 'rb').read().split(b'\\0'); "
    "os.execvpe('sh', ['sh'], dict(one.split(b'=', 1) for one in said if one))"
)


def ways_in(record: Record, folders: Folders) -> tuple[str, ...]:
    """A command for each launcher that opens a shell in it, and last what to run there.

    Empty for a run that does not sleep.

    Raises:
        OSError, ValueError: the job, or the daemon's id, cannot be read.
    """
    spec = folders.records.spec(record.job) if record.phase is Phase.LEFT else None
    job = decoded(spec) if spec else None
    if spec is None or job is None or not job.spec.harness.debug:
        return ()
    instance = (folders.settings.state / NAME).read_text(encoding="ascii").strip()
    book = JobBook(lambda _: spec, instance=instance, places=lambda *_: IMAGE)
    names = book.launchers(record)
    if job.place != LOCAL:
        namespace = shlex.quote(namespace_of(job.place))
        shells = [f"kubectl exec -it -n {namespace} {name} -c {HARNESS} -- sh" for name in names]
        return (*shells, _TRY.format(python="python3", payload=PAYLOAD_FOLDER))
    root = folders.settings.state / LOCAL
    scripts = shlex.quote(str(Path(payload.__file__).parent))
    return (
        *(_local_shell(root / name) for name in names),
        _TRY.format(python=shlex.quote(sys.executable), payload=scripts),
    )


def _local_shell(folder: Path) -> str:
    """A shell with the launcher's own environment, which only its process has."""
    workspace = str(folder / "workspace")
    claim = Folder(folder).claim()
    if claim is None or claim.launcher is None:
        return f"cd {shlex.quote(workspace)}"
    program = _SHELL.format(workspace=workspace, pid=claim.launcher.pid)
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}"
