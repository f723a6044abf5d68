"""The table of wordings: what vLLM writes, since when, and what is read from it.

A row is a literal as it stands in the log. In it:

    {name}           a number, read as `name` of `names.py` in that name's unit
    {name:MiB}       the same, written in another unit (`ms`, `MiB`)
    {name:auto}      a number with its unit beside it (`14.5 GB`, `980.2 MiB`)
    {tag}            text that tells readings of one name apart: a shape, a range, a model
    {tags}           a set or list of such words, in any order
    {text:field}     text that is kept with what the row marks: a version, a model
    {N}  {...}  {?}  a number, any text, one word; not read
    <more>           may be left out

A literal is the whole message, but for a full stop, a `[tag] ` before it and Ray's
`[repeated 2x across cluster]` behind it; it ends with `{...}` where the rest does not matter.
Every row is tried on every line: the versions (first to last in which it was seen; checked up to
0.32) explain absence and never choose. A row without a name to read marks a moment.
"""

from typing import NamedTuple


class Wording(NamedTuple):
    """One row.

    Attributes:
        literal: the wording.
        versions: `first..last`.
        mark: the moment that it marks, if any.
    """

    literal: str
    versions: str
    mark: str = ""


WEIGHTS = (
    Wording("Loading model weights took {model_load_size_gib} GB", "0.6.0..0.8.2", "load_end"),
    Wording("Loading model weights took {model_load_size_gib} GiB", "0.8.4..0.9.2", "load_end"),
    Wording(
        "Loading model weights took in total {model_load_size_gib:auto} of device memory{...}",
        "0.6.4..0.9.2",
        "load_end",
    ),
    Wording(
        "Model loading took {model_load_size_gib} GB< memory> and {model_load_s} seconds",
        "0.8.0..0.8.2",
        "load_end",
    ),
    Wording(
        "Model loading took {model_load_size_gib} GiB< memory> and {model_load_s} seconds",
        "0.8.3..0.32",
        "load_end",
    ),
    Wording("Loading weights took {weights_load_s} seconds", "0.8.2..0.32", "weights_read"),
    Wording(
        "Time spent downloading weights for {tag}: {weights_download_s} seconds",
        "0.7.3..0.32",
        "downloaded",
    ),
    Wording("Initializing model took {model_init_s} seconds", "0.32..0.32"),
    Wording(
        "Online quantization as part of model loading took {online_quantization_s} seconds",
        "0.32..0.32",
    ),
    Wording("Reloading and processing weights took {weights_reload_s} seconds", "0.16..0.32"),
    Wording("Starting to load model {...}", "0.6.0..0.32", "load_begin"),
    Wording("Loading model from scratch{...}", "0.9.0..0.32", "load_begin_scratch"),
    Wording("Loading drafter model{...}", "0.8.5..0.32", "drafter"),
    Wording(
        "Prefetching checkpoint files into page cache{...}finished in {weights_prefetch_s}s",
        "0.18.1..0.32",
    ),
    Wording(
        "Filesystem type for checkpoints: {?}. Checkpoint size: {checkpoint_size_gib} GiB{...}",
        "0.20.2..0.32",
    ),
    Wording(
        "Overall time to stream {stream_size_gib:auto} of all files< to {?}>: {stream_s}s{...}",
        "printed",
        "weights_read",
    ),
    Wording(
        "Deserialized {deserialize_size_gib:auto} in {deserialize_s}s, {...}",
        "0.6.0..0.32",
        "weights_read",
    ),
)

