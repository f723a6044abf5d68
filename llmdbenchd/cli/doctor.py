"""`llmdbenchd doctor`: what would keep the daemon from working here, each with its remedy.

Nothing is made or changed. What cannot be looked at is said to be so, never guessed.
"""

import argparse
import importlib.metadata
import json
import os
import resource
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile

from asyncinotify import Inotify, Mask

from llmdbenchd.cli.doctor_cluster import Namespaces, cluster
from llmdbenchd.cli.finding import Finding, Verdict
from llmdbenchd.core.workload.errors import WorkloadError
from llmdbenchd.edge.files.profiles import Profiles
from llmdbenchd.edge.systemd import Notifier
from llmdbenchd.ports import Refused
from llmdbenchd.settings import Loaded, Settings, load, process_environment

_GOOD, _NO, _UNKNOWN = 0, 1, 3
_PYTHON = (3, 11)
_CONVERTER = ("llmd-benchmark-report", "0.2.1")
_SPARE_FILES = 1024  # open files beside the logs: connections, transfers, launchers being made
_FEW_INODES = 10_000

# Where locks, renames and notices of the kernel do not hold what they promise.
_REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"})
_FORGETFUL = frozenset({"tmpfs", "ramfs"})
# Folders between which files are renamed, so that they must share a filesystem.
_INSIDE = {
    "queue": (".taken", "rejected", "control"),
    "state": ("jobs", "live"),
    "archive": (".incoming",),
}


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="say what would keep the daemon from working here",
        description="Look at settings, folders and this machine and, where launchers go to a "
        "cluster, ask it for every right that the daemon needs.",
        epilog="Exit code: 0 good, 1 something is bad, 3 the cluster could not be asked.",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="judge this file as `serve --config` reads it"
    )
    parser.add_argument(
        "--namespace",
        action="append",
        default=[],
        metavar="NAME",
        help="where launchers go (default: of the settings, and of jobs that are not over)",
    )
    parser.add_argument(
        "--stack-namespace",
        action="append",
        default=[],
        metavar="NAME",
        help="where model servers are looked up, if that is another one (default: of such jobs)",
    )
    parser.add_argument("--json", action="store_true", help="an object: ok, checks")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 when something is bad, else 3 when something could not be asked."""
    environment = process_environment()
    stacks = frozenset(args.stack_namespace)
    asked = Namespaces(frozenset(args.namespace), stacks, recorded=stacks)
    found = findings(load(args.config, environment, cwd=Path.cwd()), environment, asked)
    verdicts = {finding.verdict for finding in found}
    ok = not verdicts & {Verdict.BAD, Verdict.UNKNOWN}
    if args.json:
        print(json.dumps({"ok": ok, "checks": [asdict(finding) for finding in found]}, indent=2))
    else:
        for finding in found:
            print(f"{finding.verdict:4}  {finding.check:11}  {finding.said}")
            if finding.fix:
                print(f"{'':19}-> {finding.fix}")
    if Verdict.BAD in verdicts:
        return _NO
    return _GOOD if ok else _UNKNOWN


def findings(loaded: Loaded, environment: Mapping[str, str], asked: Namespaces) -> list[Finding]:
    """Look at everything, in the order in which a person would mend it."""
    settings = loaded.settings
    found = [*_settings(loaded), _python(sys.version_info[:3])]
    for name in _INSIDE:
        place: Path = getattr(settings, name)
        found += looked(name, folder(name, place, min_free=settings.min_free))
    found += looked("inotify", notices(settings.queue))
    found.append(open_files(settings.max_streams, resource.getrlimit(resource.RLIMIT_NOFILE)))
    found += looked("engine", engine(settings))
    found += looked("cluster", cluster(settings, environment, asked))
    found += [converter(*_CONVERTER), _service_manager(Notifier(environment))]
    return found


def looked(check: str, findings: Iterator[Finding]) -> list[Finding]:
    """What was found until we were not allowed to look further, which is a finding too."""
    found: list[Finding] = []
    try:
        found.extend(findings)
    except OSError as error:
        said = f"could not be looked at: {error.filename}: {error.strerror}"
        found.append(Finding(check, Verdict.WARN, said, "run this as the daemon's user"))
    return found


def _settings(loaded: Loaded) -> Iterator[Finding]:
    for problem in loaded.problems:
        yield Finding("settings", Verdict.BAD, str(problem), "`serve` would end with 78")
    if not loaded.problems:
        given = [name for name, origin in loaded.origins.items() if origin != "default"]
        yield Finding("settings", Verdict.OK, f"given: {', '.join(given) or 'none'}")


def _python(version: tuple[int, ...]) -> Finding:
    said = ".".join(map(str, version))
    if version >= _PYTHON:
        return Finding("python", Verdict.OK, said)
    return Finding("python", Verdict.BAD, said, "install Python 3.11 or newer")


def folder(name: str, path: Path, *, min_free: int) -> Iterator[Finding]:
    """Look at one of the daemon's folders: can it be written, where does it lie, is there room."""
    there = next(one for one in (path, *path.parents) if one.exists())
    yield _writable(name, path, there)
    kind = filesystem(there)
    if kind in _REMOTE:
        fix = f"put `{name}` on a local disk: locks and renames cannot be relied on there"
        yield Finding(name, Verdict.BAD, f"{path} lies on {kind}", fix)
    elif kind in _FORGETFUL and name != "queue":
        fix = f"put `{name}` on a disk"
        yield Finding(name, Verdict.WARN, f"{path} lies on {kind}, gone after a reboot", fix)
    device = there.stat().st_dev
    for inner in (path / inside for inside in _INSIDE[name]):
        if inner.exists() and inner.stat().st_dev != device:
            said = f"{inner} is on another filesystem than {path}"
            yield Finding(
                name, Verdict.BAD, said, "files are renamed between them: keep them on one"
            )
    if name == "queue":
        if there == path and path.stat().st_mode & stat.S_IWOTH:
            said = f"{path}: anybody on this machine may start launchers"
            yield Finding(name, Verdict.WARN, said, f"chmod o-w {path}")
    else:
        yield _room(name, there, min_free)


