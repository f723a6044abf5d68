"""What bash itself makes of a scenario: the judge of our reading."""

import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

HOME = "~"  # with such a home, a `~` that bash expands stays what it is
_TELL = """
for name in "$@"; do
  value=${!name}
  case $value in
    "$TMPDIR"/*) value=$(cat "$value"; printf .); value=${value%.} ;;
  esac
  printf '%s=%s\\0' "$name" "$value"
done
"""


def values(text: str, names: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """The variables after bash has run the text; of a temporary file, what is in it."""
    with tempfile.TemporaryDirectory(prefix="scenario-") as folder:
        script = Path(folder) / "scenario.sh"
        script.write_bytes(text.encode())
        command = ["bash", "--norc", "-c", f'source "$0" || exit\n{_TELL}', str(script), *names]
        environment = {"PATH": "/usr/bin:/bin", "HOME": HOME, "TMPDIR": folder, **given}
        environment["LC_ALL"] = "C.UTF-8"
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert done.stderr == b""
    told = done.stdout.decode().split("\0")[:-1]
    return dict(one.split("=", 1) for one in told)
