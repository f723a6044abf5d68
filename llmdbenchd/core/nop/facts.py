"""What a start says of itself: arguments as they were given, load format, sleep mode, eager."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmdbenchd.core.nop.attempt import Attempt

_LONGEST_ARGS = 64 * 1024
_REPR = re.compile(r"<(?:[\w.]+: )?('[^']*'|\"[^\"]*\"|[\w.-]+)[^<>]*>")
_LOAD_FORMAT = re.compile(r"\bload_format=<?(?:LoadFormats?\.)?['\"]?([\w-]+)")
_EAGER = re.compile(r"\benforce_eager=(True|False)")
_SLEEP = re.compile(r"\benable_sleep_mode=(True|False)")
_DEVICE = re.compile(r"\bdevice_config=['\"]?(\w+)")
_MODEL = re.compile(r"\bmodel='([^']+)'")
_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one start; None where nothing tells.

    Attributes:
        args: by name; of versions before 0.9 defaults too.
        is_eager: whether nothing is compiled or captured, by order.
        platform: as detected: cuda, rocm, tpu, neuron, cpu, or as a plug-in calls itself.
    """

    args: dict[str, object] | None
    load_format: str | None
    sleep_mode: bool | None
    is_eager: bool | None
    platform: str | None
    model: str | None


def facts_of(attempt: Attempt) -> Facts:
    """Read them: the engine's configuration first, for it is what came to be."""
    config = attempt.text.get("config", "")
    args = parsed_args(attempt.text["args"]) if "args" in attempt.text else None
    given = args or {}
    load_format = _LOAD_FORMAT.search(config)
    sleep = _SLEEP.search(config)
    device = _DEVICE.search(config)
    model = _MODEL.search(config)
    eager = _EAGER.search(config)
    is_eager = eager[1] == "True" if eager else attempt.has("eager") or None
    if is_eager is None and args is not None:
        is_eager = given.get("enforce_eager") is True
    platform = attempt.text.get("platform")
    return Facts(
        args,
        load_format[1].lower() if load_format else _of_args(args, "load_format", "auto"),
        attempt.has("sleep_mode") or _sleep_mode(args, sleep[1] if sleep else None),
        is_eager,
        platform or (device[1] if device else None),
        attempt.text.get("model") or (model[1] if model else _model_of(given)),
    )


def _model_of(args: dict[str, object]) -> str | None:
    model = args.get("model") or args.get("model_tag")
    return str(model) if model else None


def _of_args(args: dict[str, object] | None, name: str, default: str) -> str | None:
    return None if args is None else str(args.get(name) or default)


def _sleep_mode(args: dict[str, object] | None, configured: str | None) -> bool | None:
    if args is not None:
        return args.get("enable_sleep_mode") is True
    return None if configured is None else configured == "True"


def parsed_args(text: str) -> dict[str, object] | None:
    """The arguments of `args: Namespace(...)` or `non-default args: {...}`, as plain values.

    Objects become dicts of their fields, members of enumerations their values. Where the text
    is damaged, as where two processes wrote at once, what can be read is kept.

    Returns:
        None if nothing can be read.
    """
    if len(text) > _LONGEST_ARGS:
        return None
    whole = _REPR.sub(_plain_repr, text.strip())
    body = f"dict{whole}" if whole.startswith("(") else whole
    if (value := _parsed(body)) is None:
        is_call = whole.startswith("(")
        parts = [_parsed(f"dict({one})" if is_call else f"{{{one}}}") for one in _parts(whole)]
        value = {key: one for part in parts if isinstance(part, dict) for key, one in part.items()}
    return value if isinstance(value, dict) and value else None


def _parsed(text: str) -> object:
    try:
        return _value(ast.parse(text, mode="eval").body, 0)
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError):
        return None


def _parts(text: str) -> Iterator[str]:
    """What the commas outside of brackets and quotes part, without the outermost brackets."""
    depth = 0
    quote = ""
    begun = 1
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        if (letter == "," and depth == 1 and not quote) or (letter in ")}" and depth == 0):
            yield text[begun:place].strip()
            begun = place + 1


def _plain_repr(found: "re.Match[str]") -> str:
    inside = found[1]
    return inside if inside[0] in "'\"" else repr(inside)


def _value(node: ast.expr, depth: int) -> object:
    """A node as a plain value; what is none of these is its own text."""
    if depth > _DEPTH:
        raise ValueError("nested too deep")
    match node:
        case ast.Constant(value) if value is None or isinstance(value, str | bool | int | float):
            return value
        case ast.Dict(keys, values):
            pairs = zip(keys, values, strict=True)
            return {str(_value(key, depth + 1)): _value(one, depth + 1)
                    for key, one in pairs if key is not None}  # fmt: skip
        case ast.List(items) | ast.Tuple(items) | ast.Set(items):
            return [_value(one, depth + 1) for one in items]
        case ast.Call(keywords=fields, args=items):
            if not fields and len(items) == 1:
                return _value(items[0], depth + 1)
            return {one.arg: _value(one.value, depth + 1) for one in fields if one.arg}
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(int() | float() as number)):
            return -number
        case _:
            return ast.unparse(node)
