"""The test cluster's commands: `python -m tests.cluster up`."""

import argparse
import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.cluster import components, lifecycle, places, supervisor
from tests.cluster.images import archive, recipes
from tests.cluster.layout import Layout, Settings
from tests.cluster.trouble import Trouble

_GOOD, _NO, _WRONG = 0, 1, 3


def main() -> int:
    """Do what the words say.

    Returns:
        0 good, 1 the answer is no, 2 wrong usage, 3 it could not be done (the reason is told).
    """
    args = _parser().parse_args()
    layout = Layout(args.state.absolute())
    try:
        code: int = args.run(args, layout)
    except Trouble as error:
        sys.stderr.write(f"tests.cluster: {error}\n")
        return _WRONG
    return code


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description="A real one-node Kubernetes cluster in namespaces of its own, as root.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    up = _command(commands, "up", _up, "build what is missing, start, wait until pods can be made")
    defaults = {field: Settings.__dataclass_fields__[field].default for field in _LOG_OPTIONS}
    for field, value in defaults.items():
        up.add_argument(f"--{field.replace('_', '-')}", default=value, help="%(default)s")
    up.add_argument("--fresh", action="store_true", help="forget an earlier start's objects")
    up.add_argument(
        "--measured", action="store_true", help="for figures: an audit log, and no CPU limits"
    )
    down = _command(commands, "down", _down, "end it; its state stays for the next `up`")
    down.add_argument("--purge", action="store_true", help="remove the state folder as well")
    _command(commands, "status", _status, "say whether it is up, and who runs; 1 if it is down")
    _command(commands, "kubeconfig", _kubeconfig, "print the administrator's kubeconfig's path")
    images = _command(commands, "images", _images, "make the images, print their names")
    images.add_argument("--into", type=Path, metavar="DIR", help="write an archive of each")
    _command(commands, "supervise", _supervise, argparse.SUPPRESS)
    execute = _command(commands, "exec", _exec, "run a command inside the cluster's namespaces")
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    for name, run, text in (
        ("kill", _kill, "signal a component; if it ends, it is started again after a second"),
        ("hold", _hold, "do not start a component again when it ends"),
        ("release", _release, "start it again, as usual"),
    ):
        asked = _command(commands, name, run, text)
        asked.add_argument("component", choices=components.NAMES, metavar="COMPONENT")
        if name == "kill":
            asked.add_argument("signal", nargs="?", default="SIGKILL", type=_signal)
    return parser


_LOG_OPTIONS = ("log_max_size", "log_interval")
Run = Callable[[argparse.Namespace, Layout], int]


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Run, text: str
) -> argparse.ArgumentParser:
    found = commands.add_parser(name, help=text)
    found.add_argument(
        "--state",
        type=Path,
        default=places.state(),
        metavar="DIR",
        help="where the cluster keeps everything (%(default)s)",
    )
    found.set_defaults(run=run)
    return found


def _signal(text: str) -> signal.Signals:
    name = text.upper()
    try:
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
    except KeyError as error:
        raise argparse.ArgumentTypeError(f"no signal {text!r}") from error


def _up(args: argparse.Namespace, layout: Layout) -> int:
    lifecycle.up(
        layout,
        _say,
        fresh=args.fresh,
        log_max_size=args.log_max_size,
        log_interval=args.log_interval,
        measured=args.measured,
    )
    return _GOOD


def _down(args: argparse.Namespace, layout: Layout) -> int:
    lifecycle.down(layout, purge=args.purge)
    return _GOOD


def _status(_: argparse.Namespace, layout: Layout) -> int:
    if not lifecycle.is_up(layout):
        _say(f"down ({layout.state})")
        return _NO
    _say(f"up ({layout.state})")
    for name in components.NAMES:
        held = "held" if layout.hold_file(name).exists() else ""
        _say(f"  {name:<24} {'runs' if layout.pid_file(name).exists() else 'ended':<6} {held}")
    return _GOOD


def _kubeconfig(_: argparse.Namespace, layout: Layout) -> int:
    _say(str(layout.kubeconfig()))
    return _GOOD


def _images(args: argparse.Namespace, _: Layout) -> int:
    for image in recipes.build_all():
        _say(image.name)
        if args.into:
            args.into.mkdir(parents=True, exist_ok=True)
            short = image.name.rpartition("/")[2].partition(":")[0]
            with (args.into / f"{short}.tar").open("wb") as file:
                archive.write(image, file)
    return _GOOD


def _supervise(_: argparse.Namespace, layout: Layout) -> int:
    supervisor.supervise(layout)
    return _GOOD


def _exec(args: argparse.Namespace, layout: Layout) -> int:
    words = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not words:
        raise Trouble("exec: what is to be run? `exec -- COMMAND`")
    lifecycle.execute(layout, words)
    return _GOOD


def _kill(args: argparse.Namespace, layout: Layout) -> int:
    pid = layout.pid_file(args.component)
    if not pid.exists():
        raise Trouble(f"{args.component} does not run")
    words = ("kill", f"-{args.signal.value}", pid.read_text(encoding="utf-8").strip())
    return subprocess.run((*lifecycle.inside(layout), *words), check=False).returncode


def _hold(args: argparse.Namespace, layout: Layout) -> int:
    layout.hold_file(args.component).touch()
    return _GOOD


def _release(args: argparse.Namespace, layout: Layout) -> int:
    layout.hold_file(args.component).unlink(missing_ok=True)
    return _GOOD


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        sys.exit(main())