COMPILE = (
    Wording("Dynamo bytecode transform time: {dynamo_s} s", "0.6.5..0.32", "dynamo_end"),
    Wording("Start compiling function {...}", "0.6.5..0.32", "dynamo_begin"),
    Wording("Starting torch.compile{...}", "0.32..0.32", "compile_begin"),
    Wording("Using cache directory: {text:part} for vLLM's torch.compile", "0.6.5..0.31", "part"),
    Wording("Compiling a graph for {tag} takes {graph_compile_s} s", "0.6.5..0.32", "compiled"),
    Wording(
        "Directly load the compiled graph<(s)> for {tag} from the cache, "
        "took {graph_cache_load_s} s",
        "0.8.4..0.32",
        "cache_hit",
    ),
    Wording(
        "Directly load the compiled graph<(s)> for {...} from the cache",
        "0.7.3..0.8.4",
        "cache_hit_untimed",
    ),
    Wording("Directly load AOT compilation from path {...}", "0.11.2..0.32", "cache_hit_aot"),
    Wording("torch.compile takes {torch_compile_s} s in total", "0.6.5..0.17.1", "compile_end"),
    Wording("torch.compile took {torch_compile_s} s in total", "0.18.1..0.32", "compile_end"),
    Wording(
        "torch.compile and initial profiling/warmup run together took {torch_compile_s} s in total",
        "0.18.1..0.32",
        "compile_end",
    ),
    Wording("Initial profiling/warmup run took {first_run_s} s", "0.18.1..0.32", "first_run_end"),
    Wording("Compilation finished in< in> {precompile_s} [secs]", "0.8.2..0.13"),
    Wording("Compilation of {tag} finished in {precompile_s} [secs]", "0.13..0.32"),
    Wording("Warming up model for the compilation{...}", "0.9.1..0.32", "warmup_begin"),
    Wording("Warming up done", "0.9.1..0.32", "warmup_end"),
)

MEMORY = (
    Wording("Memory profiling takes {memory_profiling_s} seconds", "0.6.5..0.10.2", "profiled"),
    Wording(
        "Memory profiling takes {memory_profiling_s} seconds. Total non KV cache memory: {N}GiB; "
        "torch peak memory increase: {memory_activation_gib}GiB; "
        "non-torch forward increase memory: {memory_other_gib}GiB; "
        "weights memory: {memory_weights_gib}GiB{...}",
        "0.9.1..0.31",
        "profiled",
    ),
    Wording("Memory profiling takes {memory_profiling_s} seconds{...}", "0.9.1..0.32", "profiled"),
    Wording(
        "model weights take {memory_weights_gib}GiB; non_torch_memory takes {memory_other_gib}GiB;"
        " PyTorch activation peak memory takes {memory_activation_gib}GiB; {...}",
        "0.6.5..0.10.2",
    ),
    Wording(
        "Initial free memory: {initial_free_gib} GiB, free memory: {N} GiB, "
        "requested GPU memory: {N} GiB",
        "0.9.1..0.10.0",
    ),
    Wording(
        "Initial free memory: {initial_free_gib} GiB; Requested memory: {N} (util), {N} GiB",
        "0.10.1..0.32",
    ),
    Wording(
        "Initial free memory {initial_free_gib} GiB, reserved {kv_cache_reserved_gib} GiB memory "
        "for KV Cache as specified by kv_cache_memory_bytes config and skipped {...}",
        "0.10.2..0.32",
        "profiling_skipped",
    ),
    Wording("Applying persisted startup plan{...}", "0.26..0.32", "profiling_skipped"),
    Wording(
        "Free memory after profiling: {free_after_profiling_gib} GiB (total), "
        "{N} GiB (within requested)",
        "0.10.1..0.32",
    ),
    Wording(
        "Free memory on device ({N}/{N} GiB) on startup. Desired GPU memory utilization is {...}. "
        "Actual usage is {memory_weights_gib} GiB for weight, {memory_activation_gib} GiB for "
        "peak activation, {memory_other_gib} GiB for non-torch memory, {...}",
        "0.10.2..0.26",
    ),
    Wording(
        "Free memory on device ({N}/{N} GiB) on startup. Desired GPU memory utilization is {...}. "
        "Actual usage is {memory_consumed_gib} GiB for consumed memory (weights + non-torch), "
        "{memory_activation_gib} GiB for peak activation{...}",
        "0.27.1..0.32",
    ),
    Wording("Estimated CUDA graph memory: {graph_estimate_gib} GiB total", "0.18.1..0.32"),
    Wording("Available KV cache memory: {kv_cache_available_gib} GiB", "0.9.1..0.32"),
    Wording(
        "# {?} blocks: {kv_cache_gpu_blocks}, # CPU blocks: {kv_cache_cpu_blocks}",
        "0.6.0..0.11.0",
        "kv_room",
    ),
    Wording("# {?} blocks: {kv_cache_gpu_blocks}", "0.6.4..0.7.3", "kv_room"),
    Wording(
        "{?} KV cache size: {kv_cache_tokens} tokens"
        "<, Maximum concurrency for {N} tokens per request: {max_concurrency}x>",
        "0.8.0..0.32",
        "kv_room",
    ),
    Wording("Maximum concurrency for {N} tokens per request: {max_concurrency}x", "0.6.3..0.27.1"),
)

