"""What can be read from a log: names, units, and how ranks and repetitions become one figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Combined(StrEnum):
    """What the headline of many readings of one name is."""

    MOST = "the slowest rank"
    LEAST = "the rank with least"
    SUM = "the sum of all ranks"
    LAST = "the last one"


@dataclass(frozen=True, slots=True)
class Name:
    """One thing that logs tell.

    Attributes:
        unit: `s`, `GiB`, `tokens`, `blocks` or `x`.
        combined: how the headline is made.
        meaning: for people.
        further: not one of the names of the load report's contract; shown apart from them.
    """

    unit: str
    combined: Combined
    meaning: str
    further: bool = False


_MOST, _LEAST, _SUM, _LAST = Combined.MOST, Combined.LEAST, Combined.SUM, Combined.LAST

NAMES = {
    "weights_download_s": Name("s", _MOST, "weights download"),
    "weights_load_s": Name("s", _MOST, "weights read"),
    "stream_s": Name("s", _MOST, "weights stream"),
    "stream_size_gib": Name("GiB", _SUM, "weights streamed"),
    "model_load_s": Name("s", _MOST, "model load, download included"),
    "model_load_size_gib": Name("GiB", _SUM, "model size in device memory"),
    "dynamo_s": Name("s", _MOST, "Dynamo bytecode transform"),
    "graph_compile_s": Name("s", _MOST, "graph compile"),
    "graph_cache_load_s": Name("s", _MOST, "compiled graphs from the cache"),
    "torch_compile_s": Name("s", _MOST, "torch.compile in total"),
    "first_run_s": Name("s", _MOST, "first profiling run"),
    "memory_profiling_s": Name("s", _MOST, "memory profiling"),
    "initial_free_gib": Name("GiB", _LEAST, "device memory free at first"),
    "free_after_profiling_gib": Name("GiB", _LEAST, "device memory free after profiling"),
    "kv_cache_available_gib": Name("GiB", _LEAST, "room for the KV cache"),
    "kv_cache_tokens": Name("tokens", _LEAST, "KV cache"),
    "kv_cache_gpu_blocks": Name("blocks", _LEAST, "KV cache blocks on the device"),
    "kv_cache_cpu_blocks": Name("blocks", _LEAST, "KV cache blocks on the CPU"),
    "max_concurrency": Name("x", _LEAST, "requests of full length at once"),
    "graph_capture_s": Name("s", _MOST, "graph capture"),
    "graph_capture_gib": Name("GiB", _SUM, "memory of captured graphs"),
    "engine_init_s": Name("s", _MOST, "engine init (profile, KV cache, warm-up)"),
    "engine_init_compilation_s": Name("s", _MOST, "compilation within engine init"),
    "sleep_s": Name("s", _MOST, "falling asleep"),
    "sleep_freed_gib": Name("GiB", _MOST, "memory freed by sleep"),
    "sleep_in_use_gib": Name("GiB", _MOST, "memory still in use asleep"),
    "sleep_backed_up_gib": Name("GiB", _MOST, "memory backed up by sleep"),
    "sleep_discarded_gib": Name("GiB", _MOST, "memory discarded by sleep"),
    "wake_s": Name("s", _MOST, "waking up"),
    "model_init_s": Name("s", _MOST, "model object", further=True),
    "online_quantization_s": Name("s", _MOST, "online quantization", further=True),
    "load_peak_gib": Name("GiB", _MOST, "memory at most while weights load", further=True),
    "drafter_size_gib": Name("GiB", _MOST, "drafter in device memory", further=True),
    "tpu_load_s": Name("s", _MOST, "weights from disk to the TPU", further=True),
    "weights_reload_s": Name("s", _MOST, "weights reload", further=True),
    "weights_prefetch_s": Name("s", _MOST, "checkpoint into page cache", further=True),
    "checkpoint_size_gib": Name("GiB", _LAST, "checkpoint on disk", further=True),
    "deserialize_s": Name("s", _MOST, "tensorizer: deserialize", further=True),
    "deserialize_size_gib": Name("GiB", _SUM, "tensorizer: deserialized", further=True),
    "precompile_s": Name("s", _SUM, "compilation, shape by shape", further=True),
    "memory_weights_gib": Name("GiB", _MOST, "profile: weights", further=True),
    "memory_activation_gib": Name("GiB", _MOST, "profile: peak activation", further=True),
    "memory_other_gib": Name("GiB", _MOST, "profile: other than torch", further=True),
    "memory_consumed_gib": Name("GiB", _MOST, "profile: weights and others", further=True),
    "graph_estimate_gib": Name("GiB", _MOST, "graphs' memory as estimated", further=True),
    "graph_pool_gib": Name("GiB", _MOST, "pool of captured graphs", further=True),
    "kv_cache_reserved_gib": Name("GiB", _LEAST, "KV cache as configured", further=True),
    "chat_template_warmup_s": Name("s", _MOST, "chat template warm-up", further=True),
    "multimodal_warmup_s": Name("s", _MOST, "multi-modal warm-up", further=True),
    "jit_warmup_s": Name("s", _MOST, "JIT kernel warm-up", further=True),
    "discard_s": Name("s", _MOST, "sleep: discarding by tags", further=True),
    "sleep_discarded_tags_gib": Name("GiB", _MOST, "sleep: discarded by tags", further=True),
}
"""Every name that the table of wordings may use."""

_HOW: dict[Combined, Callable[[Sequence[float]], float]] = {
    Combined.MOST: max,
    Combined.LEAST: min,
    Combined.SUM: sum,
    Combined.LAST: lambda values: values[-1],
}


def headline(name: str, readings: Sequence[tuple[object, float]]) -> float:
    """One figure of many.

    Args:
        name: one of `NAMES`.
        readings: whose (rank or process) and what, in the order of the log; not empty.

    Returns:
        For sums, what each of them said last, added up, for a rank may say it again; otherwise
        the most, the least or the last of all.
    """
    how = NAMES[name].combined
    values = [value for _, value in readings]
    if how is Combined.SUM and name != "precompile_s":
        values = list(dict(readings).values())
    return _HOW[how](values)
