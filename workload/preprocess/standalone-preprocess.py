#!/usr/bin/env python3
"""Run in a vLLM pod before the server: milliseconds in its log, and a model for tensorizer.

Only the standard library, and vLLM itself where a model is to be serialised. Its end says
whether the preparation worked: 0 done, 1 not, with the reason on stderr.
"""

import json
import os
import subprocess
import sys

LOGGING_CONFIG = "VLLM_LOGGING_CONFIG_PATH"  # set by the shell script where the level is DEBUG
WATCHDOG_S = 15 * 60
FORMAT = "%(levelname)s %(asctime)s.%(msecs)03d [%(filename)s:%(lineno)d] %(message)s"


def logging_config(level: str) -> dict[str, object]:
    """The logging of vLLM itself, and milliseconds behind its seconds."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "vllm": {
                "class": "vllm.logging_utils.NewLineFormatter",
                "datefmt": "%m-%d %H:%M:%S",
                "format": FORMAT,
            }
        },
        "handlers": {
            "vllm": {
                "class": "logging.StreamHandler",
                "formatter": "vllm",
                "level": level,
                "stream": "ext://sys.stdout",
            }
        },
        "loggers": {"vllm": {"handlers": ["vllm"], "level": level, "propagate": False}},
    }


def write_logging_config(environment: dict[str, str]) -> None:
    """Write it where vLLM was told to look; nothing if it was told nothing."""
    path = environment.get(LOGGING_CONFIG)
    if not path:
        return
    level = environment.get("VLLM_LOGGING_LEVEL", "DEBUG").upper()
    replaced(path, json.dumps(logging_config(level), indent=2))
    print(f"preprocess: {path} written", flush=True)


def replaced(path: str, text: str) -> None:
    """A reader sees the whole file or none, also after a kill."""
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def serialise_once(environment: dict[str, str]) -> None:
    """For tensorizer: the model's tensors, unless an earlier start of this container made them."""
    model = environment.get("LLMDBENCH_DEPLOY_CURRENT_MODEL", "")
    if not model:
        raise RuntimeError("load format tensorizer needs LLMDBENCH_DEPLOY_CURRENT_MODEL")
    root = environment.get("LLMDBENCH_PREPROCESS_ROOT", "/tmp")  # noqa: S108 - the pod's own, as the server is told
    folder = os.path.join(root, model, "v1")
    tensors = os.path.join(folder, "model.tensors")
    if os.path.exists(tensors):
        print(f"preprocess: {tensors} is there", flush=True)
        return
    os.makedirs(folder, exist_ok=True)
    partial = f"{tensors}.partial"
    print(f"Start model {model} serialization for tokenizer library to {tensors}", flush=True)
    # A process of its own: what it holds on the GPU is free when it has ended, however it ends.
    command = [sys.executable, os.path.abspath(__file__), "--serialise", model, partial]
    subprocess.run(command, check=True, timeout=WATCHDOG_S)
    os.replace(partial, tensors)
    print(f"End model {model} serialization", flush=True)


def serialise(model: str, path: str) -> None:
    """Load the model once in the usual way, and write its tensors."""
    from vllm.engine.arg_utils import EngineArgs  # noqa: PLC0415 - only vLLM's image has it
    from vllm.model_executor.model_loader import tensorizer  # noqa: PLC0415 - the same

    target = tensorizer.TensorizerConfig(tensorizer_uri=path)
    tensorizer.tensorize_vllm_model(EngineArgs(model=model), target)


def main(words: list[str], environment: dict[str, str]) -> int:
    """The program; returns its exit code."""
    if words[:1] == ["--serialise"]:
        serialise(*words[1:])
        return 0
    try:
        write_logging_config(environment)
        if environment.get("LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT") == "tensorizer":
            serialise_once(environment)
    except subprocess.TimeoutExpired:
        print(f"preprocess: serialisation took more than {WATCHDOG_S} s", file=sys.stderr)
        return 1
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"preprocess: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))
