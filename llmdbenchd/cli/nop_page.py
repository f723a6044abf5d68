"""The starts of a log on a terminal: a verdict, a waterfall, values with lines, absences."""

from collections.abc import Sequence
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llmdbenchd.core.nop.names import NAMES

_BAR = 44
_BESIDE_BAR = 60  # columns of stage, seconds and lines
_MOST_LINES = 4
_SHORT = 100
_NONE = "-"
_COLUMNS = ("file", "verdict", "total s", "vLLM", "starts", "load s", "compile s", "init s")
_NUMBERS = frozenset(title for title in _COLUMNS if title.endswith(" s"))
_OF_A_NARROW_PAGE = 3
_NARROW = 100
_LEGEND = """\
verdict: of the last start that became ready, or else of the last
total: until it was ready; load, compile and init: model load, torch.compile, engine init
-: a log does not tell it; below, each log's page says why
±: the difference of two stamps; all other numbers stand in the lines as they are"""
Row = dict[str, Any]


def show_summary(reports: Sequence[Row], console: Console) -> None:
    """One line for each log."""
    kept = len(_COLUMNS) if console.width >= _NARROW else _OF_A_NARROW_PAGE
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in _COLUMNS[:kept]:
        justify: Literal["left", "right"] = "right" if title in _NUMBERS else "left"
        table.add_column(title, justify=justify, no_wrap=title != "file", overflow="fold")
    for report in reports:
        table.add_row(escape(_file(report["file"])), *_summary(report)[: kept - 1])
    console.print(table)
    console.print()
    console.print(_LEGEND, style="dim")


def _summary(report: Row) -> list[str]:
    chosen = next((one for one in report["attempts"]
                   if one["attempt"] == report["headline_attempt"]), None)  # fmt: skip
    if chosen is None:
        return ["[red]no vLLM start[/]", _NONE, _NONE, "0", *[_NONE] * 3]
    head = chosen["headline"]
    total = next((one["seconds"] for one in chosen["durations"] if one["title"] == "total"), None)
    names = ("model_load_s", "torch_compile_s", "engine_init_s")
    return [
        _verdict(chosen, is_short=True),
        _seconds(total),
        escape((chosen["vllm_version"] or "?").partition("+")[0]),
        str(len(report["attempts"])),
        *(_seconds(head.get(name)) for name in names),
    ]


def show(report: Row, console: Console) -> None:
    """All starts of one log."""
    starts = len(report["attempts"])
    console.print()
    console.print(f"[bold]{escape(report['file'])}", soft_wrap=True)  # a rule would cut it
    console.rule(style="dim")
    many = f"{starts} start{'' if starts == 1 else 's'}"
    left_out = f", {report['attempts_left_out']} left out" if report["attempts_left_out"] else ""
    clock = report["time"]["source"] or "none"
    console.print(f"{report['lines']:,} lines, {many}{left_out}; times: {clock}", style="dim")
    for attempt in report["attempts"]:
        _show_attempt(attempt, starts, console)


def _show_attempt(attempt: Row, starts: int, console: Console) -> None:
    console.print()
    console.print(f"[bold]start {attempt['attempt']}[/] of {starts}, "
                  f"lines {attempt['first_line']} to {attempt['last_line']}: "
                  f"{_verdict(attempt)}")  # fmt: skip
    console.print(Padding(escape(_described(attempt)), (0, 0, 0, 2), expand=False), style="dim")
    _show_end(attempt, console)
    _show_waterfall(attempt, console)
    _show_values(attempt, console)
    _show_absent(attempt["absent"], console)
    for advice in attempt["advice"]:
        console.print(Text(advice))


def _described(attempt: Row) -> str:
    """What was started, in a line."""
    mode = {True: "on", False: "off", None: "unknown"}[attempt["sleep_mode"]]
    words = [
        f"vLLM {attempt['vllm_version'] or 'of unknown version'}",
        f"engine {attempt['engine']}" if attempt["engine"] else "",
        attempt["model"] or "",
        f"on {attempt['platform']}" if attempt["platform"] else "",
        f"load format {attempt['load_format'] or 'unknown'}",
        f"sleep mode {mode}",
        "eager" if attempt["eager"] else "",
        f"pod or service {attempt['source']}" if attempt["source"] else "",
    ]
    return ", ".join(word for word in words if word)


def _verdict(attempt: Row, *, is_short: bool = False) -> str:
    if ready := attempt["ready"]:
        sign = "" if is_short else f": {escape(ready['by'])}"
        return f"[green]ready[/] (line {ready['line']}{sign})"
    if failed := attempt["failed"]:
        return f"[red]failed[/] (line {failed['line']})"
    if attempt["stopped_line"]:
        told = "stopped" if is_short else "stopped before it was ready"
        return f"[yellow]{told}[/] (line {attempt['stopped_line']})"
    return "[yellow]not told ready[/]" if is_short else "[yellow]never told to be ready[/]"


