#!/bin/sh
# The wheel holds all that an installed daemon needs: check-wheel.sh UV
set -eu
uv=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$uv" build --quiet --wheel --out-dir "$folder/dist"
"$uv" venv --quiet --python .venv/bin/python "$folder/venv"
"$uv" pip install --quiet --python "$folder/venv/bin/python" "$folder"/dist/*.whl
cd "$folder" # away from the checkout, so that only the wheel can answer
"$folder/venv/bin/llmdbenchd" profiles --json | grep -q sanity_random
"$folder/venv/bin/python" -c '
from pathlib import Path
from llmdbenchd import payload
names = {path.relative_to(Path(payload.__file__).parent).as_posix() for path in Path(payload.__file__).parent.rglob("*.py")}
assert {"launch.py", "harness/inference_perf.py"} <= names, names
from llmdbenchd.edge.files.preprocess import shipped_preprocess
assert len(shipped_preprocess()) == 2'
echo "the wheel holds profiles, payload and preprocess scripts"
