"""The payload runs on the Python of other people's images: 3.9 or newer."""

import ast
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.payload.stage import LAUNCH, Stage, assert_proven

SOURCES = sorted(LAUNCH.parent.rglob("*.py"))
NAMES = [str(source.relative_to(LAUNCH.parent)) for source in SOURCES]


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_each_file_is_written_in_the_language_of_python_3_9(source: Path) -> None:
    ast.parse(source.read_text(), feature_version=(3, 9))


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_each_file_imports_only_the_payload_and_old_parts_of_the_standard_library(
    source: Path,
) -> None:
    allowed = "__future__ collections errno hashlib importlib json os select signal stat sys time "
    allowed += "types llmdbenchd.payload"
    if source.name in {"serve.py", "commands.py"}:  # no load waits for their start
        allowed += " hmac http socket socketserver threading urllib"
    if source.name == "dataset.py":  # loaded by jobs with a data set only
        allowed += " http io socket urllib"
    imported = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    tops = {
        "llmdbenchd.payload" if name.startswith("llmdbenchd.payload") else name.partition(".")[0]
        for name in imported
    }

    assert tops <= set(allowed.split())


def test_a_whole_launcher_runs_on_a_real_python_3_9(stage: Stage) -> None:
    python = shutil.which("python3.9")
    probe = [python or "", "-c", ""]
    if not python or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("there is no python3.9 in PATH")
    stage.python = (python, "-I", "-S")

    outcome = stage.run()

    assert outcome.returncode == 0, outcome.stderr
    assert_proven(stage.results)
