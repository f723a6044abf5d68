"""`timeline.svg`: a waterfall of each start, cold beside warm, with memory and sleeps below."""

from collections.abc import Sequence
from html import escape
from typing import Any

_WIDE, _LABEL, _ROW, _LEFT = 960, 230, 16, 12
_COLOURS = {"status": "#8c9bab", "event": "#8c9bab", "logged": "#2f6fb3", "stamps": "#74a9d8"}
_MEMORY = {"model": "#2f6fb3", "KV cache": "#6aa84f", "graphs": "#e69138"}
_WARM, _COLD = "#b45f06", "#2f6fb3"
_CYCLE = ("level", "sleep_s", "wake_s", "reload_s", "first_token_s")
Drawn = list[str]


def drawing(told: dict[str, Any]) -> str:
    """The picture.

    Args:
        told: as `chart.chart` gives it.
    """
    parts: Drawn = []
    y = 28
    longest = max((_end(one) for one in told["starts"]), default=0.0) or 1.0
    for start in told["starts"]:
        y = _waterfall(start, longest, y, parts)
    y = _totals(told["starts"], longest, y, parts)
    y = _memories(told["starts"], y, parts)
    y = _sleeps(told["servers"], y, parts)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDE}" height="{y + 10}" '
        f'viewBox="0 0 {_WIDE} {y + 10}" font-family="sans-serif" font-size="11">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"])


def _end(start: dict[str, Any]) -> float:
    ends = [bar["begin_s"] + bar["seconds"] for bar in _placed(start)]
    return max(ends, default=0.0)


def _placed(start: dict[str, Any]) -> list[dict[str, Any]]:
    """Bars that have a place in time."""
    return [bar for bar in start["bars"] if None not in (bar["begin_s"], bar["seconds"])]


def _waterfall(start: dict[str, Any], longest: float, y: int, parts: Drawn) -> int:
    how = "cold" if start["is_cold"] else "warm or already up"
    title = f"{start['name']}: {start['ending']}, load format {start['load_format']}, {how}"
    y = _heading(title, y, parts)
    for bar in _placed(start):
        if bar["title"] == "total":
            continue
        told = f"{bar['seconds']:.2f} s" + (f" ±{bar['within_s']:g}" if bar["within_s"] else "")
        colour = _COLOURS.get(bar["source"], "#8c9bab")
        y = _bar(bar["title"], told, (bar["begin_s"], bar["seconds"]), longest, colour, y, parts)
    return y + 10


def _totals(starts: Sequence[dict[str, Any]], longest: float, y: int, parts: Drawn) -> int:
    """One bar a start: load formats and cold beside warm are compared here."""
    if not starts:
        return y
    y = _heading("From nothing to ready", y, parts)
    for start in starts:
        end = _end(start)
        colour = _COLD if start["is_cold"] else _WARM
        label = f"{start['load_format'] or 'unknown'}: {start['name']}"
        y = _bar(label, f"{end:.2f} s", (0.0, end), longest, colour, y, parts)
    return y + 10


def _memories(starts: Sequence[dict[str, Any]], y: int, parts: Drawn) -> int:
    known = [start for start in starts if start["memory"]]
    if not known:
        return y
    y = _heading("Device memory (GiB)", y, parts)
    most = max(sum(max(size, 0.0) for size in one["memory"].values()) for one in known) or 1.0
    for start in known:
        _text(_LEFT, y + 11, start["name"], parts)
        at = 0.0
        for name, size in start["memory"].items():
            wide = max(size, 0.0)
            _rect((at, wide), most, _MEMORY[name], f"{name} {size:g} GiB", y, parts)
            at += wide
        told = ", ".join(f"{name} {size:g}" for name, size in start["memory"].items())
        _text(_LABEL, y + 26, told, parts)
        y += 2 * _ROW
    return y + 10


def _sleeps(servers: Sequence[dict[str, Any]], y: int, parts: Drawn) -> int:
    cycles = [(one["name"], cycle) for one in servers for cycle in one["cycles"]]
    if not cycles:
        return y
    y = _heading("Sleep and wake (s, by our clock)", y, parts)
    columns = ("level", "asleep", "awake", "reload", "first token")
    for place, name in enumerate(columns):
        _text(_LABEL + place * 100, y + 11, name, parts)
    y += _ROW
    for name, cycle in cycles:
        _text(_LEFT, y + 11, name, parts)
        for place, key in enumerate(_CYCLE):
            value = cycle[key]
            told = "-" if value is None else f"{value:.3f}" if isinstance(value, float) else value
            _text(_LABEL + place * 100, y + 11, str(told), parts)
        y += _ROW
    return y + 10


def _heading(text: str, y: int, parts: Drawn) -> int:
    parts.append(
        f'<text x="{_LEFT}" y="{y}" font-weight="bold" font-size="12">{escape(text)}</text>'
    )
    return y + 8


def _bar(  # noqa: PLR0913, PLR0917 - a bar has these
    label: str,
    told: str,
    span: tuple[float, float],
    longest: float,
    colour: str,
    y: int,
    parts: Drawn,
) -> int:
    _text(_LEFT, y + 11, label, parts)
    end = _rect(span, longest, colour, f"{label}: {told}", y, parts)
    _text(end + 4, y + 11, told, parts)
    return y + _ROW


def _rect(
    span: tuple[float, float], most: float, colour: str, told: str, y: int, parts: Drawn
) -> float:
    room = _WIDE - _LABEL - 110
    x, wide = _LABEL + room * span[0] / most, max(room * span[1] / most, 1.0)
    parts.append(
        f'<rect x="{x:.1f}" y="{y + 2}" width="{wide:.1f}" height="{_ROW - 4}" fill="{colour}">'
        f"<title>{escape(told)}</title></rect>"
    )
    return x + wide


def _text(x: float, y: int, text: str, parts: Drawn) -> None:
    parts.append(f'<text x="{x:.1f}" y="{y}">{escape(text[:120])}</text>')