ENGINE = (
    Wording(
        "Graph capturing finished in {graph_capture_s} secs<, took {graph_capture_gib} GiB>",
        "0.6.0..0.32",
        "graphs_end",
    ),
    Wording(
        "Warmup finished in {graph_capture_s} secs, allocated {graph_capture_gib:auto} of "
        "device memory",
        "0.6.4..0.9.2",
        "graphs_end",
    ),
    Wording(
        "init engine (profile, create kv cache, warmup model) took {engine_init_s} seconds",
        "0.6.5..0.19.1",
        "engine_end",
    ),
    Wording(
        "init engine (profile, create kv cache, warmup model) took {engine_init_s} s"
        "< (compilation: {engine_init_compilation_s} s{...})>",
        "0.20.2..0.32",
        "engine_end",
    ),
    Wording(
        "Initializing a< V0>n LLM engine (v{text:version}) with config: {...}",
        "0.6.0..0.7.0",
        "engine_v0",
    ),
    Wording(
        "Initializing a V0 LLM engine (v{text:version}) with config: {...}",
        "0.7.1..0.10.2",
        "engine_v0",
    ),
    Wording(
        "Initializing a V1 LLM engine (v{text:version}) with config: {...}",
        "0.7.1..0.32",
        "engine_v1",
    ),
    Wording("Using V2 Model Runner{...}", "0.16..0.32", "runner_v2"),
    Wording("vLLM API server version {text:version}", "0.6.0..0.14.1", "version"),
    Wording(
        "vLLM server version {text:version}, serving model {text:model}", "0.16..0.32", "version"
    ),
    Wording("non-default args: {text:args}", "0.9.0..0.32", "args"),
    Wording("args: Namespace{text:args}", "0.6.0..0.8.5", "args"),
    Wording("Automatically detected platform {text:platform}", "0.7.0..0.32", "platform"),
    Wording("Platform plugin {text:platform} is activated", "0.7.0..0.32", "platform"),
    Wording("No plugins for group vllm.platform_plugins{...}", "0.8.0..0.32", "no_plugins"),
    Wording("Available plugins for group vllm.general_plugins{...}", "0.7.0..0.32", "plugins"),
    Wording("Waiting for init message from front-end", "0.9.0..0.32", "handshake"),
    Wording("Using max model len {N}", "0.9.2..0.32", "model_facts"),
    Wording("Resolved architecture: {...}", "0.10.2..0.32", "architecture"),
    Wording("Enforce eager set, disabling {...}", "0.14..0.32", "eager"),
    Wording("Cudagraph is disabled under eager mode", "0.14..0.32", "eager"),
)

