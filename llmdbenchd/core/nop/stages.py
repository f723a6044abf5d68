"""How long the parts of a start took: logged where a line says it, else between two stamps."""

from collections.abc import Iterable
from dataclasses import dataclass

from llmdbenchd.core.nop.attempt import Attempt, Mark, Reading
from llmdbenchd.core.nop.names import headline

_LOAD = ("load_begin", "load_begin_scratch")
_ENGINE = ("engine_v0", "engine_v1")


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a start.

    Attributes:
        process: whose lines it is between; empty if they name none, or are two processes'.
        seconds: None if there is no duration and its lines have no stamps.
        is_logged: whether a line says the seconds, or they are the difference of two stamps.
        within_s: how wrong they can be for the grain of the stamps.
        begin_at, end_at: seconds since 1970, None where unknown.
        parent: the stage that this one is a part of, if any.
    """

    title: str
    process: str
    start_line: int | None
    end_line: int | None
    seconds: float | None
    is_logged: bool
    within_s: float = 0.0
    begin_at: float | None = None
    end_at: float | None = None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """How a stage is found: by its logged value, else by the marks that begin and end it."""

    title: str
    begins: tuple[str, ...]
    ends: tuple[str, ...]
    logged: str = ""
    one_process: bool = True
    parent: str = ""


UNCATEGORIZED = "Uncategorized"
"""What lies between two of the field's categories: of its `categories.log` only."""

CATEGORIES = (
    _Row("Detect Platform", ("no_plugins",), ("platform",)),
    _Row("LLM Imports", ("platform",), ("plugins",)),
    _Row("Get Model Info", ("version",), ("model_facts",)),
    _Row("Worker Initialization", ("handshake",), ("load_begin",), one_process=False),
    _Row("Model Loading", _LOAD, ("load_end",), "model_load_s"),
    _Row("Pytorch Compilation", ("dynamo_begin", "compile_begin"), ("compile_end",),
         "torch_compile_s"),
    _Row("Dynamo", ("dynamo_begin",), ("dynamo_end",), "dynamo_s", parent="Pytorch Compilation"),
    _Row("Inductor", ("dynamo_end",), ("compile_end",), parent="Pytorch Compilation"),
    _Row("CUDA Graph Capture", ("compile_end",), ("graphs_end",), "graph_capture_s"),
    _Row("API Server Starts", ("listening",), ("route_metrics",)),
)  # fmt: skip
"""The field's own categories, in their order."""

DURATIONS = (
    _Row("argument resolution", ("version", "args"), ("model_facts", "architecture")),
    _Row("engine spawn and import", ("model_facts", "architecture"), _ENGINE, one_process=False),
    _Row("distributed init", _ENGINE, _LOAD, one_process=False),
    _Row("weights download", (), ("downloaded",), "weights_download_s"),
    _Row("weights read", (), ("weights_read",), "weights_load_s"),
    _Row("weights stream", (), ("weights_read",), "stream_s"),
    _Row("model load", _LOAD, ("load_end",), "model_load_s"),
    _Row("Dynamo", (), ("dynamo_end",), "dynamo_s"),
    _Row("graph compile", (), ("compiled",), "graph_compile_s"),
    _Row("graphs from cache", (), ("cache_hit",), "graph_cache_load_s"),
    _Row("torch.compile", (), ("compile_end",), "torch_compile_s"),
    _Row("first run", (), ("first_run_end",), "first_run_s"),
    _Row("warm-up with compilation", ("warmup_begin",), ("warmup_end",)),
    _Row("memory profiling", (), ("profiled",), "memory_profiling_s"),
    _Row("graph capture", (), ("graphs_end",), "graph_capture_s"),
    _Row("KV cache to engine up", ("kv_room",), ("engine_end",), one_process=False),
    _Row("engine init", (), ("engine_end",), "engine_init_s"),
    _Row("front end", ("engine_end",), ("startup_complete", "routes"), one_process=False),
)
"""Further durations; a start's own total and what follows from others come behind them."""


def categories(attempt: Attempt) -> list[Stage]:
    """The field's categories as far as the log tells them, and what lies between."""
    found = [stage for row in CATEGORIES if (stage := _stage(attempt, row))]
    tops = sorted((one for one in found if not one.parent and one.begin_at is not None
                   and one.end_at is not None), key=lambda one: one.begin_at or 0)  # fmt: skip
    gaps = []
    until: Stage | None = None
    for stage in tops:
        if until and stage.begin_at and until.end_at and stage.begin_at > until.end_at:
            gaps.append(
                Stage(UNCATEGORIZED, "", until.end_line, stage.start_line,
                      round(stage.begin_at - until.end_at, 6), is_logged=False,
                      within_s=max(until.within_s, stage.within_s, 1.0),
                      begin_at=until.end_at, end_at=stage.begin_at)
            )  # fmt: skip
        if until is None or (stage.end_at or 0) > (until.end_at or 0):
            until = stage
    return found + gaps