def _writable(name: str, path: Path, there: Path) -> Finding:
    who = f"for user {os.geteuid()}"
    if not there.is_dir():
        return Finding(name, Verdict.BAD, f"{there} is not a folder", "move it out of the way")
    if there != path:
        if os.access(there, os.W_OK | os.X_OK):
            return Finding(name, Verdict.OK, f"{path} will be made")
        said = f"{path} does not exist, and {there} cannot be written {who}"
        return Finding(name, Verdict.BAD, said, f"make {path}, or set `{name}`")
    try:
        with TemporaryFile(dir=path):  # has no name, so that nobody takes it for a job file
            return Finding(name, Verdict.OK, f"{path} can be written")
    except OSError as error:
        said = f"{path} cannot be written {who}: {error.strerror}"
        return Finding(name, Verdict.BAD, said, "give the daemon's user the right to write there")


def _room(name: str, there: Path, min_free: int) -> Finding:
    space = os.statvfs(there)
    free = space.f_bavail * space.f_frsize
    said = f"{_size(free)} free, at least {_size(min_free)} wanted"
    if free < min_free:
        return Finding(name, Verdict.BAD, said, "free space, or lower `min_free`")
    if space.f_files and space.f_favail < _FEW_INODES:
        return Finding(name, Verdict.WARN, f"{space.f_favail} inodes left", "remove small files")
    return Finding(name, Verdict.OK, said)


