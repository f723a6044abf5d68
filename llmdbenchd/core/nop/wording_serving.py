"""Rows of engines and front ends: how they start, serve, sleep and end."""

from llmdbenchd.core.nop.row import Wording

ENGINE = (
    Wording(
        "Graph capturing finished in {graph_capture_s} secs<, took {graph_capture_gib} GiB>",
        "0.6.0..0.32",
        "graphs_end",
    ),
    Wording(
        "Warmup finished in {graph_capture_s} secs, allocated {graph_capture_gib:auto} of "
        "device memory",
        "0.6.4..0.32",
        "graphs_end",
    ),
    Wording(
        "Encoder graph capturing finished in {graph_capture_s} secs, "
        "took {graph_capture_gib} GiB{...}",
        "0.32..0.32",
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
    Wording("vLLM batch processing API version {text:version}", "0.6.0..0.32"),
    Wording("non-default args: {text:args}", "0.9.0..0.32", "args"),
    Wording("args: Namespace{text:args}", "0.6.0..0.8.5", "args"),
    Wording("vLLM gRPC server args: Namespace{text:args}", "0.14..0.32", "args"),
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
    Wording("vLLM gRPC server started on {...}", "0.14..0.32", "listening"),
    Wording("Server is ready to accept requests", "0.14..0.32", "grpc_ready"),
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
    Wording(
        "Sleep mode (level={text:level}) freed {sleep_freed_gib} GiB memory, "
        "{sleep_in_use_gib} GiB memory is still in use",
        "plugin",
        "sleep_asked",
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
    Wording("Tags {...} are already sleeping", "0.32..0.32", "asleep_already"),
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
    Wording("RayWorkerProc rank={?} died unexpectedly{...}", "0.20..0.32", "failed"),
    Wording("[shutdown] MPClient: engine core exited unexpectedly{...}", "0.24..0.32", "failed"),
    Wording("Worker {?} pid {N} died, exit code: {...}", "0.6.0..0.10.2", "failed"),
    Wording("Shutting down FastAPI HTTP server{...}", "0.6.0..0.30", "stopping"),
    Wording("Shutting down", "any", "stopping"),
    Wording("Finished server process [{text:pid}]", "any", "stopping"),
    Wording("Terminating local vLLM worker processes", "0.6.0..0.10.2", "stopping"),
    Wording("Shutdown initiated{...}", "0.19..0.30", "stopping"),
    Wording("[shutdown] {...}", "0.31..0.32", "stopping"),
)
