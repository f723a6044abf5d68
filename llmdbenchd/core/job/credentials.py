"""The room that recognises secrets, so that none is recorded, copied or quoted."""

import base64
import re

_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIALS?|APIKEY)(?:_|$)|(?:^|_)KEY$",
    re.IGNORECASE,
)
_REFERENCES = frozenset(  # they name a secret or a key in it, and hold neither
    {"LLMDBENCH_VLLM_COMMON_HF_TOKEN_NAME", "LLMDBENCH_VLLM_COMMON_HF_TOKEN_KEY"}
)
_VALUES = re.compile(r"\bhf_[A-Za-z0-9]{8,}|\bsk-[A-Za-z0-9_-]{8,}|(?<=://)[^/@\s\"']+(?=@)")
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bclient-key-data\b|^kind: Config$", re.MULTILINE
)
_NAMED = re.compile(r"(?P<name>\b[A-Za-z]\w*)[\"']?\s*[:=]\s*")
_FIELDS = frozenset({"hf_token", "endpoint_auth", "secret", "key"})  # references, too


def names_a_credential(name: str) -> bool:
    """Whether a variable of this name would hold a secret itself (not a reference to one)."""
    return name not in _REFERENCES and _NAME.search(name) is not None


def holds_a_credential(value: str) -> bool:
    """Whether a text looks like a token, a URL with a password, a key or a kubeconfig.

    The last two also in base64, the form in which they travelled in the field.
    """
    return any(_VALUES.search(text) or _KEYS.search(text) for text in (value, _unpacked(value)))


def _unpacked(value: str) -> str:
    """What a base64 text says; empty for any other."""
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode()
    except ValueError:
        return ""


def masked(text: str) -> str:
    """The text with every secret in it replaced by stars, of the same length."""
    starred = _VALUES.sub(lambda found: "*" * len(found.group()), text)
    return "".join(map(_mask_line, starred.splitlines(keepends=True)))


def _mask_line(line: str) -> str:
    """From the first credential's value to the end of the line: where it ends is a guess."""
    for found in _NAMED.finditer(line):
        if found["name"] not in _FIELDS and names_a_credential(found["name"]):
            rest = line[found.end() :]
            return line[: found.end()] + "*" * len(rest.rstrip()) + rest[len(rest.rstrip()) :]
    return line