SERVER = (
    Wording("Starting vLLM API server on {...}", "0.7.3..0.9.0", "listening"),
    Wording("Starting vLLM API server {N} on {...}", "0.9.1..0.17.1", "listening"),
    Wording("Starting vLLM server on {...}", "0.18.1..0.32", "listening"),
    Wording("Available routes are:", "0.6.0..0.32", "routes"),
    Wording("Started server process [{text:pid}]", "any", "uvicorn_begin"),
    Wording("Application startup complete", "any", "startup_complete"),
    Wording("Route: /metrics, {...}", "0.6.0..0.32", "route_metrics"),
    Wording("Chat template warmup completed in {chat_template_warmup_s:ms}ms", "0.14.1..0.17.1"),
    Wording("Chat template warmup completed in {chat_template_warmup_s}s", "0.18.1..0.32"),
    Wording("Multi-modal warmup completed in {multimodal_warmup_s}s", "0.18.1..0.32"),
    Wording("JIT kernel warmup finished in {jit_warmup_s}s", "0.30..0.32"),
)

SLEEP = (
    Wording(
        "Sleep mode freed {sleep_freed_gib} GiB memory, {sleep_in_use_gib} GiB memory is still "
        "in use",
        "0.7.0..0.32",
    ),
    Wording("It took {sleep_s} seconds to fall asleep", "0.7.3..0.32", "asleep"),
    Wording("It took {wake_s} seconds to wake up", "0.7.3..0.8.2", "awake"),
    Wording("It took {wake_s} seconds to wake up tags {tags}", "0.8.4..0.32", "awake"),
    Wording("It took {discard_s} seconds to discard tags {tags}", "0.31..0.32"),
    Wording(
        "{?} sleep freed {N} GiB memory in total, of which {sleep_backed_up_gib} GiB is backed up "
        "in CPU and the rest {sleep_discarded_gib} GiB is discarded directly",
        "0.11.0..0.32",
    ),
    Wording("{?} discarded {sleep_discarded_tags_gib} GiB for tags {tags}", "0.28..0.32"),
    Wording("sleep the engine with level {text:level}", "0.7.3..0.8.2", "sleep_asked"),
    Wording("wake up the engine{...}", "0.7.3..0.32", "wake_asked"),
    Wording("Executor is already sleeping", "0.7.3..0.32", "asleep_already"),
    Wording("Enabling cumem allocator because sleep mode requires it", "0.22..0.32", "sleep_mode"),
    Wording("Using sleep-mode backend: {...}", "0.25.1..0.32", "sleep_mode"),
)

ENDS = (
    Wording("EngineCore failed to start", "0.8.4..0.32", "failed"),
    Wording("EngineCore hit an exception: {...}", "0.7.1..0.8.2", "failed"),
    Wording("WorkerProc failed to start", "0.6.5..0.32", "failed"),
    Wording("Failed to load model - not enough GPU memory{...}", "0.13..0.32", "failed"),
    Wording("EngineCore encountered a fatal error{...}", "0.8.4..0.32", "failed"),
    Wording("Engine core proc {?} died unexpectedly{...}", "0.8.4..0.32", "failed"),
    Wording("Worker proc {?} died unexpectedly{...}", "0.8.4..0.32", "failed"),
    Wording("{?} died unexpectedly{...}", "0.8.4..0.32", "failed"),
    Wording("Worker {?} pid {N} died, exit code: {...}", "0.6.0..0.10.2", "failed"),
    Wording("Shutting down FastAPI HTTP server{...}", "0.6.0..0.30", "stopping"),
    Wording("Shutting down", "any", "stopping"),
    Wording("Finished server process [{text:pid}]", "any", "stopping"),
    Wording("Terminating local vLLM worker processes", "0.6.0..0.10.2", "stopping"),
    Wording("Shutdown initiated{...}", "0.19..0.30", "stopping"),
    Wording("[shutdown] {...}", "0.31..0.32", "stopping"),
)

TABLE = (*WEIGHTS, *COMPILE, *MEMORY, *ENGINE, *SERVER, *SLEEP, *ENDS)
"""All rows, in the order in which they are tried."""