def filesystem(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The kind of filesystem that `path` lies on, or `unknown`."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "unknown"
    place, kind, real = Path(), "unknown", path.resolve()
    for before, _, after in (line.partition(" - ") for line in lines):
        point = Path(before.split()[4].replace("\\040", " "))
        if real.is_relative_to(point) and len(point.parts) >= len(
            place.parts
        ):  # the last is on top
            place, kind = point, after.split()[0]
    return kind


def notices(queue: Path) -> Iterator[Finding]:
    """Try to be told by the kernel about a folder."""
    there = next(one for one in (queue, *queue.parents) if one.exists())
    try:
        with Inotify() as inotify:
            inotify.add_watch(there, Mask.CLOSE_WRITE)
    except OSError as error:
        said = f"the kernel gives no notices ({error.strerror}): files wait for the next scan"
        fix = "raise sysctl fs.inotify.max_user_instances and max_user_watches"
        yield Finding("inotify", Verdict.WARN, said, fix)
    else:
        yield Finding("inotify", Verdict.OK, "the kernel gives notices")


def open_files(streams: int, limit: tuple[int, int]) -> Finding:
    """Compare the limits of open files (soft, hard) with what `max_streams` needs."""
    needed, soft = streams + _SPARE_FILES, limit[0]
    said = f"{'unlimited' if soft == resource.RLIM_INFINITY else soft} may be open"
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return Finding("open files", Verdict.OK, said)
    fix = f"ulimit -n {needed} (LimitNOFILE= in a unit), or lower `max_streams`"
    return Finding("open files", Verdict.WARN, f"{said}, {needed} may be needed", fix)


def engine(settings: Settings) -> Iterator[Finding]:
    """Look at what the engine needs: profiles, and locally the harnesses and executables."""
    yield _profiles(settings.profiles)
    if settings.kubeconfig is not None and not os.access(settings.kubeconfig, os.R_OK):
        said = f"{settings.kubeconfig} cannot be read"
        yield Finding("kubeconfig", Verdict.BAD, said, "put it there, or set `kubeconfig`")
    if settings.engine == "kubernetes":
        return
    yield _harnesses(settings)
    if settings.executables is not None:
        yield _executables(settings.executables)


def _profiles(root: Path | None) -> Finding:
    try:
        profiles = Profiles.shipped() if root is None else Profiles(root)
        harnesses = profiles.harnesses()
    except (Refused, WorkloadError) as error:
        return Finding("profiles", Verdict.BAD, str(error), "set `profiles`")
    said = f"{profiles.root}: {', '.join(harnesses) or 'none'}"
    return Finding("profiles", Verdict.OK if harnesses else Verdict.BAD, said)


def _harnesses(settings: Settings) -> Finding:
    bad = Verdict.BAD if settings.engine == "local" else Verdict.WARN
    if settings.harness_venvs is None:
        fix = "set `harness_venvs` to a folder with one virtual environment for each harness"
        return Finding("harnesses", bad, "none: `harness_venvs` is not set", fix)
    found = sorted({path.parts[-3] for path in settings.harness_venvs.glob("*/bin/*")})
    if not found:
        fix = f"python3 -m venv {settings.harness_venvs}/NAME, and install the harness into it"
        return Finding("harnesses", bad, f"none in {settings.harness_venvs}", fix)
    return Finding("harnesses", Verdict.OK, f"{settings.harness_venvs}: {', '.join(found)}")


def _executables(root: Path) -> Finding:
    if not root.is_dir():
        return Finding("executables", Verdict.BAD, f"{root} is no folder", "make it, or unset it")
    if root.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        said = f"others may write to {root}: they choose what the daemon's user runs"
        return Finding("executables", Verdict.BAD, said, f"chmod go-w {root}")
    names = [path.name for path in root.iterdir() if os.access(path, os.X_OK)]
    return Finding("executables", Verdict.OK, f"{root}: {', '.join(sorted(names)) or 'none'}")


def converter(package: str, wanted: str) -> Finding:
    """Look for the report converter `package` in the version whose traps we know."""
    fix = f"pip install {package}=={wanted}"
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return Finding("reports", Verdict.BAD, f"{package} is not installed", fix)
    if version != wanted:
        return Finding("reports", Verdict.WARN, f"{package} {version} is not {wanted}", fix)
    return Finding("reports", Verdict.OK, f"{package} {version}")


def _service_manager(notifier: Notifier) -> Finding:
    if notifier.address is None:
        return Finding("systemd", Verdict.OK, "not started by it (no NOTIFY_SOCKET)")
    watchdog = "no watchdog" if notifier.watchdog_s is None else f"{notifier.watchdog_s:g} s"
    return Finding("systemd", Verdict.OK, f"listens at {notifier.address}, watchdog: {watchdog}")


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
