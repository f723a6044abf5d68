"""What the test cluster needs of the machine: rights, programs, a loaded kernel module."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.cluster.trouble import Trouble

CNI_PLUGINS = Path("/usr/lib/cni")
_PACKAGES = {
    "containerd": ("containerd", "ctr", "containerd-shim-runc-v2"),
    "runc": ("runc",),
    "containernetworking-plugins": (str(CNI_PLUGINS / "bridge"), str(CNI_PLUGINS / "host-local")),
    "busybox-static": ("busybox",),
    "iproute2": ("ip",),
    "openssl": ("openssl",),
    "gcc": ("cc",),
    "libc6-dev": ("/usr/include/signal.h",),
    "nftables": ("nft",),
    "util-linux": ("unshare", "nsenter"),
    "mount": ("mount",),
}
_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def lacks() -> list[str]:
    """Debian packages whose programs are not here."""
    return [name for name, needs in _PACKAGES.items() if not all(map(_is_here, needs))]


def prepare() -> None:
    """Have everything that a cluster needs, installing packages where that is possible.

    Raises:
        Trouble: not root, a package is missing and cannot be installed, no bridge filter.
    """
    if os.geteuid() != 0:
        raise Trouble("the test cluster makes namespaces, mounts and cgroups: run it as root")
    if missing := lacks():
        _install(missing)
    if not _BRIDGE_FILTER.exists():
        subprocess.run(("modprobe", "br_netfilter"), check=False, capture_output=True)
    if not _BRIDGE_FILTER.exists():
        raise Trouble("the kernel module br_netfilter is missing: pods would not reach Services")


def _is_here(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else bool(shutil.which(program))


def _install(packages: list[str]) -> None:
    wanted = " ".join(packages)
    if not shutil.which("apt-get"):
        raise Trouble(f"install what Debian has in these packages: {wanted}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (
        ("apt-get", "update", "-q"),
        ("apt-get", "install", "-qy", "--no-install-recommends", *packages),
    ):
        done = subprocess.run(words, check=False, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Trouble(f"{' '.join(words)} failed: {done.stderr.strip()[-600:]}")
    if missing := lacks():
        raise Trouble(f"installed {wanted}, and still not found: {' '.join(missing)}")
