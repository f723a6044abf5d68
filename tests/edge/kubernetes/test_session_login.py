"""Logging in for real: programs, files that change, and certificates on both sides."""

import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from aiohttp import web

from llmdbenchd.edge.kubernetes import plugin
from llmdbenchd.edge.kubernetes.errors import Unauthorized
from llmdbenchd.edge.kubernetes.session import Access, Session
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import Handler, ScriptedApi, failure, kubeconfig
from tests.fakes.faults import BAD_GATEWAY, FaultProxy

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

VERSION = "client.authentication.k8s.io/v1"
ANYTHING = "/{path...}"
CREDENTIAL = '{"apiVersion": "%s", "kind": "ExecCredential", "status": {"token": "%s"}}'


def _program(folder: Path, script: str) -> Mapping[str, object]:
    """A user whose login program is this shell script; `$0.d` is a folder of its own."""
    file = folder / "login"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {"exec": {"command": str(file), "apiVersion": VERSION, "installHint": "buy it"}}


def _only(*tokens: str) -> Handler:
    """A handler that lets only these in."""

    async def handler(request: web.Request) -> web.StreamResponse:
        known = request.headers["Authorization"].removeprefix("Bearer ")
        return web.Response(text=known) if known in tokens else failure(401)

    return handler


async def test_a_program_logs_us_in(api: ScriptedApi, tmp_path: Path) -> None:
    api.give("GET", ANYTHING, "ok")
    user = _program(tmp_path, f"echo '{CREDENTIAL % (VERSION, 'from-it')}'")
    session = await api.session(user=user)
    await session.ask("GET", "/version")
    await session.ask("GET", "/version")

    assert [one.headers["Authorization"] for one in api.requests] == ["Bearer from-it"] * 2


async def test_a_program_is_asked_in_its_protocol_and_without_a_terminal(
    api: ScriptedApi, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    script = f"echo \"$KUBERNETES_EXEC_INFO\" > {said}\ncat\necho '{CREDENTIAL % (VERSION, 't')}'"
    await api.session(user=_program(tmp_path, script))

    assert said.read_text().strip() == (
        f'{{"apiVersion":"{VERSION}","kind":"ExecCredential","spec":{{"interactive":false}}}}'
    )


async def test_after_a_refusal_the_program_is_asked_once_more(
    api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmdbenchd.edge.kubernetes.credentials._AGAIN_S", 0)
    count = tmp_path / "count"
    script = f"echo x >> {count}\nn=$(wc -l < {count})\nprintf '{CREDENTIAL % (VERSION, 't%s')}' $n"
    session = await api.session(user=_program(tmp_path, script))
    api.on("GET", ANYTHING, _only("t2"))

    assert await session.ask("GET", "/version") == b"t2"
    api.on("GET", ANYTHING, _only())
    with pytest.raises(Unauthorized):
        await session.ask("GET", "/version")
    assert count.read_text() == "x\n" * 3


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo no login today >&2; exit 3", "exit code 3 and said: no login today"),
        ("echo hello", "gave no credential that can be read"),
        (
            f"echo '{CREDENTIAL % ('v9', 't')}'",
            "speaks v9, and the kubeconfig asks for client.auth",
        ),
        (f"echo '{CREDENTIAL % (VERSION, '')}'", "neither a token nor a certificate"),
        ("sleep 60", "did not answer within"),
    ],
)
async def test_a_program_that_fails_is_named_with_its_words(
    api: ScriptedApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    complaint: str,
) -> None:
    monkeypatch.setattr(plugin, "_WAIT_S", 0.5)
    with pytest.raises(Unavailable, match=rf"login program `.*/login` .*{complaint}"):
        await api.session(user=_program(tmp_path, script))


async def test_a_program_that_is_not_there_is_named_with_how_to_get_it(api: ScriptedApi) -> None:
    user = {"exec": {"command": "no-such", "apiVersion": VERSION, "installHint": "buy it"}}
    with pytest.raises(Unavailable, match=r"`no-such` is not installed .* buy it"):
        await api.session(user=user)


