"""The converter, in a process of its own: it may hang, exit or eat all memory, and nobody minds.

Reads one request as JSON on stdin, writes one outcome as a line of JSON on stdout for each
conversion (or one for a merged report), as soon as it is done. Started by
`llmdbenchd.edge.reports` and `merging`, never by people.
"""

import errno
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from llmd_benchmark_report import BenchmarkReport, load_benchmark_report

from llmdbenchd.core.results.mend import Origin, mend
from llmdbenchd.core.results.merged import NAME, Launcher, merged_report, pool
from llmdbenchd.core.results.samples import read_samples, sources
from llmdbenchd.core.results.summary import find_native, measure, read_file
from llmdbenchd.edge.confined import confine, die_with

_IMPORTERS = {
    "inference-perf": "import_inference_perf",
    "guidellm": "import_guidellm_all",
    "vllm-benchmark": "import_vllm_benchmark",
    "inferencemax": "import_inference_max",
    "aiperf": "import_aiperf",
    "nop": "import_nop",
}
_CONVERTERS = {
    "0.2": "llmd_benchmark_report.native_to_br0_2",
    "0.1": "llmd_benchmark_report.native_to_br0_1",
}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}

Outcome = dict[str, Any]
Work = Callable[[Outcome], None]


def main() -> None:
    """Convert what stdin asks for."""
    request = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # whatever the library prints is not an answer
        die_with(request["parent"])
        confine(request["memory_bytes"])
        for work in _works(request):
            answers.write(json.dumps(_outcome(work)) + "\n")
            answers.flush()


def _works(request: Mapping[str, Any]) -> Iterator[Work]:
    """What is asked for: each adds to the outcome that it is given."""
    if "launchers" in request:
        yield partial(_merge, request)
    for conversion in request.get("conversions", ()):
        yield partial(_convert, request, conversion)


def _outcome(work: Work) -> Outcome:
    outcome: Outcome = {"made": [], "notes": [], "problem": "", "full": ""}
    try:
        work(outcome)
    except OSError as error:
        outcome["full" if error.errno in _FULL else "problem"] = str(error)
    except SystemExit as error:
        outcome["problem"] = f"the converter gave up with exit code {error.code}"
    except Exception as error:  # noqa: BLE001  # a report that fails is a fact, whatever failed
        outcome["problem"] = _in_one_line(error)
    return outcome


def _in_one_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}"[:500]


def _convert(request: Mapping[str, Any], conversion: Mapping[str, str], outcome: Outcome) -> None:
    harness, name, version = request["harness"], conversion["native"], conversion["version"]
    path = Path(request["results"], name)
    metrics = read_file(harness, name, path.read_bytes())
    reports = _import(harness, version, path)
    for index, report in enumerate(reports):
        origin = Origin(
            harness=harness,
            version=version,
            experiment_id=request["experiment_id"],
            model=request["model"],
            native=_load(path),
            metrics=metrics[index] if len(metrics) == len(reports) else None,
        )
        mended, notes = mend(report.dump(), origin)
        target = Path(request["into"], _numbered(conversion["report"], harness, index))
        _write(target, load_benchmark_report(mended).get_yaml_str())
        outcome["made"].append(target.name)
        outcome["notes"] += [note for note in notes if note not in outcome["notes"]]


def _merge(request: Mapping[str, Any], outcome: Outcome) -> None:
    harness = request["harness"]
    launchers = [_launcher(harness, folders) for folders in request["launchers"]]
    pooled = pool(launchers)
    outcome["metrics"] = asdict(pooled.metrics)
    if not all(launcher.reports for launcher in launchers):
        raise ValueError("a launcher has no report of its own by version 0.2")
    report = merged_report(launchers, pooled, request["experiment_id"])
    target = Path(request["into"], NAME)
    _write(target, load_benchmark_report(report).get_yaml_str())
    outcome["made"].append(target.name)


def _launcher(harness: str, folders: Mapping[str, str]) -> Launcher:
    results = Path(folders["results"])
    names = [path.name for path in results.iterdir() if path.is_file()]
    texts = {name: (results / name).read_bytes() for name in find_native(harness, names)}
    metrics = measure(harness, texts)
    if metrics is None:
        raise ValueError(f"launcher {results.name} left no figures")
    single = [(results / name).read_bytes() for name in sources(harness, names)]
    reports = sorted(Path(folders["reports"]).glob("benchmark_report_v0.2,_*.yaml"))
    return Launcher(
        metrics,
        read_samples(harness, single) if single else None,
        [_load(path) for path in reports],
    )


def _import(harness: str, version: str, path: Path) -> Sequence[BenchmarkReport]:
    converter = importlib.import_module(_CONVERTERS[version])  # 0.1 s each: only what is needed
    # YAML's own parser reads a JSON of 7 MB in 13 s, and takes 1e-05 for a text.
    vars(converter)["import_yaml"] = _load
    name = _IMPORTERS[harness]
    importer: Callable[[str], Any] = getattr(
        converter, f"{name}_session" if "_session_" in path.name else name
    )
    reports = importer(str(path))
    return reports if isinstance(reports, list) else [reports]


def _load(path: str | Path) -> Any:  # noqa: ANN401  # as the converter's own reader
    text = Path(path).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


def _numbered(report: str, harness: str, index: int) -> str:
    if harness != "guidellm":
        return report
    stem, suffix = os.path.splitext(report)  # noqa: PTH122  # a name, not a path
    return f"{stem}_{index}{suffix}"


def _write(target: Path, text: str) -> None:
    partial = target.with_name(f".{target.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if __name__ == "__main__":
    main()
