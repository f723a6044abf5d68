"""What a log without any start is like, so that whoever named it sees what was read."""

_KEPT = 4096
_OTHERS = {
    b"sglang": "SGLang's log",
    b"text-generation-launcher": "the log of text-generation-inference",
    b"llama_model_loader": "llama.cpp's log",
    b"[TensorRT-LLM]": "TensorRT-LLM's log",
    b"ollama": "Ollama's log",
    b'HTTP/1.1"': "requests to a web server",
}


class Likeness:
    """Looks at the beginning of a log."""

    def __init__(self) -> None:
        self._start = b""
        self.size = 0

    def feed(self, data: bytes) -> None:
        """See the next bytes."""
        self._start += data[: _KEPT - len(self._start)]
        self.size += len(data)

    def words(self, lines: int) -> str:
        """What it is like, with its first line.

        Args:
            lines: how many it has.
        """
        if not self.size:
            return "it is empty"
        if b"\0" in self._start and not self._start.strip(b"\0").isascii():
            return f"it is binary data ({self.size:,} bytes)"
        for sign, what in _OTHERS.items():
            if sign in self._start:
                return f"it looks like {what}"
        text = self._start.decode("utf-8", "replace")
        first = next((one.strip() for one in text.splitlines() if one.strip()), "")
        shown = "".join(one for one in first[:100] if one.isprintable())
        count = f"{lines:,} line{'' if lines == 1 else 's'}"
        return f"{count} of something else, beginning with {shown!r}"
