"""The room of targets: URLs, and the Services that they mean."""

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from llmdbenchd.core.target.asked import Door
from llmdbenchd.core.target.objects import Service, ServicePort

HTTPS_PORT = 443
_THIS_MACHINE = "127.0.0.1"
_ALIASES = frozenset({"localhost", "::1"})
_PREFERRED = ("default", "http")
_SHORT = 2  # words of name.namespace; the long form goes on with svc and the domain


def url_of(scheme: str, host: str, port: int, path: str = "") -> str:
    """The URL, its port always written out, as in the field."""
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}{path}"


def address_of(endpoint: str) -> str:
    """What two URLs of one target have in common: host, port and path."""
    parts = urlsplit(endpoint)
    host = _THIS_MACHINE if parts.hostname in _ALIASES else parts.hostname
    return f"{host}:{port_of(parts)}{_base(parts.path)}"


def port_of(parts: SplitResult) -> int:
    """The port of a URL, written or not."""
    return parts.port or (HTTPS_PORT if parts.scheme == "https" else 80)


def models_path(endpoint: str) -> str:
    """The path of a URL before `/v1`, without a slash at its end."""
    return _base(urlsplit(endpoint).path)


def _base(path: str) -> str:
    """A URL may be given with or without the API's own `/v1`."""
    return path.rstrip("/").removesuffix("/v1")


def named_service(endpoint: str, namespace: str) -> tuple[str, str] | None:
    """Namespace and name of the Service that a URL may mean by its name in the cluster.

    Args:
        endpoint: the URL.
        namespace: of a short name, which is where launchers are.
    """
    host = (urlsplit(endpoint).hostname or "").rstrip(".")
    words = host.split(".")
    if host in _ALIASES or ":" in host or not all(words) or words[-1].isdecimal():
        return None
    if len(words) <= _SHORT or words[_SHORT] == "svc":
        return (words[1] if len(words) > 1 else namespace), words[0]
    return None


def service_at(host: str, services: Iterable[Service], namespace: str) -> Service | None:
    """The Service of the namespace that answers at a host name or address, or None."""
    named = named_service(url_of("http", host, 80), namespace)
    for one in services:
        if host in one.addresses or named == (namespace, one.name):
            return one
    return None


def door_of(service: Service, endpoint: str, namespace: str) -> Door | None:
    """The way to a URL through the Service that it means; None if it has no such port.

    One without an address of its own is asked at the port of its servers.
    """
    parts = urlsplit(endpoint)
    for port in service.spec.ports:
        if port_of(parts) in {port.port, port.target_port}:
            path = models_path(endpoint)
            return Door("services", namespace, service.name, str(port.port), parts.scheme, path)
    return None


def serving_port(service: Service) -> ServicePort | None:
    """The port that serves the API: by its name, its number, or because it is the only one."""
    ports = service.spec.ports
    for name in _PREFERRED:
        if found := [one for one in ports if one.name == name]:
            return found[0]
    if found := [one for one in ports if one.port == 80]:  # noqa: PLR2004 - the one of HTTP
        return found[0]
    if found := [one for one in ports if is_secure(one)]:
        return found[0]
    return ports[0] if len(ports) == 1 else None


def is_secure(port: ServicePort) -> bool:
    """Whether TLS is spoken there."""
    return port.name == "https" or port.app_protocol == "https" or port.port == HTTPS_PORT
