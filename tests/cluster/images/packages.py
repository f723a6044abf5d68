"""Python packages for images: the installed harness, and this project with what it depends on."""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from tests.cluster.images import tree
from tests.cluster.places import CHECKOUT
from tests.cluster.trouble import Trouble

HARNESS = "inference-perf"
TOKENIZERS = "/opt/huggingface"  # HF_HOME of a launcher, with HF_HUB_OFFLINE=1
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)")
_OF_NO_USE = (  # tools of installers, hints for type checkers, Arrow's remote protocol
    *("pip", "pip-*", "setuptools", "setuptools-*", "_distutils_hack", "distutils-*.pth"),
    *("*.pyi", "libarrow_flight*", "libarrow_python_flight*", "_flight.*"),
)


def harness_folder() -> Path:
    """The virtual environment of the real harness, installed by `make` where it is missing.

    Raises:
        Trouble: the installation failed.
    """
    own = os.environ.get("LLMDBENCHD_HARNESS_VENVS")
    folder = (Path(own).absolute() if own else CHECKOUT / ".harness") / HARNESS
    if not (folder / "ready").exists():
        _make(f"LLMDBENCHD_HARNESS_VENVS={folder.parent}", f".harness/{HARNESS}/ready")
    if not (folder / "bin" / HARNESS).exists():
        raise Trouble(f"no {HARNESS} in {folder}: `make .harness/{HARNESS}/ready` installs it")
    return folder


def project_folder() -> Path:
    """The virtual environment of this project, made by `make` where it is missing."""
    folder = CHECKOUT / ".venv"
    if not (folder / "ready").exists():
        _make(".venv/ready")
    return folder


def harness(root: Path, python: tree.Interpreter) -> None:
    """The harness as the field's image has it: in PATH, its packages those of `python3`."""
    venv = harness_folder()
    target = python.packages(root)
    tree.copied(_installed(venv), target, *_OF_NO_USE)
    program = root / "usr/local/bin" / HARNESS
    program.parent.mkdir(parents=True, exist_ok=True)
    _, _, body = (venv / "bin" / HARNESS).read_text(encoding="utf-8").partition("\n")
    program.write_text(f"#!/usr/local/bin/python3\n{body}", encoding="utf-8")
    program.chmod(0o755)
    for name in ("workspace", "requests"):
        (root / name).mkdir()
        (root / name).chmod(0o777)
    tree.libraries(root, target.rglob("*.so*"))
    tree.compiled(python, root, target, but="/transformers/models/")  # hardly any is read


def dependencies(root: Path, python: tree.Interpreter) -> None:
    """Everything that this project needs when it runs."""
    venv, target = project_folder(), python.packages(root)
    installed = {_plain(found.name): found for found in distributions(path=[str(_installed(venv))])}
    for name in _closure(installed):
        _copy(installed[name], _installed(venv), target)
    tree.libraries(root, target.rglob("*.so*"))
    tree.compiled(python, root, target)


def project(root: Path, python: tree.Interpreter) -> None:
    """This project as its wheel has it, and its command."""
    target = python.packages(root)
    tree.copied(CHECKOUT / "llmdbenchd", target / "llmdbenchd")
    profiles = target / "llmdbenchd/workload/profiles"
    tree.copied(CHECKOUT / "workload/profiles", profiles)
    for facts in _installed(project_folder()).glob("llmdbenchd-*.dist-info"):
        shutil.copytree(facts, target / facts.name)
    program = root / "usr/local/bin/llmdbenchd"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(
        "#!/usr/local/bin/python3\nimport sys\nfrom llmdbenchd.cli import main\nsys.exit(main())\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    tree.compiled(python, root, target)


def tokenizer(root: Path, python: tree.Interpreter) -> None:
    """What `HF_HOME` holds after the stand-in server's model was downloaded: no hub is here."""
    del python  # written by this project's own
    program = (
        "import pathlib as p, sys; from llmdbenchd.simulate import hub_cache as h, options as o;"
        "model = o.Options(); h.write_hub_cache(p.Path(sys.argv[1]), model.models,"
        "max_model_len=model.max_model_len)"
    )
    words = (project_folder() / "bin/python", "-c", program, root / TOKENIZERS.lstrip("/"))
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"no tokenizer was written: {done.stderr.strip()}")


def project_sources() -> list[Path]:
    """The files that `project` copies."""
    folders = (CHECKOUT / "llmdbenchd", CHECKOUT / "workload/profiles")
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


def _closure(installed: dict[str, Distribution]) -> Iterator[str]:
    """Names of the project's dependencies and of theirs, extras left out."""
    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        wanted: list[str] = tomllib.load(file)["project"]["dependencies"]
    seen: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        found = _REQUIREMENT.match(requirement)
        name = _plain(found[1]) if found else ""
        if name in installed and name not in seen and "extra ==" not in requirement:
            seen.add(name)
            wanted += installed[name].requires or []
            yield name


def _copy(distribution: Distribution, source: Path, target: Path) -> None:
    for file in distribution.files or []:
        path = Path(str(distribution.locate_file(file))).resolve()
        inside = path.is_relative_to(source) and "__pycache__" not in path.parts
        if inside and path.is_file() and not {"tests", "test"} & set(path.parts):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed(venv: Path) -> Path:
    return next((venv / "lib").glob("python3*")).resolve() / "site-packages"


def _make(*words: str) -> None:
    done = subprocess.run(
        ("make", "-C", CHECKOUT, *words), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Trouble(f"make {' '.join(words)} failed:\n{done.stderr[-2000:]}")