def _show_end(attempt: Row, console: Console) -> None:
    told = []
    if failed := attempt["failed"]:
        who = f"{failed['process']}: " if failed["process"] else ""
        where = f" (line {failed['reason_line']})" if failed["reason_line"] else ""
        told.append((f"{who}{failed['reason']}{where}", "red"))
    for trouble in attempt["after_ready"][:_MOST_LINES]:
        reason = trouble["reason"][:_SHORT]
        told.append((f"after it was ready, line {trouble['line']}: {reason}", "yellow"))
    if attempt["gaps"]:
        lines = ", ".join(str(one) for one in attempt["gaps"][:_MOST_LINES])
        told.append((f"lines are missing here: {lines}", "yellow"))
    for words, style in told:
        console.print(Padding(Text(words, style=style), (0, 0, 0, 2), expand=False))


def _show_waterfall(attempt: Row, console: Console) -> None:
    stages = [one for one in attempt["durations"] if one["seconds"] is not None]
    if not stages:
        return
    placed = [one for one in stages if one["begin_s"] is not None]
    end = max((one["begin_s"] + one["seconds"] for one in placed), default=0.0) or 1.0
    start = min((one["begin_s"] for one in placed), default=0.0)
    width = min(_BAR, console.width - _BESIDE_BAR)
    stages.sort(key=lambda one: (one["title"] != "total", one["begin_s"] is None,
                                 one["begin_s"] or 0.0, -one["seconds"]))  # fmt: skip
    table = Table("stage", "seconds", "", "lines", box=None, header_style="bold", pad_edge=False)
    table.columns[1].justify = "right"
    for stage in stages:
        about = f" ±{stage['within_s']:g}" if stage["within_s"] else ""
        table.add_row(
            escape(stage["title"]),
            f"{stage['seconds']:,.2f}{about}",
            _bar(stage, start, end, width),
            _lines(stage),
        )
    console.print(Padding(table, (1, 0, 0, 2), expand=False))


def _bar(stage: Row, start: float, end: float, width: int) -> Text:
    if stage["begin_s"] is None:
        return Text("")
    scale = width / max(end - start, 1e-9)
    left = round((stage["begin_s"] - start) * scale)
    length = max(1, round(stage["seconds"] * scale))
    left = min(left, width - 1)
    style = "blue" if stage["title"] == "total" else "cyan"
    return Text(" " * left + "█" * min(length, width - left), style=style)


def _lines(stage: Row) -> str:
    both = [str(one) for one in (stage["start_line"], stage["end_line"]) if one is not None]
    return " to ".join(both)


def _show_values(attempt: Row, console: Console) -> None:
    table = Table("value", "", "unit", "read from", box=None, header_style="bold", pad_edge=False)
    table.columns[1].justify = "right"
    values = {**attempt["values"], **attempt["more"]}
    for name, readings in values.items():
        head = attempt["headline"].get(name)
        shown = readings[-1]["value"] if head is None else head
        how = f" ({NAMES[name].combined})" if len(readings) > 1 and head is not None else ""
        table.add_row(
            f"{name}[dim] {escape(NAMES[name].meaning)}{how}[/]",
            f"{shown:,}",
            readings[0]["unit"],
            escape(_read_from(readings)),
        )
    if values:
        console.print(Padding(table, (1, 0, 0, 2), expand=False))


def _read_from(readings: Sequence[Row]) -> str:
    """Lines, and whose they are; of many values each with its own, of equal ones once."""
    if len(readings) > 1 and len({(one["value"], one["tag"]) for one in readings}) == 1:
        return _all_alike(readings)
    shown = []
    for one in readings[:_MOST_LINES]:
        value = f"{one['value']:,} " if len(readings) > 1 else ""
        who = one["process"] or ""
        who += f" rank {one['rank']}" if one["rank"] is not None and "TP" not in who else ""
        words = ", ".join(word for word in (one["tag"], who) if word)
        shown.append(f"{value}line {one['line']}" + (f" ({words})" if words else ""))
    more = len(readings) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _all_alike(readings: Sequence[Row]) -> str:
    """Many ranks that say the same."""
    lines = ", ".join(str(one["line"]) for one in readings[:_MOST_LINES])
    more = len(readings) - _MOST_LINES
    tag = f" ({readings[0]['tag']})" if readings[0]["tag"] else ""
    return (
        f"{len(readings)} times {readings[0]['value']:,}{tag}: lines {lines}"
        f"{f' and {more} more' if more > 0 else ''}"
    )


def _show_absent(absent: dict[str, str], console: Console) -> None:
    by_reason: dict[str, list[str]] = {}
    for name, why in absent.items():
        by_reason.setdefault(why, []).append(name)
    table = Table("absent", "why", box=None, header_style="bold", pad_edge=False)
    for why, names in by_reason.items():
        table.add_row(", ".join(names), escape(why))
    if absent:
        console.print(Padding(table, (1, 0, 0, 2), expand=False))


def _seconds(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.2f}"


def _file(name: str) -> str:
    return name.rpartition("/")[2]
