"""How a value is written so that YAML reads back exactly that value."""

import re

import yaml

_NEVER_WRAP = 1 << 30
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_TAG + "str", _TAG + "bool", _TAG + "null"}
_NUMBER_TAGS = {_TAG + "int", _TAG + "float"}
_DECIMAL = re.compile(
    r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+][0-9]+)?|[-+]?\.(inf|nan)", re.IGNORECASE
)


class _Writer(yaml.SafeDumper):
    """Writes everything on one line, without anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _represent_text(writer: yaml.SafeDumper, text: str) -> yaml.Node:
    """Text with a line break would be folded over several lines unless double quoted."""
    style = None if text.isprintable() else '"'
    return writer.represent_scalar(_TAG + "str", text, style=style)


_Writer.add_representer(str, _represent_text)


def one_line(value: object) -> str:
    """Any plain value (text, number, mapping, list ...) as YAML on one line.

    The result may stand in block and in flow context.

    Raises:
        yaml.YAMLError: YAML has no form for the value.
    """
    text = yaml.dump(
        [value],
        Dumper=_Writer,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=_NEVER_WRAP,
    )
    return text.strip()[1:-1]


def scalar(text: str, *, style: str, in_flow: bool = False) -> str:
    """The text in the asked style where that is possible, otherwise in double quotes.

    Args:
        text: what is meant.
        style: `""` for plain, or a quote character.
        in_flow: whether it will stand inside `[...]` or `{...}`.
    """
    if style == "" and _may_be_plain(text, in_flow=in_flow):
        return text
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    quoted = yaml.dump(text, default_style='"', allow_unicode=True, width=_NEVER_WRAP)
    return quoted.removesuffix("\n")


def _may_be_plain(text: str, *, in_flow: bool) -> bool:
    """Whether the bare text means itself: the same text, a plain number, a bool or null.

    What YAML 1.1 would make something else of (a date, `1:30` = 90, `010` = 8, `<<`) may not.
    """
    if not text or text.startswith(("---", "...")) or not text.isprintable():
        return False
    try:
        parsed = yaml.compose(f"[{text}]" if in_flow else f"- {text}", yaml.SafeLoader)
    except yaml.YAMLError:
        return False
    items = parsed.value if isinstance(parsed, yaml.SequenceNode) else []
    if [(type(item), item.value) for item in items] != [(yaml.ScalarNode, text)]:
        return False
    if items[0].tag in _NUMBER_TAGS:
        return _DECIMAL.fullmatch(text) is not None
    return items[0].tag in _PLAIN_TAGS
