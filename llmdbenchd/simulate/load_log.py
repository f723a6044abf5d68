"""The log of a load, line by line and each at its time: what a version says while it starts."""

from collections.abc import Iterable, Iterator, Mapping

from llmdbenchd.simulate.load import Load
from llmdbenchd.simulate.load_failures import failing
from llmdbenchd.simulate.vllm_lines import Beat, Speaker
from llmdbenchd.simulate.wordings import Filling, Wordings

_V1 = "0.8.0"  # the engine that is made unless another is asked for
_DEBUG_SINCE = {
    "no_plugins": "0.8.0",
    "platform": "0.11.2",
    "plugins": "0.9.1",
    "handshake": "0.11.2",
    "dynamo_begin": "0.6.5",
    "profiled": _V1,
    "": _V1,
}
"""From when on a line is one of level DEBUG; "" are those about memory that `_memory` says."""
_BLOCK = 16  # tokens
_FRONT, _ENGINE = Speaker.FRONT, Speaker.ENGINE


def load_beats(load: Load, *, model: str, max_model_len: int) -> list[Beat]:
    """All lines of a start, in order; the last stands until it listens, or fails.

    Args:
        load: what is asked for, without problems.
        model: that is served.
        max_model_len: tokens of prompt and reply together.
    """
    script = _Script(load, Wordings(load.version), model, max_model_len)
    return list(failing(script.beats(), load.fail, script.wordings, model))


def told(load: Load, *, model: str = "m", max_model_len: int = 4096) -> dict[str, float]:
    """What can be read from the log of a load, by name: the truth beside a reader's report."""
    found: dict[str, float] = {}
    for beat in load_beats(load, model=model, max_model_len=max_model_len):
        found |= beat.values
    return found


