"""Rows of what is told until the model is in memory: weights, compilation, room."""

from llmdbenchd.core.nop.row import Wording

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
    Wording("Loading model weights took {weights_load_s} seconds", "plugin", "weights_read"),
    Wording("Model runner load_model total time: {model_load_s} seconds", "plugin", "load_end"),
    Wording("Loading drafter model weights took {drafter_size_gib} GB", "plugin"),
    Wording("Total time to load model weights from storage to TPU: {tpu_load_s} seconds", "plugin"),
    Wording("Peak GPU memory after loading weights: {load_peak_gib} GiB", "0.17..0.32"),
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
    Wording("Compilation for {tag} done in {precompile_s} s", "0.6.1..0.9.2"),
    Wording("    -- Compilation for {tag} done in {precompile_s} [secs]", "0.7.3..0.7.3"),
    Wording(
        "Multimodal {tag} Encoder compilation finished in< in> {precompile_s} [secs]",
        "0.8.5..0.13",
    ),
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
    Wording(
        "Memory profiling takes {memory_profiling_s} seconds. Total non KV cache memory: {N}GiB; "
        "torch peak memory increase: {memory_activation_gib}GiB; "
        "total consumed (from mem_get_info): {memory_consumed_gib}GiB; "
        "weights memory: {memory_weights_gib}GiB{...}",
        "0.27.1..0.32",
        "profiled",
    ),
    Wording("Memory profiling takes {memory_profiling_s} seconds{...}", "0.9.1..0.32", "profiled"),
    Wording(
        "Memory profiling results: total_gpu_memory={N}GiB {...} "
        "peak_torch_memory={memory_activation_gib}GiB {...} "
        "non_torch_memory={memory_other_gib}GiB {...}",
        "0.6.3..0.6.4",
        "profiled",
    ),
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
    Wording(
        "Initial free memory {initial_free_gib} GiB, reserved {kv_cache_reserved_gib} GiB "
        "for KV Cache as specified by kv_cache_memory_bytes, skipping {...}",
        "plugin",
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
    Wording("CUDA graph pool memory: {graph_pool_gib} GiB (actual), {...}", "0.19.1..0.32"),
    Wording(
        "Available KV cache memory: {kv_cache_available_gib} GiB< (halved for workspace)>",
        "0.9.1..0.32",
    ),
    Wording(
        "# {?} blocks: {kv_cache_gpu_blocks}, # CPU blocks: {kv_cache_cpu_blocks}",
        "0.6.0..0.11.0",
        "kv_room",
    ),
    Wording(
        "OpenVINO {?}: # device blocks: {kv_cache_gpu_blocks}; "
        "# swap blocks: {kv_cache_cpu_blocks}",
        "plugin",
        "kv_room",
    ),
    Wording("# {?} blocks: {kv_cache_gpu_blocks}", "0.6.0..0.7.3", "kv_room"),
    Wording(
        "{?} KV cache size: {kv_cache_tokens} tokens"
        "<, Maximum concurrency for {N} tokens per request: {max_concurrency}x>",
        "0.8.0..0.32",
        "kv_room",
    ),
    Wording("Maximum concurrency for {N} tokens per request: {max_concurrency}x", "0.6.3..0.27.1"),
)
