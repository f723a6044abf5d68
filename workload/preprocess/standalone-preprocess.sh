#!/bin/sh
# Sourced in a vLLM pod before the server, by sh or bash. It exports what the server reads,
# installs what a load format needs, and prints the GPU block that `nop` reads. It never ends the
# shell that sources it: a server whose preparation failed says so itself, in its own log.
#
#   LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT    what to prepare for (auto)
#   LLMDBENCH_VLLM_COMMON_VLLM_LOGGING_LEVEL  DEBUG: lines with milliseconds
#   LLMDBENCH_DEPLOY_CURRENT_MODEL            the model, for tensorizer
#   LLMDBENCH_PREPROCESS_PIP                  what installs packages (python3 -m pip install)
#
# It adds what the load format needs to LLMDBENCH_VLLM_COMMON_MODEL_LOADER_EXTRA_CONFIG, which the
# server's command line hands to --model-loader-extra-config.

llmdbench_format=${LLMDBENCH_VLLM_COMMON_VLLM_LOAD_FORMAT:-auto}
llmdbench_model=${LLMDBENCH_DEPLOY_CURRENT_MODEL:-}
llmdbench_pip=${LLMDBENCH_PREPROCESS_PIP:-python3 -m pip install --quiet}

llmdbench_install() {
  echo "preprocess: installing $1"
  # The command is words, so it must be split.
  # shellcheck disable=SC2086
  $llmdbench_pip "$1" || echo "preprocess: $1 could not be installed; load format $llmdbench_format will fail"
}

llmdbench_gpus() {
  command -v nvidia-smi >/dev/null 2>&1 || { echo "preprocess: no GPU: nvidia-smi is not here"; return 0; }
  llmdbench_rows=$(nvidia-smi --query-gpu=name,compute_cap,uuid,persistence_mode --format=csv,noheader 2>&1) ||
    { echo "preprocess: no GPU: nvidia-smi says: $llmdbench_rows"; return 0; }
  printf '%s\n' "$llmdbench_rows" | awk -F ', *' -v q="'" \
    '{print "gpu_uuid=" q $3 q " gpu_name=" q $1 q " compute_cap=" q $2 q " persistence_mode=" q $4 q}'
}

case ${LLMDBENCH_VLLM_COMMON_VLLM_LOGGING_LEVEL:-${VLLM_LOGGING_LEVEL:-INFO}} in
  DEBUG | debug)
    export VLLM_LOGGING_LEVEL=DEBUG
    export VLLM_LOGGING_CONFIG_PATH=/tmp/vllm_logging_config.json
    ;;
esac

# Adds a pair to the loader's configuration, an object of JSON, unless somebody set it before.
llmdbench_add() {
  case ${LLMDBENCH_VLLM_COMMON_MODEL_LOADER_EXTRA_CONFIG:-} in
    *"\"$1\""*) return 0 ;;
    '' | '{}') llmdbench_rest='}' ;;
    *) llmdbench_rest=",${LLMDBENCH_VLLM_COMMON_MODEL_LOADER_EXTRA_CONFIG#"{"}" ;;
  esac
  export LLMDBENCH_VLLM_COMMON_MODEL_LOADER_EXTRA_CONFIG="{\"$1\":$2$llmdbench_rest"
}

case $llmdbench_format in
  fastsafetensors)
    llmdbench_install fastsafetensors==0.1.15
    ;;
  runai_streamer)
    llmdbench_install runai==0.4.1
    llmdbench_add concurrency 32
    ;;
  tensorizer)
    llmdbench_install tensorizer==2.12.0
    llmdbench_add tensorizer_uri "\"/tmp/$llmdbench_model/v1/model.tensors\""
    ;;
esac

echo "vllm extra arguments: '--load-format $llmdbench_format --model-loader-extra-config ${LLMDBENCH_VLLM_COMMON_MODEL_LOADER_EXTRA_CONFIG:-{\}}'"

llmdbench_name=${HOSTNAME:-unknown}
echo "--- gpu scenario start name: $llmdbench_name"
llmdbench_gpus
echo "--- gpu scenario end name: $llmdbench_name"

llmdbench_caps=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | sort -u | tr '\n' ' ' | sed 's/ $//')
if [ -n "$llmdbench_caps" ]; then
  export TORCH_CUDA_ARCH_LIST="$llmdbench_caps"
fi
