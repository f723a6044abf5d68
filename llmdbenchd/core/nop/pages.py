"""The recording's texts for people: `categories.log` and `analysis/result.txt`."""

from collections.abc import Sequence
from datetime import UTC, datetime

from llmdbenchd.core.nop.absence import absences
from llmdbenchd.core.nop.facts import facts_of
from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.core.nop.order import Order
from llmdbenchd.core.nop.report import Json
from llmdbenchd.core.nop.results import value_of
from llmdbenchd.core.nop.stages import UNCATEGORIZED, Stage, categories
from llmdbenchd.core.nop.story import Start, Story, ending, titled
from llmdbenchd.core.nop.unprepared import unprepared

_SHOWN = ("model_load_s", "model_load_size_gib", "dynamo_s", "graph_cache_load_s",
          "graph_compile_s", "torch_compile_s", "memory_profiling_s", "initial_free_gib",
          "free_after_profiling_gib", "kv_cache_available_gib", "graph_capture_s",
          "engine_init_s", "sleep_s", "sleep_freed_gib", "sleep_in_use_gib", "wake_s")  # fmt: skip
_NOT_RUN = "not told: the preprocess script did not run in the pod"


def categories_log(starts: Sequence[Start]) -> str:
    """What the field writes of each category of each start of one container."""
    parts = []
    for start in starts:
        parts.append(f"##### {start.log}: start {start.attempt.number}, {ending(start)}\n")
        found = categories(start.attempt)
        for stage in found:
            if not stage.parent:
                parts.append(_category(stage, ""))
                parts += [_category(one, "  ") for one in found if one.parent == stage.title]
    return "\n".join(parts)


def _category(stage: Stage, indent: str) -> str:
    rows = (
        ("Log category", stage.title),
        ("Process", stage.process or "-"),
        ("Start date", _date(stage.begin_at)),
        ("End date", _date(stage.end_at)),
        ("Elapsed", _elapsed(stage)),
        ("Start line", stage.start_line or "-"),
        ("End line", stage.end_line or "-"),
    )
    return "".join(f"{indent}{name:<13}: {value}\n" for name, value in rows)


def _date(at: float | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at, UTC).isoformat(" ", "milliseconds")


def _elapsed(stage: Stage) -> str:
    if stage.seconds is None:
        return "unknown: its lines have no times"
    how = "logged" if stage.is_logged else f"by stamps, within {stage.within_s:g} s"
    return f"{stage.seconds:g} s ({how})"


def analysis(stories: Sequence[Story], document: Json, order: Order) -> str:
    """The whole of `result.txt`."""
    no_gpu = next((story.no_gpu for story in stories if story.no_gpu), "")
    lines = [*_scenario(document, no_gpu), *_asked(order), "", *_benchmark(document)]
    for name, story, start in titled(stories):
        lines += ["", f"{name}: {ending(start)}", *_values(start), *_table(start)]
        lines += [f"  {advice}" for advice in unprepared(start.attempt)]
        if start is story.best:
            lines += _cycles(story)
    for story in stories:
        verdict = "gone" if story.is_gone else story.timeline.verdict.value
        lines += ["", f"{story.name}: {verdict}, {story.timeline.restarts} restarts"]
        lines += [f"  log gap: {gap}" for gap in story.gaps]
        lines += [
            f"  no line is known of start {restart + 1} of the container"
            for restart in story.timeline.gaps
        ]
        lines += [
            f"  {one.what} x{one.count}: {' '.join(one.detail.split())}"
            for one in story.timeline.noted
        ]
    return "\n".join(lines) + "\n"


def _scenario(document: Json, no_gpu: str) -> list[str]:
    scenario = document["scenario"]
    assert isinstance(scenario, dict)  # noqa: S101 - made by `results.result`
    engines = [
        f"    {one['name']} version {one['version']}" for one in scenario["platform"]["engines"]
    ]
    gpus = [f"    {one['name']} {one['uuid']}" for one in scenario["gpus"]]
    return [
        "Scenario",
        "  Harness     : nop",
        f"  Load format : {scenario['load_format']}",
        f"  Sleep mode  : {'on' if scenario['sleep_mode'] else 'off'}",
        f"  Model       : {scenario['model']['name']}",
        "  Engines     :",
        *engines,
        "  GPUs        :",
        *(gpus or [f"    {f'none: {no_gpu}' if no_gpu else _NOT_RUN}"]),
    ]


def _asked(order: Order) -> list[str]:
    """What the job says of the server: checked nowhere, and useful beside what is absent."""
    asked = f"load format {order.load_format}, level {order.logging_level}"
    return [f"  Job says    : {asked}, preprocess {order.preprocess}"]


def _benchmark(document: Json) -> list[str]:
    time = document["time"]
    assert isinstance(time, dict)  # noqa: S101 - made by `results.result`
    return ["Benchmark", f"  Start   : {_date(time['start'])}", f"  Elapsed : {time['duration']} s"]


def _values(start: Start) -> list[str]:
    why = absences(start.attempt, facts_of(start.attempt))
    rows = []
    for name in _SHOWN:
        value = value_of(start.attempt, name)
        told = why.get(name, "not told") if value is None else f"{value:g} {NAMES[name].unit}"
        rows.append(f"  {NAMES[name].meaning:<34}: {told}")
    return rows


def _table(start: Start) -> list[str]:
    stages = [one for one in categories(start.attempt) if one.title != UNCATEGORIZED]
    if not stages:
        return []
    rows = [f"  {'Category':<26}{'Process':<22}{'Elapsed(secs)':>14}"]
    for stage in (one for one in stages if not one.parent):
        parts = [one for one in stages if one.parent == stage.title]
        for indent, one in (("", stage), *(("- ", part) for part in parts)):
            took = "unknown" if one.seconds is None else f"{one.seconds:.3f}"
            rows.append(f"  {indent + one.title:<26}{one.process:<22}{took:>14}")
    total = sum(one.seconds or 0.0 for one in stages if not one.parent)
    return [*rows, f"  {'Total':<48}{total:>14.3f}"]


def _cycles(story: Story) -> list[str]:
    if not story.cycles:
        return []
    head = f"  {'level':<8}{'asleep':>10}{'awake':>10}{'reload':>10}{'first token':>13}"
    rows = ["  Sleep and wake, by our clock (s)", head]
    for one in story.cycles:
        times = (one.sleep_s, one.wake_s, one.reload_s, one.first_token_s)
        told = ["-" if time is None else f"{time:.3f}" for time in times]
        rows.append(
            f"  {one.level:<8}{told[0]:>10}{told[1]:>10}{told[2]:>10}{told[3]:>13}"
            + (f"  {one.trouble}" if one.trouble else "")
        )
    return rows
