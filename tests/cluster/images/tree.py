"""What images are made of on this machine: a tiny system, an interpreter, libraries."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.trouble import Trouble

_FOLDERS = ("bin", "etc", "tmp", "proc", "sys", "dev", "root", "var", "run")
_USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
_GROUPS = "root:x:0:\nnogroup:x:65534:\n"
_PAUSE = """
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int number) { _exit(0); }
static void reap(int number) { while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) {
  signal(SIGTERM, end); signal(SIGINT, end); signal(SIGCHLD, reap);
  for (;;) pause();
}
"""
_NOT_IN_IMAGES = ("__pycache__", "test", "tests", "idlelib", "config-*", "ensurepip", "*.a")
_LINKED = re.compile(r"(?:=> )?(/\S+) \(0x")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The CPython that images get.

    Attributes:
        program: the executable itself, not a link to it.
        standard: the folder of its standard library.
        version: such as `3.11`.
    """

    program: Path
    standard: Path
    version: str

    def packages(self, root: Path) -> Path:
        """The folder of installed packages in an image's tree."""
        return root / "usr/local/lib" / f"python{self.version}" / "site-packages"


def interpreter(program: Path) -> Interpreter:
    """Ask a Python, or that of a virtual environment, what it is.

    Raises:
        Trouble: it does not run.
    """
    question = (
        "import os, sys, sysconfig as s; n = f'{sys.version_info[0]}.{sys.version_info[1]}';"
        "b = getattr(sys, '_base_executable', sys.executable);"
        "print(os.path.realpath(b), s.get_path('stdlib'), n, sep='\\n')"
    )
    done = subprocess.run(
        (program, "-I", "-c", question), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Trouble(f"{program} does not run: {done.stderr.strip()}")
    words = done.stdout.splitlines()
    return Interpreter(Path(words[0]), Path(words[1]), words[2])


def pause(root: Path) -> None:
    """The process that holds a pod's namespaces."""
    source = root / "pause.c"
    source.write_text(_PAUSE, encoding="utf-8")
    words = ("cc", "-static", "-Os", "-s", "-o", root / "pause", source)
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(f"cc failed: {done.stderr.strip()}")
    source.unlink()


def busybox(root: Path) -> None:
    """A shell and the usual tools; its wget crashes (a static program cannot look up names)."""
    for name in _FOLDERS:
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    program = Path(shutil.which("busybox") or "/bin/busybox")
    shutil.copy(program, root / "bin/busybox")
    listed = subprocess.run((program, "--list"), capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")
    (root / "etc/passwd").write_text(_USERS, encoding="utf-8")
    (root / "etc/group").write_text(_GROUPS, encoding="utf-8")


def python(root: Path, python: Interpreter) -> None:
    """`/usr/local/bin/python3` with its standard library and what both link."""
    programs = root / "usr/local/bin"
    programs.mkdir(parents=True)
    name = f"python{python.version}"
    shutil.copy(python.program, programs / name)
    for link in ("python3", "python"):
        (programs / link).symlink_to(name)
    library = root / "usr/local/lib" / name
    leave_out = shutil.ignore_patterns(*_NOT_IN_IMAGES, "site-packages", "dist-packages")
    shutil.copytree(python.standard, library, ignore=leave_out, symlinks=True)
    python.packages(root).mkdir()
    (library / "dist-packages").symlink_to("site-packages")  # where Debian's Python looks
    libraries(root, [python.program, *library.rglob("*.so")])
    compiled(python, root, library)


def copied(source: Path, target: Path, *leave_out: str) -> None:
    """Copy installed packages without what only their authors need."""
    patterns = shutil.ignore_patterns(*_NOT_IN_IMAGES, *leave_out)
    shutil.copytree(source, target, ignore=patterns, symlinks=True, dirs_exist_ok=True)


def compiled(python: Interpreter, root: Path, folder: Path, *, but: str = "^$") -> None:
    """Compile modules so that nobody looks at the time of their source, which images lose.

    `but` is a regular expression of paths to leave out.
    """
    mode = ("--invalidation-mode", "unchecked-hash", "-s", root, "-p", "/", "-x", but)
    words = (python.program, "-m", "compileall", "-q", "-j", "0", *mode, folder)
    subprocess.run(words, capture_output=True, check=False)  # some are templates, not modules


def libraries(root: Path, programs: Iterable[Path]) -> None:
    """Copy the shared libraries that programs link and the tree has not, to where they lie."""
    for path in sorted(set(_linked(programs))):
        target = root / path.relative_to("/")
        if not target.exists() and not path.is_relative_to(root):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def _linked(programs: Iterable[Path]) -> Iterator[Path]:
    words = ("ldd", *(str(path) for path in programs))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if found := _LINKED.search(line):
            yield Path(found[1])
