"""The recorder's desk: all that was recorded, read again from the folder, as what comes home.

result.yaml  timeline.json  timeline.svg  analysis/result.txt
<pod>_<container>/  vllm.log  vllm-<life>.log  categories.log
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import yaml

from llmdbenchd.core.nop.chart import chart
from llmdbenchd.core.nop.cluster import seconds_of
from llmdbenchd.core.nop.drawing import drawing
from llmdbenchd.core.nop.pages import analysis, categories_log
from llmdbenchd.core.nop.recorder import Recorder
from llmdbenchd.core.nop.report import telling
from llmdbenchd.core.nop.results import result
from llmdbenchd.core.nop.story import Start, Story, gpus_of, no_gpu_of
from llmdbenchd.core.nop.timeline import Recorded, timeline
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
        stories = list(_stories(folder, into))
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
        listed = [
            {**asdict(one), "cycles": [asdict(each) for each in one.cycles]} for one in passes
        ]
        _write(into / "recordings.json", json.dumps(listed, indent=1))
        _write(into / NAME, render(_listed(into)).decode())
    return bool(telling_ones)


def _stories(folder: Folder, into: Path) -> Iterator[Story]:
    passes = folder.passes()
    for server in folder.servers():
        for container in server.containers():
            yield _story(server, container, passes, into)


def _story(server: ServerFolder, container: str, passes: tuple[Pass, ...], into: Path) -> Story:
    pod, facts = server.pod(), server.facts()
    home = into / f"{pod.metadata.name}_{container}"
    home.mkdir(exist_ok=True)
    logs = server.logs(container)
    starts: list[Start] = []
    marked: list[str] = []
    devices: list[dict[str, str]] = []
    no_gpu = ""
    for restart, path in logs:
        name = "vllm.log" if restart == logs[-1][0] else f"vllm-{restart}.log"
        _bring(path, home / name)
        recorder = Recorder()
        for block in _blocks(path):
            recorder.feed(block)
            marked += [f"{name}: lines after {gap.after} are missing: {gap.why}"
                       for gap in gaps(block)]  # fmt: skip
            if b"gpu_uuid=" in block or b"no GPU" in block:
                lines = block.decode("utf-8", "replace").splitlines()
                devices += gpus_of(lines)
                no_gpu = no_gpu or no_gpu_of(lines)
        recorder.finish()
        starts += [Start(Recorded(restart, one), name) for one in telling(recorder.journal)]
    if starts:
        _write(home / "categories.log", categories_log(starts))
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
            [one.recorded for one in starts],
            server.lives().get(container, ()),
        ),
        starts=tuple(starts),
        gaps=tuple(marked),
        cycles=tuple(
            one for one in (this.cycles if this else ()) if one.server == pod.metadata.name
        ),
        gpus=tuple(devices),
        no_gpu=no_gpu,
    )


def _blocks(path: Path) -> Iterator[bytes]:
    """The log in pieces of whole lines."""
    with path.open("rb") as file:
        for lines in iter(lambda: file.readlines(_BLOCK), []):
            yield b"".join(lines)


def _bring(source: Path, target: Path) -> None:
    """A second name for a log that is still written to would change with it: a copy."""
    shutil.copyfile(source, target)


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
