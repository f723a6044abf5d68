"""The scripts that prepare a vLLM pod, on disk: `workload/preprocess`, beside the profiles."""

import importlib.resources
from pathlib import Path

from llmdbenchd.ports import Refused


def shipped_preprocess() -> dict[str, str]:
    """The scripts that came with this program, by file name.

    Raises:
        Refused: they are missing from the installation.
    """
    package = Path(str(importlib.resources.files("llmdbenchd")))
    for above in (package, package.parent):  # an installed wheel, a source checkout
        folder = above / "workload" / "preprocess"
        if folder.is_dir():
            files = sorted(path for path in folder.iterdir() if path.suffix in {".sh", ".py"})
            return {path.name: path.read_text(encoding="utf-8") for path in files}
    raise Refused("the preprocess scripts are missing from this installation; install it again")
