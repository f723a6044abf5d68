"""The test cluster's images: which layers each has, and when a layer is the same as before.

A layer lies in the cache under a name with the fingerprint of what it is made from, and is
made once; an image is a list of layers, and its archive is written when somebody reads it.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import places
from tests.cluster.images import archive, packages, tree
from tests.cluster.layout import PAUSE

BUSYBOX = "llmdbenchd.test/busybox:1"
PYTHON = "llmdbenchd.test/python:1"
LAUNCHER = "llmdbenchd.test/launcher:1"
SIMULATOR = "llmdbenchd.test/simulator:1"
LIGHT = "llmdbenchd.test/light:1"  # the fake harness, where fifty real ones would measure two cores
_FORGOTTEN_AFTER_S = 7 * 24 * 3600
_HERE = Path(__file__).parent
_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass(frozen=True, slots=True)
class _Part:
    """A layer to be: how its tree is filled, and the fingerprint of what that reads."""

    name: str
    key: str
    fill: Callable[[Path], None]


def build_all() -> list[archive.Image]:
    """Every image, its layers made where they are not in the cache yet.

    Raises:
        Trouble: a program or a package that belongs into one is missing.
    """
    python = tree.interpreter(packages.harness_folder() / "bin/python")
    own = tree.interpreter(packages.project_folder() / "bin/python")
    system = _system()
    runtime = _runtime(python)
    launcher = [system, runtime, _harness(python), _tokenizer(own)]
    server = [system, _runtime(own), _dependencies(own), _project(own)]
    return [
        _image(PAUSE, [_pause()], entrypoint=("/pause",)),
        _image(BUSYBOX, [system]),
        _image(PYTHON, [system, runtime]),
        _image(LAUNCHER, launcher),
        _image(LIGHT, [system, runtime, _fake_harness()]),
        _image(SIMULATOR, server),
    ]


def _image(name: str, parts: list[_Part], *, entrypoint: tuple[str, ...] = ()) -> archive.Image:
    layers = [_layer(part) for part in parts]
    return archive.image(name, layers, env=_ENV, entrypoint=entrypoint)


def _layer(part: _Part) -> archive.Layer:
    folder = places.cache() / "cluster" / "layers"
    path = folder / f"{part.name}.{part.key}.tar"
    if found := archive.find(path):
        path.touch()
        return found
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".half-", dir=folder) as scratch:
        root = Path(scratch) / "root"
        root.mkdir()
        part.fill(root)
        archive.pack(root, path)
    _forget_unused(folder)
    made = archive.find(path)
    assert made is not None, "it was just packed"
    return made


def _forget_unused(folder: Path) -> None:
    """Layers that nobody used for a week; another checkout may use others than we do."""
    for path in folder.glob("*.tar"):
        if time.time() - path.stat().st_mtime > _FORGOTTEN_AFTER_S:
            path.unlink(missing_ok=True)


def _pause() -> _Part:
    return _Part("pause", places.fingerprint(_own_sources()), tree.pause)


def _system() -> _Part:
    program = Path(shutil.which("busybox") or "/bin/busybox")
    return _Part("system", places.fingerprint([*_own_sources(), program]), tree.busybox)


def _runtime(python: tree.Interpreter) -> _Part:
    return _Part(
        f"python{python.version}",
        places.fingerprint([*_own_sources(), *_identity(python)]),
        lambda root: tree.python(root, python),
    )


def _harness(python: tree.Interpreter) -> _Part:
    recipe = places.CHECKOUT / "harnesses"
    sources = (recipe / "install.sh", recipe / packages.HARNESS / "requirements.txt")
    return _Part(
        packages.HARNESS,
        places.fingerprint([*_own_sources(), *_identity(python), *sources]),
        lambda root: packages.harness(root, python),
    )


def _fake_harness() -> _Part:
    program = places.CHECKOUT / "tests/programs/inference-perf"

    def fill(root: Path) -> None:
        inside = root / "opt/fake-harness.py"
        wrapper = root / "usr/local/bin/inference-perf"
        for file in (inside, wrapper):
            file.parent.mkdir(parents=True)
        shutil.copyfile(program, inside)
        wrapper.write_text('#!/bin/sh\nexec python3 -IS /opt/fake-harness.py "$@"\n')
        wrapper.chmod(0o755)
        for name in ("workspace", "requests"):  # as the field's image has them
            (root / name).mkdir(mode=0o777)
            (root / name).chmod(0o777)

    recipe = Path(__file__)
    return _Part("fake-harness", places.fingerprint([*_own_sources(), recipe, program]), fill)


def _tokenizer(python: tree.Interpreter) -> _Part:
    sources = sorted((places.CHECKOUT / "llmdbenchd/simulate").glob("*.py"))
    return _Part(
        "tokenizer",
        places.fingerprint([*_own_sources(), *sources]),
        lambda root: packages.tokenizer(root, python),
    )


def _dependencies(python: tree.Interpreter) -> _Part:
    lists = (places.CHECKOUT / "pyproject.toml", places.CHECKOUT / "uv.lock")
    return _Part(
        "dependencies",
        places.fingerprint([*_own_sources(), *_identity(python), *lists]),
        lambda root: packages.dependencies(root, python),
    )


def _project(python: tree.Interpreter) -> _Part:
    return _Part(
        "project",
        places.fingerprint([*_own_sources(), *_identity(python), *packages.project_sources()]),
        lambda root: packages.project(root, python),
    )


def _identity(python: tree.Interpreter) -> tuple[str, ...]:
    status = python.program.stat()
    return (str(python.program), python.version, f"{status.st_size} {os.fspath(python.standard)}")


def _own_sources() -> list[Path]:
    return sorted(path for path in _HERE.glob("*.py") if path.name != "recipes.py")
