"""The table: every row is read, no number is taken that is not meant."""

import re

import pytest

from llmdbenchd.core.nop.names import NAMES
from llmdbenchd.core.nop.phrases import Found, read
from llmdbenchd.core.nop.row import Wording
from llmdbenchd.core.nop.wording import TABLE

SLOT = re.compile(r"\{([^{}]*)\}")
TEXT = {"N": "7.25", "...": "9 more words 8.5", "?": "GPU", "tag": "compile range (1, 2048)",
        "tags": "{'weights', 'kv_cache'}"}  # fmt: skip


def composed(wording: Wording, *, whole: bool) -> tuple[str, dict[str, float]]:
    """The row as a message, with or without what may be left out, and what it then says."""
    literal = re.sub(r"<((?:[^<>{}]|\{[^{}]*\})*)>", r"\1" if whole else "", wording.literal)
    said: dict[str, float] = {}

    def fill(slot: "re.Match[str]") -> str:
        name, _, unit = slot[1].partition(":")
        if name in NAMES:
            number = 3.25 + len(said)
            said[name] = number * {"ms": 1e-3, "MiB": 2**-10}.get(unit, 1)
            return f"{number} GiB" if unit == "auto" else f"{number}"
        return TEXT.get(slot[1], "some/text")

    return SLOT.sub(fill, literal), said


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("wording", TABLE, ids=[row.literal for row in TABLE])
def test_every_row_is_read_whole_and_without_what_may_be_left_out(
    wording: Wording, *, whole: bool
) -> None:
    message, said = composed(wording, whole=whole)
    for shown in (message, f"{message}.", f"{message} [repeated 3x across cluster]"):
        if message.endswith("8.5") and shown != message:
            continue
        found = read(shown)
        assert found is not None, shown
        assert found.readings == pytest.approx(said)
        assert found.wording.mark == wording.mark


def says(message: str) -> Found:
    found = read(message)
    assert found is not None, message
    return found


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Loading model weights took 21.6682 GB", {"model_load_size_gib": 21.6682}),
        (
            (
                "Loading model weights took in total 14.97 GiB of device memory (15 GiB/94.62 GiB "
                "used) and 2.51 GiB of host memory (40 GiB/1007 GiB used)"
            ),
            {"model_load_size_gib": 14.97},
        ),
        (
            "Model loading took 0.0 GiB memory and 0.000000 seconds",
            {"model_load_size_gib": 0.0, "model_load_s": 0.0},
        ),
        (
            "Graph capturing finished in 4 secs, took -0.41 GiB",
            {"graph_capture_s": 4.0, "graph_capture_gib": -0.41},
        ),
        ("Graph capturing finished in 5 secs.", {"graph_capture_s": 5.0}),
        (
            "Warmup finished in 263 secs, allocated 512.5 MiB of device memory",
            {"graph_capture_s": 263.0, "graph_capture_gib": pytest.approx(512.5 / 1024)},
        ),
        ("Compiling a graph for compile range (1, 2048) takes 45.10 s", {"graph_compile_s": 45.1}),
        ("Compiling a graph for shape 512 takes 3.07 s", {"graph_compile_s": 3.07}),
        ("Compilation finished in in 5.13 [secs].", {"precompile_s": 5.13}),
        ("Compilation of w0 --> {'n': 8} finished in 0.13 [secs].", {"precompile_s": 0.13}),
        (
            "torch.compile and initial profiling/warmup run together took 31.20 s in total",
            {"torch_compile_s": 31.2},
        ),
        (
            "# CPU blocks: 35064, # CPU blocks: 2730",
            {"kv_cache_gpu_blocks": 35064.0, "kv_cache_cpu_blocks": 2730.0},
        ),
        ("# GPU blocks: 5065", {"kv_cache_gpu_blocks": 5065.0}),
        (
            (
                "XPU KV cache size: 1,020,176 tokens, Maximum concurrency for 4,096 tokens per "
                "request: 249.07x"
            ),
            {"kv_cache_tokens": 1020176.0, "max_concurrency": 249.07},
        ),
        (
            (
                "init engine (profile, create kv cache, warmup model) took 75.54 s "
                "(compilation: 46.50 s \u2014 language_model: 40.00 s, encoder: 6.50 s)"
            ),
            {"engine_init_s": 75.54, "engine_init_compilation_s": 46.5},
        ),
        (
            "Initial free memory: 93.47 GiB; Requested memory: 0.500000 (util), 47.49 GiB",
            {"initial_free_gib": 93.47},
        ),
        (
            (
                "Initial free memory 79.1 GiB, reserved 20.0 GiB memory for KV Cache as specified "
                "by kv_cache_memory_bytes config and skipped memory profiling. This does not ..."
            ),
            {"initial_free_gib": 79.1, "kv_cache_reserved_gib": 20.0},
        ),
        (
            "[RunAI Streamer] Overall time to stream 3.3 GiB of all files: 0.96s, 3.5 GiB/s",
            None,
        ),
        (
            "Overall time to stream 980.2 MiB of all files to cuda:0: 1.5s, 650 MiB/s",
            {"stream_size_gib": pytest.approx(980.2 / 1024), "stream_s": 1.5},
        ),
        (
            "Deserialized 14.5 GB in 8.53s, 1.7 GB/s",
            {"deserialize_size_gib": pytest.approx(14.5e9 / 2**30), "deserialize_s": 8.53},
        ),
        ("It took 0.000018 seconds to wake up.", {"wake_s": 0.000018}),
        ("Chat template warmup completed in 872.2ms", {"chat_template_warmup_s": 0.8722}),
        ("[eagle_head] Dynamo bytecode transform time: 0.65 s", {"dynamo_s": 0.65}),
        ("Loading weights took 3.27 seconds, as I said", None),
        ("Loading weights took long", None),
        ("No available shared memory broadcast block found in 60 seconds.", None),
        ("the model weights took 3 GB", None),
    ],
)
def test_messages_say_what_they_say(message: str, expected: dict[str, float] | None) -> None:
    found = read(message)

    assert (found.readings if found else None) == expected


def test_tags_parts_and_levels_are_told_apart() -> None:
    assert says("It took 1.5 seconds to wake up tags {'weights', 'kv_cache'}.").tag == (
        "kv_cache, weights"
    )
    assert says("It took 1.5 seconds to wake up tags ['kv_cache'].").tag == "kv_cache"
    assert says("[backbone] torch.compile took 4.27 s in total").part == "backbone"
    assert says("Compiling a graph for general shape takes 44.37 s").tag == "general shape"
    assert says("sleep the engine with level 2").text == {"level": "2"}


def test_a_number_that_is_as_long_as_a_line_is_none() -> None:
    assert read(f"Loading weights took {'1' * 100_000} seconds") is None


def test_versions_are_spans_and_names_have_units() -> None:
    for row in TABLE:
        assert row.versions in {"any", "printed", "plugin"} or re.fullmatch(
            r"\d[\w.]*\.\.\d[\w.]*", row.versions
        )
    assert {one.unit for one in NAMES.values()} == {"s", "GiB", "tokens", "blocks", "x"}
