"""Which files are a harness's native results, and what they say: one row for each harness."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from llmdbenchd.core.results import readers
from llmdbenchd.core.results.metrics import Metrics, join_stages
from llmdbenchd.core.results.readers import Unreadable

Reader = Callable[[object], tuple[Metrics, ...]]

_WORTH_SAYING = 0.05  # share of the duration; less than that is how a harness measures


@dataclass(frozen=True, slots=True)
class Native:
    """One kind of native file of a harness.

    Attributes:
        pattern: matches the whole name of a file at the top of the results folder.
        reader: what the file says, or None when nothing reads its figures (yet).
        versions: versions of the standard report that it can honestly be converted to.
        whole: the file speaks for the whole launcher; the others of its harness each for a part.
    """

    pattern: re.Pattern[str]
    reader: Reader | None = None
    versions: tuple[str, ...] = ("0.2", "0.1")
    whole: bool = False


def _native(
    pattern: str,
    reader: Reader | None = None,
    versions: tuple[str, ...] = ("0.2", "0.1"),
    *,
    whole: bool = False,
) -> Native:
    return Native(re.compile(pattern), reader, versions, whole)


HARNESSES: Mapping[str, tuple[Native, ...]] = {
    "inference-perf": (
        # Converted only when no stage was written: the converter takes it for stage 0.
        _native(r"summary_lifecycle_metrics\.json", readers.inference_perf, ("0.2",), whole=True),
        _native(r"stage_\d+_lifecycle_metrics\.json", readers.inference_perf),
        # In version 0.1 the converter gives sessions a latency and a duration of zero.
        _native(r"(stage_\d+|summary)_session_lifecycle_metrics\.json", versions=("0.2",)),
    ),
    "guidellm": (_native(r"results\.json", readers.guidellm),),
    "vllm-benchmark": (_native(r"openai.*\.json", readers.vllm_benchmark),),
    # Its name is the profile's; DONE.json is the launcher's own mark.
    "inferencemax": (_native(r"(?!DONE\.json$).+\.json", readers.vllm_benchmark),),
    "aiperf": (_native(r"profile_export_aiperf\.json", readers.aiperf),),
    "nop": (_native(r"result\.yaml", versions=("0.1",)),),
}


TOLD: Mapping[str, str] = {"nop": "analysis/result.txt"}
"""Where harnesses that send no load tell people what they measured, below their results."""
SERVER_LOGS: Mapping[str, str] = {"nop": "*/vllm*.log"}
"""Which of their results are logs of model servers, as patterns of paths."""


def kind_of(harness: str, name: str) -> Native | None:
    """The row of `HARNESSES` that the file `name` falls under, or None."""
    rows = HARNESSES.get(harness, ())
    return next((row for row in rows if row.pattern.fullmatch(name)), None)


def find_native(harness: str, names: Iterable[str]) -> tuple[str, ...]:
    """The native result files among `names` (paths relative to one launcher's results folder).

    Files in subfolders are none; an unknown harness has none. Stages come in the order of
    their numbers.
    """
    return tuple(sorted((name for name in names if kind_of(harness, name)), key=_by_number))


def read_file(harness: str, name: str, text: str | bytes) -> tuple[Metrics, ...]:
    """What one native file says: a `Metrics` for each benchmark in it, none if nothing reads it.

    Raises:
        Unreadable: it is torn, or lacks what it must say; names the file.
    """
    kind = kind_of(harness, name)
    if kind is None or kind.reader is None:
        return ()
    try:
        return kind.reader(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{name}: {error}") from error


def measure(harness: str, files: Mapping[str, str | bytes]) -> Metrics | None:
    """What one launcher measured, from its native files (name to content).

    A file that speaks for the whole launcher is believed; without one its stages are joined.
    Other files among `files` are passed over. None: no file says anything.

    Raises:
        Unreadable: as `read_file`.
    """
    whole: list[Metrics] = []
    stages: list[Metrics] = []
    for name in find_native(harness, files):
        kind = kind_of(harness, name)
        (whole if kind and kind.whole else stages).extend(read_file(harness, name, files[name]))
    joined = join_stages(stages)
    if not whole:
        return joined
    return whole[0] if joined is None else _with_pauses(whole[0], joined, len(stages))


def _with_pauses(whole: Metrics, stages: Metrics, count: int) -> Metrics:
    """`whole`, with a note when its time (and so its rates) holds much besides its stages."""
    if whole.duration_s is None or stages.duration_s is None:
        return whole
    idle_s = whole.duration_s - stages.duration_s
    if idle_s < _WORTH_SAYING * whole.duration_s:
        return whole
    note = (
        f"duration and rates include {idle_s:.1f} s of pauses between {count} stages; "
        f"within them {stages.requests_per_s or 0:.2f} requests/s"
    )
    return replace(whole, notes=(*whole.notes, note))


def _by_number(name: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name))
