"""The test cluster's two Go programs: built once for each content of their modules."""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.cluster import places
from tests.cluster.trouble import Trouble

MODULES = ("kube", "dns")
_HERE = Path(__file__).parent
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOWORK": "off"}  # another CGO setting recompiles everything
_VERSION = "k8s.io/component-base/version"


def program(name: str) -> Path:
    """The built program of a module of `MODULES`; seconds or minutes the first time, then nothing.

    Raises:
        Trouble: no Go, or the build failed.
    """
    module = _HERE / name
    sources = sorted(path for path in module.iterdir() if path.is_file())
    key = places.fingerprint([*sources, _go_version(), _linker_flags(module)])
    built = places.cache() / "cluster" / key / name
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        with built.with_name(f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two builds at once take as long as two in turn
            if not built.exists():
                _build(module, built)
    return built


def _build(module: Path, built: Path) -> None:
    half = built.with_name(f".{built.name}.{os.getpid()}")
    flags = ("-buildvcs=false", f"-ldflags={_linker_flags(module)}", "-o", str(half))
    done = subprocess.run(
        ("go", "build", *flags, "."),
        cwd=module,
        env={**os.environ, **_ENVIRONMENT},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Trouble(f"go build in {module} failed:\n{done.stderr[-3000:]}")
    half.rename(built)


def _go_version() -> str:
    if not shutil.which("go"):
        raise Trouble("no Go found: the test cluster is built with Go 1.24 or newer (go.dev/dl)")
    words = ("go", "env", "GOVERSION")
    done = subprocess.run(words, cwd=_HERE, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Trouble(f"go env failed: {done.stderr.strip()}")
    return done.stdout.strip()


def _linker_flags(module: Path) -> str:
    """Without the version the API server calls itself v0.0.0."""
    plain = "-s -w"
    text = (module / "go.mod").read_text(encoding="utf-8")
    found = re.search(r"^\s*k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)$", text, re.MULTILINE)
    if found is None:
        return plain
    facts = {"gitVersion": found[1], "gitMajor": found[2], "gitMinor": found[3]}
    return " ".join([plain, *(f"-X {_VERSION}.{key}={value}" for key, value in facts.items())])