def durations(attempt: Attempt) -> list[Stage]:
    """What else took how long."""
    found = [stage for row in DURATIONS if (stage := _stage(attempt, row))]
    by_title = {one.title: one for one in found}
    if rest := _post_load(by_title, attempt):
        found.append(rest)
    if total := _total(attempt):
        found.append(total)
    return found


def _post_load(known: dict[str, Stage], attempt: Attempt) -> Stage | None:
    """What a model load is besides download and read; not of several loads in one."""
    load = known.get("model load")
    parts = [known[one].seconds or 0.0 for one in
             ("weights download", "weights read", "weights stream") if one in known]  # fmt: skip
    if load is None or not load.is_logged or load.seconds is None or not parts:
        return None
    if "drafter" in attempt.marks:
        return None
    rest = round(load.seconds - sum(parts), 6)
    if rest < 0:
        return None
    begin = load.end_at - rest if load.end_at is not None else None
    return Stage("post-load processing", load.process, load.start_line, load.end_line, rest,
                 is_logged=False, within_s=0.01, begin_at=begin, end_at=load.end_at)  # fmt: skip


def _total(attempt: Attempt) -> Stage | None:
    """From the first stamp to readiness; of a web server's line, which has none, the last before.

    A start that is ready has marks, but they may have no stamps.
    """
    ready = attempt.ready
    if ready is None:
        return None
    stamped = sorted(
        (one.line, one.at, one.grain_s)
        for kept in attempt.marks.values()
        for one in kept
        if one.at is not None and one.line <= ready.line
    )
    if not stamped:
        return None
    (line, begin, grain), (_, last, _) = stamped[0], stamped[-1]
    end = last if ready.at is None else ready.at
    return Stage(
        "total", "", line, ready.line, round(end - begin, 6), is_logged=False, within_s=grain,
        begin_at=begin, end_at=end,
    )  # fmt: skip


def _stage(attempt: Attempt, row: _Row) -> Stage | None:
    begins = _marks(attempt, row.begins)
    ends = _marks(attempt, row.ends)
    readings = attempt.readings.get(row.logged, [])
    ready = attempt.ready.line if attempt.ready else None
    readings = [one for one in readings if ready is None or one.line <= ready] or readings
    if readings:
        return _logged(row, readings, begins)
    best: Stage | None = None
    for begin in begins:
        end = next((one for one in ends if one.line > begin.line
                    and (not row.one_process or _pid(one) == _pid(begin))), None)  # fmt: skip
        if end is None:
            continue
        stage = _between(row, begin, end)
        if best is None or (stage.seconds or 0) > (best.seconds or 0):
            best = stage
        if not row.one_process:
            break
    return best


def _logged(row: _Row, readings: list[Reading], begins: list[Mark]) -> Stage:
    value = headline(row.logged, [(one.process, one.value) for one in readings])
    slowest = max(readings, key=lambda one: one.value)
    own = [one for one in begins if one.line <= slowest.line and _pid(one) == _pid(slowest)]
    of_kind = ([one for one in own if one.kind == kind] for kind in row.begins)
    begin = next((kept[-1] for kept in of_kind if kept), None)
    at = slowest.at
    return Stage(
        row.title,
        slowest.process.title if slowest.process else "",
        begin.line if begin else None,
        slowest.line,
        value,
        is_logged=True,
        begin_at=None if at is None else at - value,
        end_at=at,
        parent=row.parent,
    )


def _between(row: _Row, begin: Mark, end: Mark) -> Stage:
    known = begin.at is not None and end.at is not None
    seconds = round(end.at - begin.at, 6) if end.at is not None and begin.at is not None else None
    same = begin.process and end.process and begin.process.pid == end.process.pid
    return Stage(
        row.title,
        end.process.title if same and end.process else "",
        begin.line,
        end.line,
        max(seconds, 0.0) if seconds is not None else None,
        is_logged=False,
        within_s=max(begin.grain_s, end.grain_s) if known else 0.0,
        begin_at=begin.at,
        end_at=end.at,
        parent=row.parent,
    )


def _marks(attempt: Attempt, kinds: Iterable[str]) -> list[Mark]:
    found = [one for kind in kinds for one in attempt.marks.get(kind, ())]
    return sorted(found, key=lambda one: one.line)


def _pid(one: Mark | Reading) -> int:
    return one.process.pid if one.process else 0
