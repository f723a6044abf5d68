"""The little YAML that a launcher must write without a YAML library.

`with_top_level` edits a mapping as text, so that everything else in it (comments, numbers,
anchors) stays as its author wrote it. It follows what can span lines: flow collections,
quoted scalars and block scalars. Plain scalars that continue on the next line with a quote
or a bracket are the one thing that it may misread.
"""

from __future__ import annotations

from collections.abc import Iterator  # known to the interpreter already: costs nothing


def quoted(text: str) -> str:
    """`text` as a double-quoted scalar of ASCII, readable as YAML whatever is in it."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def with_top_level(text: str, key: str, value: str) -> str:
    """`text`, a YAML mapping, with its top-level `key` set to `value` (YAML on one line).

    Raises:
        ValueError: the text is not a mapping; the message says what it is.
    """
    start = _first_content(text)
    if start == len(text):
        return text + ("" if text.endswith("\n") or not text else "\n") + f"{key}: {value}\n"
    if text[start] == "{":
        return _set_in_flow(text, start, key, value)
    return _set_in_block(text, start, key, value)


def _escaped(character: str) -> str:
    if " " <= character <= "~":
        return "\\" + character if character in '"\\' else character
    code = ord(character)
    return f"\\u{code:04x}" if character <= "\uffff" else f"\\U{code:08x}"


def _first_content(text: str) -> int:
    """Index of the first character of the first document's root, or the text's length."""
    position = 0
    while position < len(text):
        end = _next_line(text, position)
        line = text[position:end]
        if _is_marker(line, "---"):
            position, line = position + 3, line[3:]
        rest = line.lstrip()
        if rest and rest[0] != "#" and not (rest[0] == "%" and rest == line):
            return position + len(line) - len(rest)
        position = end
    return len(text)


def _set_in_flow(text: str, start: int, key: str, value: str) -> str:
    end = _past_flow(text, start)
    if end is None:
        raise ValueError("it begins with { and has no closing }")
    members = [text[first:last] for first, last in _members(text, start, end)]
    kept = [member for member in members if _key(_bare(member)) not in {key, ""}]
    return text[: start + 1] + ",".join([f"{key}: {value}", *kept]) + text[end - 1 :]


def _set_in_block(text: str, start: int, key: str, value: str) -> str:
    first = text.rfind("\n", 0, start) + 1
    column = start - first
    entries = list(_entries(text, first, column))
    body = text[start : _next_line(text, start)]
    if _is_item(body) or not (body.startswith("? ") or _colon(body) >= 0):
        raise ValueError("it is not a mapping of keys to values")
    pieces = [text[:first], " " * column, f"{key}: {value}\n"]
    begin, name = entries[0]
    for end, next_name in entries[1:]:
        span = text[begin:end]
        pieces.append(_comments_after(span) if name == key else span)
        begin, name = end, next_name
    pieces.append(text[begin:])
    return "".join(pieces)


def _entries(text: str, position: int, column: int) -> Iterator[tuple[int, str]]:
    """Begin and key of each entry of the block mapping at `column`, then (its end, "")."""
    while position < len(text):
        end = _next_line(text, position)
        line = text[position:end]
        body = line.lstrip(" ")
        indent = len(line) - len(body)
        if _is_marker(line, "---") or _is_marker(line, "..."):
            break
        if not body.strip() or body[0] == "#":
            position = end
            continue
        if indent == column and body[0] not in "]},:" and not _is_item(body):
            yield position, _key(body)
        position = _past_line(text, position + indent, end, indent)
    yield position, ""


def _past_line(text: str, position: int, end: int, indent: int) -> int:
    """Begin of the line after the node that begins on the line `position` to `end` lies in."""
    value = _value(text, position, end)
    opening = text[value : value + 1]
    if opening in {"{", "["}:
        past = _past_flow(text, value)
    elif opening in {'"', "'"}:
        past = _past_quoted(text, value)
    elif opening in {"|", ">"}:
        return _past_deeper(text, end, indent)
    else:
        return end
    return end if past is None else _next_line(text, past)


def _value(text: str, position: int, end: int) -> int:
    """Index of the first character of the value on a line, past dashes, key, anchor and tag."""
    while _is_item(text[position:end]) or text.startswith("? ", position):
        position += 1
        position += len(text[position:end]) - len(text[position:end].lstrip(" "))
    colon = _colon(text[position:end])
    if colon >= 0:
        position += colon + 1
    while True:
        position += len(text[position:end]) - len(text[position:end].lstrip(" \t"))
        if text[position : position + 1] not in {"&", "!"}:
            return position
        position += len(text[position:end].split(None, 1)[0])


def _past_deeper(text: str, position: int, indent: int) -> int:
    """Past the lines of a block scalar: those that are blank or deeper than `indent`."""
    while position < len(text):
        end = _next_line(text, position)
        line = text[position:end]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            break
        position = end
    return position


def _members(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each member of the flow mapping from `start` (its brace) to `end`."""
    begin = start + 1
    for position, character, depth in _flow(text, start):
        if depth == 1 and character == ",":
            yield begin, position
            begin = position + 1
    yield begin, end - 1


