"""The test cluster's identities: a throw-away authority, certificates and tokens for each state."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.layout import NODE
from tests.cluster.trouble import Trouble

_USERS = {  # file of the kubeconfig: user, group
    "kcm": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "proxy": ("system:kube-proxy", ""),
    "admin": ("test-admin", "system:masters"),
}
_DAYS = "3650"
_SERVER_NAMES = (
    *("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"),
    "kubernetes.default.svc.cluster.local",
)


def make(pki: Path, *, addresses: tuple[str, ...]) -> None:
    """Make all certificates and keys in `pki`, unless they are there.

    Args:
        pki: the folder.
        addresses: where the API server is reached.

    Raises:
        Trouble: openssl failed.
    """
    if (pki / "made").exists():
        return
    pki.mkdir(parents=True, exist_ok=True)
    with _private_files():
        _authority(pki)
        names = [f"DNS:{name}" for name in _SERVER_NAMES] + [f"IP:{ip}" for ip in addresses]
        server = f"extendedKeyUsage=serverAuth\nsubjectAltName={','.join(names)}\n"
        client = "extendedKeyUsage=clientAuth\n"
        _sign(pki, "apiserver", "/CN=kube-apiserver", server)
        _sign(pki, "apiserver-kubelet", "/O=system:masters/CN=apiserver-kubelet", client)
        _sign(pki, "admin", "/O=system:masters/CN=test-admin", client)
        _openssl(pki, "genrsa", "-out", "sa.key", "2048")
        _openssl(pki, "rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")
        _tokens(pki / "tokens.csv")
    (pki / "made").touch()


def tokens(pki: Path) -> dict[str, str]:
    """The token of each user, by the name of its kubeconfig."""
    lines = (pki / "tokens.csv").read_text(encoding="utf-8").splitlines()
    return {name: line.split(",")[0] for name, line in zip(_USERS, lines, strict=True)}


def _tokens(path: Path) -> None:
    lines = [
        f'{secrets.token_hex(16)},{user},{user},"{group}"\n' for user, group in _USERS.values()
    ]
    path.write_text("".join(lines), encoding="utf-8")


def _authority(pki: Path) -> None:
    _key(pki, "ca")
    subject = ("-subj", "/CN=test-ca", "-days", _DAYS, "-out", "ca.crt")
    basic = ("-addext", "basicConstraints=critical,CA:TRUE")
    usage = ("-addext", "keyUsage=critical,keyCertSign,digitalSignature")
    _openssl(pki, "req", "-x509", "-new", "-key", "ca.key", *subject, *basic, *usage)


def _sign(pki: Path, name: str, subject: str, extensions: str) -> None:
    _key(pki, name)
    request, extra = pki / f"{name}.csr", pki / f"{name}.ext"
    _openssl(pki, "req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", request.name)
    extra.write_text(extensions, encoding="utf-8")
    authority = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", _DAYS)
    result = ("-extfile", extra.name, "-out", f"{name}.crt")
    _openssl(pki, "x509", "-req", "-in", request.name, *authority, *result)
    request.unlink()
    extra.unlink()


def _key(pki: Path, name: str) -> None:
    _openssl(pki, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")


def _openssl(pki: Path, *words: str) -> None:
    done = subprocess.run(("openssl", *words), cwd=pki, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Trouble(f"openssl {words[0]} failed: {done.stderr.strip()}")


@contextmanager
def _private_files() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
