"""The recorder's desk: all that was recorded, read again from the folder, as what comes home.

result.yaml  timeline.json  timeline.svg  analysis/result.txt
<pod>_<container>/  vllm.log  vllm-<life>.log  categories.log
<pod>_<launcher>-instance/  vllm.log  categories.log
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import yaml

from llmdbenchd.core.nop.calls import Cycle
from llmdbenchd.core.nop.chart import chart
from llmdbenchd.core.nop.cluster import seconds_of
from llmdbenchd.core.nop.drawing import drawing
from llmdbenchd.core.nop.instances import Launch, launcher_of
from llmdbenchd.core.nop.pages import analysis, categories_log
from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.core.nop.report import telling
from llmdbenchd.core.nop.results import result
from llmdbenchd.core.nop.story import Start, Story, as_the_field_calls_them, gpus_of, no_gpu_of
from llmdbenchd.core.nop.timeline import Recorded, of_an_instance, timeline
from llmdbenchd.core.results.manifest import NAME, FileEntry, render
from llmdbenchd.edge.files.durable import translated
from llmdbenchd.edge.recording.folder import RESULTS, Folder, Pass, ServerFolder
from llmdbenchd.kit.stamps import gaps

_BLOCK = 1 << 20


def write_results(folder: Folder, ended: float) -> bool:
    """Make all results anew; whether any container told of a start. May be repeated.

    Args:
        folder: of the recording.
        ended: seconds since 1970.
    """
    into = folder.path / RESULTS
    with translated(into):
        shutil.rmtree(into, ignore_errors=True)
        into.mkdir()
        stories = _stories(folder, into)
        passes = folder.passes()
        begun = passes[0].begun if passes else ended
        telling_ones = [story for story in stories if story.starts]
        if telling_ones:
            order = folder.order()
            document = result(telling_ones, order, begun=begun, ended=ended)
            _write(into / "result.yaml", yaml.safe_dump(document, sort_keys=False))
            told = chart(telling_ones)
            _write(into / "timeline.json", json.dumps(told, indent=1))
            _write(into / "timeline.svg", drawing(told))
            _write(into / "analysis" / "result.txt", analysis(telling_ones, document, order))
        _write(into / "recordings.json", json.dumps(msgspec.to_builtins(passes), indent=1))
        _write(into / NAME, render(_listed(into)).decode())
    return bool(telling_ones)


def _stories(folder: Folder, into: Path) -> list[Story]:
    """What each container told, then what each launcher's instance did."""
    passes = folder.passes()
    launched = [
        _launched(folder, launch, number, into)
        for number, one in enumerate(passes, 1)
        for launch in one.launches
        if launch.instance
    ]
    own = [
        _story(server, container, passes, into / f"{name}_{container}")
        for name, server in folder.named()
        for container in server.containers()
    ]
    if not folder.order().launcher:
        return own
    launchers = {
        pod.metadata.name: launcher_of([one.name for one in pod.spec.containers])
        for pod in (server.pod() for server in folder.servers())
    }
    return as_the_field_calls_them(own, launched, launchers)


def _story(server: ServerFolder, container: str, passes: tuple[Pass, ...], home: Path) -> Story:
    pod, facts = server.pod(), server.facts()
    logs = server.logs(container)
    read = _Read()
    for restart, path in logs:
        name = "vllm.log" if restart == logs[-1][0] else f"vllm-{restart}.log"
        read.bring(path, home / name, restart)
    read.categories(home)
    this = passes[facts.number] if facts.number < len(passes) else None
    return Story(
        number=facts.number + 1,
        pod=pod.metadata.name,
        container=container,
        image=next((one.image for one in pod.spec.containers if one.name == container), ""),
        is_cold=bool(this and this.removed),
        is_gone=facts.is_gone,
        made_at=seconds_of(pod.metadata.creation_timestamp),
        timeline=timeline(
            pod,
            container,
            server.events(),
            [one.recorded for one in read.starts],
            server.lives().get(container, ()),
        ),
        starts=tuple(read.starts),
        gaps=tuple(read.marked),
        cycles=_cycles_of(this, pod.metadata.name),
        gpus=tuple(read.devices),
        no_gpu=read.no_gpu,
    )


def _launched(folder: Folder, launch: Launch, number: int, into: Path) -> Story:
    """What a launcher started, in the recording of this number."""
    pod = folder.server(launch.uid).pod()
    own = launcher_of([one.name for one in pod.spec.containers])
    container = f"{own or 'launcher'}-instance"
    home = into / f"{launch.pod}_{container}{f'-{number}' if number > 1 else ''}"
    year = datetime.fromtimestamp(launch.begun, UTC).year
    read = _Read(year)
    if (log := folder.launched(launch)).exists():
        read.bring(log, home / "vllm.log", 0)
    read.categories(home)
    recorded = [one.recorded for one in read.starts]
    name = f"{launch.pod}:{folder.order().launcher_vllm_port}"
    return Story(
        number=number,
        pod=launch.pod,
        container=container,
        image=next((one.image for one in pod.spec.containers if one.name == own), ""),
        is_cold=False,
        is_gone=False,
        made_at=None,
        timeline=of_an_instance(launch.pod, container, recorded, launch.begun, launch.trouble),
        starts=tuple(read.starts),
        cycles=_cycles_of(folder.passes()[number - 1], name),
        gpus=tuple(read.devices),
        no_gpu=read.no_gpu,
    )


def _cycles_of(this: Pass | None, server: str) -> tuple[Cycle, ...]:
    return tuple(one for one in (this.cycles if this else ()) if one.server == server)


@dataclass(slots=True)
class _Read:
    """What the logs of one server tell, file by file."""

    year: int | None = None
    starts: list[Start] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    devices: list[dict[str, str]] = field(default_factory=list)
    no_gpu: str = ""

    def bring(self, path: Path, target: Path, restart: int) -> None:
        """Read a log and put a copy of it where it comes home."""
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)  # a second name would change with what is still written
        recorder = Recorder(self.year)
        for block in _blocks(path):
            recorder.feed(block)
            self.marked += [f"{target.name}: lines after {gap.after} are missing: {gap.why}"
                            for gap in gaps(block)]  # fmt: skip
            if b"gpu_uuid=" in block or b"no GPU" in block:
                lines = block.decode("utf-8", "replace").splitlines()
                self.devices += gpus_of(lines)
                self.no_gpu = self.no_gpu or no_gpu_of(lines)
        recorder.finish()
        self.starts += [
            Start(Recorded(restart, one), target.name) for one in telling(recorder.journal)
        ]

    def categories(self, home: Path) -> None:
        """Write them, if a start is told of."""
        if self.starts:
            _write(home / "categories.log", categories_log(self.starts))


def _blocks(path: Path) -> Iterator[bytes]:
    """The log in pieces of whole lines."""
    with path.open("rb") as file:
        for lines in iter(lambda: file.readlines(_BLOCK), []):
            yield b"".join(lines)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _listed(into: Path) -> Iterator[FileEntry]:
    for path in sorted(into.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield FileEntry(path.relative_to(into).as_posix(), path.stat().st_size, digest)