class _Script:
    """Says one start; its own clock counts the seconds that were asked for."""

    def __init__(self, load: Load, wordings: Wordings, model: str, max_model_len: int) -> None:
        self._load = load
        self.wordings = wordings
        self._model = model
        self._longest = max_model_len
        self._v = load.complete()
        self._at = 0.0

    def beats(self) -> Iterator[Beat]:
        yield from self._beginning()
        self._at += self._v["front_end_begin"]
        yield from self._engine()
        yield from self._weights()
        yield from self._compiling()
        yield from self._memory()
        yield from self._graphs()
        self._at += self._v["front_end"]
        yield from self._listening()

    def _beginning(self) -> Iterator[Beat]:
        label, model = self.wordings.label, self._model
        yield from self._say(_FRONT, "no_plugins", rest=" found.")
        yield from self._say(_FRONT, "platform", text={"platform": "cuda"})
        yield from self._say(_FRONT, "plugins", rest=":")
        yield from self._say(_FRONT, "version", text={"version": label, "model": model})
        yield from self._say(_FRONT, "args", text={"args": self._args()})
        yield from self._say(_FRONT, "architecture", rest="LlamaForCausalLM")
        yield from self._say(_FRONT, "model_facts", numbers=(f"{self._longest}",))

    def _engine(self) -> Iterator[Beat]:
        kind = "auto" if self.wordings.since("0.10.1") else "LoadFormat.AUTO"
        config = f"model='{self._model}', load_format={kind}, enforce_eager=False, "
        config += "device_config=cuda, quantization=None"
        text = {"version": self.wordings.label}
        mark = "engine_v1" if self.wordings.since(_V1) else "engine_v0"
        yield from self._say(_ENGINE, "handshake")
        yield from self._say(_ENGINE, mark, text=text, rest=config)
        if self._load.sleep_mode:
            yield from self._say(_ENGINE, "sleep_mode", rest="cumem")
        yield from self._say(_ENGINE, "load_begin", rest=f"{self._model}...")

    def _weights(self) -> Iterator[Beat]:
        names = ("weights_download_s", "weights_load_s", "post_load")
        download, read, after = (self._v.get(name, 0.0) for name in names)
        if download:
            self._at += download
            tell = {"weights_download_s": download}
            yield from self._say(_ENGINE, "downloaded", tell, tag=self._model)
        self._at += read
        yield from self._say(_ENGINE, "weights_read", {"weights_load_s": read})
        self._at += after
        size = self._v["model_load_size_gib"]
        tell = {"model_load_size_gib": size, "model_load_s": round(download + read + after, 6)}
        yield from self._say(_ENGINE, "load_end", tell)

    def _compiling(self) -> Iterator[Beat]:
        if not self.wordings.since(_V1):
            self._at += self._init_s() - self._v["memory_profiling_s"] - self._v["graph_capture_s"]
            return
        yield from self._say(_ENGINE, "dynamo_begin", rest="<code object forward>")
        self._at += self._v["dynamo_s"]
        yield from self._say(_ENGINE, "dynamo_end", {"dynamo_s": self._v["dynamo_s"]})
        what = "compile range (1, 2048)" if self.wordings.since("0.13") else "general shape"
        name = "graph_cache_load_s" if self._load.is_warm else "graph_compile_s"
        self._at += self._v[name]
        mark = "cache_hit" if self._load.is_warm else "compiled"
        found = list(self._say(_ENGINE, mark, {name: self._v[name]}, tag=what))
        yield from found or self._say(_ENGINE, "cache_hit_untimed", rest="shape None")
        yield from self._say(_ENGINE, "compile_end", {"torch_compile_s": self._compile_s()})
        self._at += self._v["first_run_s"]
        yield from self._say(_ENGINE, "first_run_end", {"first_run_s": self._v["first_run_s"]})

    def _memory(self) -> Iterator[Beat]:
        v = self._v
        self._at += v["memory_profiling_s"]
        numbers = ("0.9", "21.15", "21.15")
        tell = {"initial_free_gib": v["initial_free_gib"]}
        yield from self._say(_ENGINE, "", tell, numbers=numbers)
        tell = {"free_after_profiling_gib": v["free_after_profiling_gib"]}
        yield from self._say(_ENGINE, "", tell, numbers=("19.4",))
        of_profile = {"memory_activation_gib": 0.5, "memory_other_gib": 0.25}
        tell = {"memory_profiling_s": v["memory_profiling_s"]} | of_profile
        tell["memory_weights_gib"] = v["model_load_size_gib"]
        yield from self._say(_ENGINE, "profiled", tell)
        tell = {"kv_cache_available_gib": v["kv_cache_available_gib"]}
        yield from self._say(_ENGINE, "", tell, level="INFO")
        yield from self._room()

    def _room(self) -> Iterator[Beat]:
        tokens = self._v["kv_cache_tokens"]
        times = {"max_concurrency": round(tokens / self._longest, 2)}
        length = (f"{self._longest:,}",)
        tell = {"kv_cache_gpu_blocks": tokens // _BLOCK, "kv_cache_cpu_blocks": 2048.0}
        if self.wordings.since(_V1):
            tell = {"kv_cache_tokens": tokens} | times
        said = list(self._say(_ENGINE, "kv_room", tell, numbers=length))
        yield from said
        if not any("max_concurrency" in one.values for one in said):
            yield from self._say(_ENGINE, "", times, numbers=length, level="INFO")

    def _graphs(self) -> Iterator[Beat]:
        self._at += self._v["graph_capture_s"]
        names = ("graph_capture_s", "graph_capture_gib")
        yield from self._say(_ENGINE, "graphs_end", {name: self._v[name] for name in names})
        tell = {"engine_init_s": self._init_s(), "engine_init_compilation_s": self._compile_s()}
        yield from self._say(_ENGINE, "engine_end", tell)

    def _listening(self) -> Iterator[Beat]:
        yield from self._say(_FRONT, "listening", numbers=("0",), rest="http://0.0.0.0:8000")
        yield from self._say(_FRONT, "routes")
        yield from self._say(_FRONT, "route_metrics", rest="Methods: GET")

    def _compile_s(self) -> float:
        names = ("dynamo_s", "graph_compile_s")
        if self._load.is_warm:
            names = ("dynamo_s", "graph_cache_load_s")
        return round(sum(self._v[name] for name in names), 6)

    def _init_s(self) -> float:
        names = ("first_run_s", "memory_profiling_s", "graph_capture_s")
        return round(self._compile_s() + sum(self._v[name] for name in names), 6)

    def _args(self) -> str:
        given: dict[str, object] = {"model": self._model, "max_model_len": self._longest}
        if self._load.sleep_mode:
            given["enable_sleep_mode"] = True
        if self.wordings.since("0.9.0"):
            return repr(given)
        return f"({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def _say(  # noqa: PLR0913 - the slots of a wording, by name
        self,
        speaker: Speaker,
        mark: str,
        told: Mapping[str, float] | None = None,
        *,
        numbers: Iterable[str] = (),
        rest: str = "",
        tag: str = "",
        text: Mapping[str, str] | None = None,
        level: str | None = None,
    ) -> Iterator[Beat]:
        """The line, unless this version or level writes none."""
        filling = Filling(tuple(numbers), rest, tag=tag, text=text or {})
        said = self.wordings.say(mark, told, filling)
        level = level or self._level(mark)
        if said is not None and (level != "DEBUG" or self._load.debug):
            yield Beat(round(self._at, 6), speaker, level, said.text, said.values, mark)

    def _level(self, mark: str) -> str:
        since = _DEBUG_SINCE.get(mark)
        return "DEBUG" if since and self.wordings.since(since) else "INFO"
