"""The cluster of kind: what is asked of kind and Docker, which are not here, in its order."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "kind.sh"
STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "$DIARY"
case "$*" in
"get clusters") echo "$CLUSTERS" ;;
"get kubeconfig"*) echo made ;;
"create cluster"*) echo made > "${10}" ;;
esac
"""


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A checkout with stand-ins for the programs, and with the script."""
    for name in ("bin/kind", "bin/docker", ".venv/bin/python"):
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(STAND_IN)
        program.chmod(0o755)
    script = tmp_path / "tests" / "cluster" / "kind.sh"
    script.parent.mkdir(parents=True)
    script.write_text(SCRIPT.read_text())
    return tmp_path


def ask(bench: Path, *words: str, clusters: str = "") -> list[str]:
    """What was asked of whom."""
    path = f"{bench / 'bin'}:{os.environ['PATH']}"
    env = {"PATH": path, "DIARY": str(bench / "diary"), "CLUSTERS": clusters}
    command = ["sh", str(bench / "tests" / "cluster" / "kind.sh"), *words]
    subprocess.run(command, env=env, check=True)
    return (bench / "diary").read_text().splitlines()


def test_the_kubeconfig_of_whoever_asks_is_left_alone(bench: Path) -> None:
    """`kind create` writes into ~/.kube/config and switches its context, unless told otherwise."""
    kubeconfig = bench / "config"
    asked = ask(bench, "up", str(kubeconfig))

    [create] = [line for line in asked if line.startswith("kind create")]
    assert create.endswith(f"--kubeconfig {kubeconfig}")
    assert kubeconfig.read_text() == "made\n"
    assert sum(line.startswith("kind load image-archive") for line in asked) == 4

    down = ask(bench, "down", str(kubeconfig))[-1]
    assert down == f"kind delete cluster --name llmdbenchd-e2e --kubeconfig {kubeconfig}"
    assert not kubeconfig.exists()


def test_a_cluster_that_is_there_is_used_and_its_key_is_nobody_elses(bench: Path) -> None:
    kubeconfig = bench / "config"
    asked = ask(bench, "up", str(kubeconfig), clusters="other\nllmdbenchd-e2e")

    assert not any(line.startswith("kind create") for line in asked)
    assert kubeconfig.stat().st_mode & 0o077 == 0
