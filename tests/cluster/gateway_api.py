"""The definitions of the Gateway API's kinds, out of the Go module that its makers publish.

A cluster has them only where somebody put them; ours gets them from the tests that need them.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.trouble import Trouble

MODULE = "sigs.k8s.io/gateway-api@v1.4.0"
SUM = "h1:ZwlNM6zOHq0h3WUX2gfByPs2yAEsy/EenYJB78jpQfQ="
_GROUP = "gateway.networking.k8s.io"
_KINDS = ("gateways", "httproutes")


def folder() -> Path:
    """Where the module's definitions lie; downloaded the first time, then Go has it.

    Raises:
        Trouble: it cannot be had, or is not the one that we know.
    """
    words = ("go", "mod", "download", "-json", MODULE)
    done = subprocess.run(words, cwd="/", check=False, capture_output=True, text=True)
    if done.returncode:
        raise Trouble(f"{' '.join(words)} failed: {done.stderr or done.stdout}")
    told = json.loads(done.stdout)
    if told["Sum"] != SUM:
        raise Trouble(f"{MODULE} has the sum {told['Sum']}, and not {SUM}")
    return Path(told["Dir"], "config", "crd", "standard")


def definitions() -> list[dict[str, Any]]:
    """The CustomResourceDefinitions of Gateways and HTTPRoutes."""
    return [
        yaml.safe_load(Path(folder(), f"{_GROUP}_{kind}.yaml").read_text(encoding="utf-8"))
        for kind in _KINDS
    ]
