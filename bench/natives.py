"""1 MB of results to collect: the files of one inference-perf run, made by the tests' fake."""

import subprocess
import sys
from pathlib import Path

FAKE = Path(__file__).parent.parent / "tests" / "programs" / "inference-perf"
SIZE = 1 << 20
PROFILE = "storage: {{local_storage: {{path: {}}}}}\n"


def write_results(folder: Path, *, native: bool) -> Path:
    """Fill `folder` with a profile, a stage, a summary and one large file, 1 MB together.

    Args:
        folder: made here.
        native: under inference-perf's names; else under names that say nothing.
    """
    profile = folder.with_suffix(".yaml")
    profile.write_text(PROFILE.format(folder), encoding="utf-8")
    words = [sys.executable, "-IS", str(FAKE), "--config_file", str(profile)]
    subprocess.run(words, env={}, check=True, stdout=subprocess.DEVNULL)
    missing = SIZE - sum(path.stat().st_size for path in folder.iterdir())
    (folder / "requests.bin").write_bytes(b"x" * missing)
    if not native:
        for path in list(folder.iterdir()):
            path.rename(folder / f"other-{path.name}")
    return folder
