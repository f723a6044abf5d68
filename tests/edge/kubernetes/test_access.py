"""Kubeconfigs as kubectl reads them, a pod's own account, and what is said of broken ones."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmdbenchd.edge.kubernetes.access import Access
from llmdbenchd.edge.kubernetes.login import read_way
from llmdbenchd.edge.kubernetes.way import Plugin, Spoken, TokenFile
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import kubeconfig

URL = "https://10.0.0.1:6443"


def _write(file: Path, text: str) -> Access:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return Access(file)


def _access(
    folder: Path,
    *,
    user: Mapping[str, object] | None = None,
    cluster: Mapping[str, object] | None = None,
) -> Access:
    """A kubeconfig in the folder, with this user, and more of the cluster."""
    return _write(folder / "config", kubeconfig(URL, user=user, cluster=cluster))


def test_a_kubeconfig_says_where_as_whom_and_in_which_namespace(tmp_path: Path) -> None:
    cluster = {"tls-server-name": "api.lab", "proxy-url": "http://proxy:3128"}
    way = read_way(_access(tmp_path, cluster=cluster))

    assert way.server.url == URL
    assert (way.server.tls_name, way.server.proxy) == ("api.lab", "http://proxy:3128")
    assert way.server.namespace == "bench"
    assert way.server.source == f"context `scripted` of {tmp_path / 'config'}"
    assert way.proof == Spoken("Bearer t1")


def test_no_secret_is_in_the_words_for_it(tmp_path: Path) -> None:
    way = read_way(_access(tmp_path, user={"token": "hush"}))

    assert "hush" not in repr(way)


@pytest.mark.parametrize("written", ["in the file", "beside it"])
def test_certificates_are_in_the_file_or_beside_it(tmp_path: Path, written: str) -> None:
    user: dict[str, object] = {}
    for name in ("client-certificate", "client-key"):
        (tmp_path / name).write_text(f"pem of {name}")
        data = base64.b64encode(f"pem of {name}".encode()).decode()
        user |= {f"{name}-data": data} if written == "in the file" else {name: name}
    material = read_way(_access(tmp_path, user=user)).material

    assert material.certificate == b"pem of client-certificate"
    assert material.key == b"pem of client-key"
    assert material.verified


def test_a_token_file_comes_before_a_token_and_lies_beside_the_kubeconfig(tmp_path: Path) -> None:
    way = read_way(_access(tmp_path, user={"tokenFile": "t", "token": "old"}))

    assert way.proof == TokenFile(tmp_path / "t")


def test_a_name_and_a_password_are_spoken_as_basic(tmp_path: Path) -> None:
    way = read_way(_access(tmp_path, user={"username": "a", "password": "b"}))

    assert way.proof == Spoken("Basic YTpi")


def test_a_login_program_gets_what_it_asks_for(tmp_path: Path) -> None:
    plugin = {
        "command": "bin/login",
        "apiVersion": "client.authentication.k8s.io/v1",
        "args": ["get"],
        "env": [{"name": "REGION", "value": "here"}],
        "provideClusterInfo": True,
    }
    notes = [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "lab"}}]
    access = _access(tmp_path, user={"exec": plugin}, cluster={"extensions": notes})
    proof = read_way(Access(access.kubeconfig, environment={"PATH": "/bin"})).proof

    assert isinstance(proof, Plugin)
    assert proof.command == str(tmp_path / "bin/login")
    assert proof.environment == {"PATH": "/bin", "REGION": "here"}
    assert proof.cluster == {"server": URL, "config": {"audience": "lab"}}


def test_of_several_files_the_first_to_say_something_wins(tmp_path: Path) -> None:
    first = _config({"current-context": "a", "contexts": [_context("a", "mine")]})
    second = yaml.safe_load(kubeconfig(URL))
    second["contexts"] = [_context("a", "other"), _context("b", "third")]
    second["current-context"] = "b"
    _write(tmp_path / "1", first)
    _write(tmp_path / "2", yaml.safe_dump(second))
    environment = {"KUBECONFIG": f"{tmp_path}/none:{tmp_path}/1:{tmp_path}/2"}

    assert read_way(Access(environment=environment)).server.namespace == "mine"
    assert read_way(Access(context="b", environment=environment)).server.namespace == "third"


def test_the_file_at_home_is_the_last_that_is_looked_for(tmp_path: Path) -> None:
    _write(tmp_path / ".kube" / "config", kubeconfig(URL))
    home = {"HOME": str(tmp_path)}

    assert read_way(Access(environment=home)).server.url == URL
    assert read_way(Access(Path("~/.kube/config"), environment=home)).server.url == URL
    with pytest.raises(Refused, match="looked at /none"):
        read_way(Access(environment={**home, "KUBECONFIG": "/none"}))


@pytest.fixture
def inside(tmp_path: Path) -> Access:
    """What a pod sees."""
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text(f"the {name}\n")
    (tmp_path / "namespace").write_text("pods-own")
    environment = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    return Access(environment=environment, service_account=tmp_path)


def test_a_pod_has_its_own_account(inside: Access) -> None:
    way = read_way(inside)

    assert (way.server.url, way.server.namespace) == ("https://10.96.0.1:443", "pods-own")
    assert way.material.authorities == b"the ca.crt\n"
    assert way.proof == TokenFile(inside.service_account / "token")


def test_a_kubeconfig_comes_before_the_pods_own_account(inside: Access, tmp_path: Path) -> None:
    _write(tmp_path / ".kube" / "config", kubeconfig(URL))
    environment = {**inside.environment, "HOME": str(tmp_path)}
    way = read_way(Access(environment=environment, service_account=inside.service_account))

    assert way.server.url == URL


def test_an_address_of_ipv6_is_put_in_brackets(inside: Access) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    way = read_way(Access(environment=environment, service_account=inside.service_account))

    assert way.server.url == "https://[fd00::1]:6443"


def test_with_no_way_at_all_it_says_where_it_looked() -> None:
    with pytest.raises(Refused, match=r"looked at /home/x/.kube/config; set `kubeconfig`"):
        read_way(Access(environment={"HOME": "/home/x"}))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: b: c", "line 1 is not YAML"),
        ("[1, 2]", "this is no kubeconfig"),
        ("clusters: 5", r"this is no kubeconfig: .*clusters"),
        ("", "no current-context; set `context` to nothing"),
        ("current-context: x", "no context `x`; there is nothing"),
        (
            "contexts: [{name: a, context: {cluster: c}}]",
            "no current-context; set `context` to `a`",
        ),
        (
            "{current-context: a, contexts: [{name: a, context: {cluster: c}}]}",
            "context `a` names the cluster `c`, which is not there",
        ),
    ],
)
def test_a_broken_file_is_named_and_what_is_wrong(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(Refused, match=f"{tmp_path}/config: {complaint}"):
        read_way(_write(tmp_path / "config", text))


def test_a_user_who_is_not_there_is_named(tmp_path: Path) -> None:
    lost: dict[str, Any] = yaml.safe_load(kubeconfig(URL)) | {"users": None}
    with pytest.raises(Refused, match="names the user `tester`, who is not there"):
        read_way(_write(tmp_path / "config", yaml.safe_dump(lost)))


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"cluster": {"server": "10.0.0.1"}}, "`server` must be an http"),
        ({"cluster": {"proxy-url": "socks5://x"}}, "only HTTP proxies"),
        ({"cluster": {"certificate-authority-data": "%%%"}}, "authority-data is not base64"),
        ({"user": {"as": "root"}}, "`as` .* is not supported"),
        ({"user": {"auth-provider": {"name": "oidc"}}}, "auth-provider is not supported"),
        ({"user": {"client-key-data": "eA=="}}, "go together"),
        (
            {"user": {"exec": {"command": "x", "apiVersion": "v", "interactiveMode": "Always"}}},
            "wants a terminal",
        ),
    ],
)
def test_what_is_not_supported_is_refused_and_not_passed_over(
    tmp_path: Path, parts: Mapping[str, Mapping[str, object]], complaint: str
) -> None:
    with pytest.raises(Refused, match=complaint):
        read_way(_access(tmp_path, **parts))


def test_a_certificate_that_is_missing_may_come(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"/ca.crt: cannot be read: No such file"):
        read_way(_access(tmp_path, cluster={"certificate-authority": "ca.crt"}))


def _config(parts: Mapping[str, object]) -> str:
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **parts})


def _context(name: str, namespace: str) -> Mapping[str, object]:
    return {
        "name": name,
        "context": {"cluster": "scripted", "user": "tester", "namespace": namespace},
    }
