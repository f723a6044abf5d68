"""TLS contexts: made in a thread, once for the same material, with no key on the disk."""

import os
import ssl

from llmdbenchd.edge.kubernetes.way import Material
from llmdbenchd.ports import Refused

Trust = ssl.SSLContext | bool


def context(material: Material, *, source: str) -> ssl.SSLContext:
    """Make one. Takes up to 30 ms: call it in a thread.

    Args:
        material: what it is made of.
        source: where that came from, for the message.

    Raises:
        Refused: something in it is no certificate or key.
    """
    try:
        made = _trusting(material)
        if material.certificate is not None and material.key is not None:
            _add_ours(made, material.certificate, material.key)
    except (ssl.SSLError, ValueError) as error:
        raise Refused(f"{source}: a certificate or key in it cannot be used: {error}") from error
    return made


def _trusting(material: Material) -> ssl.SSLContext:
    authorities = material.authorities
    if authorities is None:
        made = ssl.create_default_context()
    else:
        made = ssl.create_default_context(cadata=authorities.decode("ascii", "replace"))
    # Python 3.13 is stricter by default than kubectl, and than many a cluster's own authority.
    made.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not material.verified:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def _add_ours(made: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """OpenSSL's interface wants a path; a file in memory has one, and dies with us."""
    file = os.memfd_create("client", os.MFD_CLOEXEC)
    try:
        os.write(file, certificate + b"\n" + key)
        made.load_cert_chain(f"/proc/self/fd/{file}", password=_no_password)
    finally:
        os.close(file)


def _no_password() -> str:
    raise ValueError("the key is encrypted, and there is nobody to ask for its password")