def _past_flow(text: str, start: int) -> int | None:
    for position, _, depth in _flow(text, start):
        if depth == 0:
            return position + 1
    return None


def _flow(text: str, position: int) -> Iterator[tuple[int, str, int]]:
    """Index, character and depth after it of each bracket and comma of a flow collection."""
    depth, fresh = 0, True  # fresh: a scalar may begin here, so a quote is a quote
    while position < len(text):
        character = text[position]
        if fresh and character in "\"'":
            position = _past_quoted(text, position) or len(text)
            fresh = False
            continue
        if character == "#" and text[position - 1] in " \t\r\n":
            position = _next_line(text, position)
            continue
        if character in "{[]},":
            depth += (character in "{[") - (character in "]}")
            yield position, character, depth
            if depth == 0:
                return
        fresh = character in "{[,:" or (fresh and character in " \t\r\n")
        position += 1


def _past_quoted(text: str, start: int) -> int | None:
    quote, position = text[start], start + 1
    while position < len(text):
        if quote == '"' and text[position] == "\\":
            position += 2
        elif text[position] != quote:
            position += 1
        elif quote == "'" and text.startswith("''", position):
            position += 2
        else:
            return position + 1
    return None


def _key(entry: str) -> str:
    """The key that an entry's text begins with, without quotes; empty when it has none."""
    entry = entry[2:].lstrip() if entry.startswith("? ") else entry
    colon = _colon(entry)
    name = (entry if colon < 0 else entry[:colon]).strip()
    return name[1:-1] if name[:1] in {'"', "'"} else name


def _colon(line: str) -> int:
    """Index of the colon after the key that `line` begins with, or -1."""
    past = _past_quoted(line, 0) if line[:1] in {'"', "'"} else 0
    if past is None:
        return -1
    is_quoted = past > 0
    for position in range(past, len(line)):
        after = line[position + 1 : position + 2]
        if line[position] == ":" and (is_quoted or not after or after in " \t\r\n{["):
            return position
        if line[position] == "#" and position and line[position - 1] in " \t":
            return -1
    return -1


def _bare(member: str) -> str:
    """`member` without the white space and the comment lines that it begins with."""
    member = member.lstrip()
    while member.startswith("#"):
        member = member[_next_line(member, 0) :].lstrip()
    return member


def _comments_after(span: str) -> str:
    """The blank and comment lines at the end of an entry: they belong to what follows."""
    lines = span.splitlines(keepends=True)
    count = 0
    while count < len(lines) - 1 and _bare(lines[-1 - count]) == "":
        count += 1
    return "".join(lines[len(lines) - count :])


def _is_marker(line: str, marker: str) -> bool:
    return line.startswith(marker) and line[3:4] in {"", " ", "\t", "\r", "\n"}


def _is_item(body: str) -> bool:
    return body[:1] == "-" and body[1:2] in {"", " ", "\t", "\r", "\n"}


def _next_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1
