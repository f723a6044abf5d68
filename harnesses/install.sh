#!/bin/sh
# Installs a real harness into a virtual environment of its own: install.sh UV PYTHON HARNESS FOLDER
# Harnesses pin each other's libraries to different versions, so none shares an environment.
set -eu
uv=$1 python=$2 harness=$3 folder=$4
here=$(cd "$(dirname "$0")" && pwd)

if [ ! -f "$here/$harness/requirements.txt" ]; then
    echo "install.sh: no recipe for $harness" >&2
    exit 2
fi
rm -rf "$folder"
"$uv" venv --quiet --seed --python "$python" "$folder"
# The lists are complete; --no-deps keeps out what they leave out on purpose.
"$uv" pip install --quiet --no-deps --python "$folder/bin/python" -r "$here/$harness/requirements.txt"
if [ "$harness" = inference-perf ]; then
    # It declares Python >= 3.12 and runs on 3.11; --ignore-requires-python in one step would hit
    # every dependency, so they came first.
    "$folder/bin/python" -m pip install --quiet --no-deps --ignore-requires-python \
        --disable-pip-version-check inference-perf==0.7.0
fi
touch "$folder/ready"