async def test_a_token_file_is_read_again_when_the_token_is_refused(
    api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmdbenchd.edge.kubernetes.credentials._AGAIN_S", 0)
    file = tmp_path / "token"
    file.write_text("old\n")
    session = await api.session(user={"tokenFile": str(file)})
    api.on("GET", ANYTHING, _only("new"))
    file.write_text("new\n")

    assert await session.ask("GET", "/version") == b"new"
    async with session.stream("/version", pool="logs") as stream:
        assert await stream.read() == b"new"


async def test_a_daemon_does_not_follow_a_kubeconfig_to_another_cluster(
    api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmdbenchd.edge.kubernetes.credentials._AGAIN_S", 0)
    file = tmp_path / "config"
    file.write_text(kubeconfig(api.url))
    api.give("GET", ANYTHING, failure(401))
    async with await Session.open(Access(file)) as session:
        file.write_text(kubeconfig("http://127.0.0.1:9"))
        with pytest.raises(Unavailable, match=r"now leads to http://127.0.0.1:9"):
            await session.ask("GET", "/version")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates of an authority, a server and a client."""
    folder = tmp_path_factory.mktemp("authority")
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-nodes", "-days", "2"]
    for name, subject, more in (
        ("ca", "/CN=authority", []),
        ("server", "/CN=api.lab", ["-addext", "subjectAltName=DNS:api.lab"]),
        ("client", "/CN=tester", []),
    ):
        signed = [] if name == "ca" else ["-CA", "ca.crt", "-CAkey", "ca.key"]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", subject]
        command = [*new, *files, *more, *signed]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
async def guarded(api: ScriptedApi, authority: Path) -> AsyncIterator[FaultProxy]:
    """The scripted server behind TLS, which asks for a certificate of our authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority / "ca.crt")
    context.load_cert_chain(authority / "server.crt", authority / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    port = int(api.url.rpartition(":")[2])
    api.give("GET", ANYTHING, "ok")
    async with FaultProxy("127.0.0.1", port, certificate=context) as proxy:
        yield proxy


def _tls(
    authority: Path,
    url: str,
    *,
    certificate: str = "client",
    user: Mapping[str, object] | None = None,
    cluster: Mapping[str, object] | None = None,
) -> Access:
    """A kubeconfig with certificates of the authority; `cluster` changes what is trusted."""
    user = user or {
        "client-certificate": f"{certificate}.crt",
        "client-key": f"{certificate}.key",
    }
    trusted: dict[str, object] = {"certificate-authority": "ca.crt", "tls-server-name": "api.lab"}
    trusted |= cluster or {}
    file = authority / "config"
    file.write_text(kubeconfig(url, user=user, cluster=trusted))
    return Access(file)


async def test_certificates_prove_both_sides(guarded: FaultProxy, authority: Path) -> None:
    async with await Session.open(_tls(authority, guarded.url)) as session:
        assert await session.ask("GET", "/version") == b"ok"
        async with session.stream("/version", pool="watch") as stream:
            assert await stream.read() == b"ok"


async def test_a_program_may_give_a_certificate(
    guarded: FaultProxy, authority: Path, tmp_path: Path
) -> None:
    status = {
        "clientCertificateData": (authority / "client.crt").read_text(),
        "clientKeyData": (authority / "client.key").read_text(),
        "expirationTimestamp": "2126-01-01T00:00:00Z",
    }
    credential = {"apiVersion": VERSION, "kind": "ExecCredential", "status": status}
    (tmp_path / "said").write_text(json.dumps(credential))
    access = _tls(authority, guarded.url, user=_program(tmp_path, f"cat {tmp_path / 'said'}"))
    async with await Session.open(access) as session:
        assert await session.ask("GET", "/version") == b"ok"


async def test_a_server_of_another_name_is_not_trusted(
    guarded: FaultProxy, authority: Path
) -> None:
    access = _tls(authority, guarded.url, cluster={"tls-server-name": "other.lab"})
    async with await Session.open(access) as session:
        with pytest.raises(Unavailable, match=r"certificate is not trusted.*tls-server-name"):
            await session.ask("GET", "/version")


async def test_a_server_that_need_not_prove_itself_is_taken_as_it_is(
    guarded: FaultProxy, authority: Path
) -> None:
    unproven = {
        "insecure-skip-tls-verify": True,
        "certificate-authority": "",
        "tls-server-name": "",
    }
    access = _tls(authority, guarded.url, cluster=unproven)
    async with await Session.open(access) as session:
        assert await session.ask("GET", "/version") == b"ok"


async def test_a_key_that_does_not_fit_its_certificate_is_said(authority: Path) -> None:
    shutil.copy(authority / "client.crt", authority / "odd.crt")
    shutil.copy(authority / "server.key", authority / "odd.key")
    access = _tls(authority, "https://127.0.0.1:9", certificate="odd")
    with pytest.raises(
        Refused, match=r"context `scripted` .* certificate or key .* cannot be used"
    ):
        await Session.open(access)


async def test_a_frozen_handshake_is_given_up(guarded: FaultProxy, authority: Path) -> None:
    async with FaultProxy("127.0.0.1", guarded.port) as frozen:
        frozen.freeze()
        access = _tls(authority, f"https://127.0.0.1:{frozen.port}")
        async with await Session.open(access) as session:
            with pytest.raises(Unavailable, match=r"no answer in time"):
                async with session.stream("/version", pool="logs", connect_s=0.2):
                    pytest.fail("a frozen server shook hands")


async def test_a_page_in_the_place_of_a_tls_server_is_a_sentence(
    guarded: FaultProxy, authority: Path
) -> None:
    guarded.faults.answer = BAD_GATEWAY
    async with await Session.open(_tls(authority, guarded.url)) as session:
        with pytest.raises(Unavailable, match=r"502 Bad Gateway"):
            await session.ask("GET", "/version")
