"""The old login of Google's clusters, with a program that stands for gcloud."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from llmdbenchd.edge.kubernetes import plugin
from llmdbenchd.ports import Refused, Unavailable
from tests.fakes.api import ScriptedApi

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 - the marker knows no keyword

ANYTHING = "/{path...}"


def _google(folder: Path, script: str, **settings: str) -> Mapping[str, object]:
    file = folder / "gcloud"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    config = {"cmd-path": str(file), "cmd-args": "config 'config helper'", **settings}
    return {"auth-provider": {"name": "gcp", "config": config}}


async def test_gcp_asks_its_program_when_the_written_token_has_ended(
    api: ScriptedApi, tmp_path: Path
) -> None:
    api.give("GET", ANYTHING, "ok")
    credential = {"access_token": "$2", "token_expiry": "2126-01-01T00:00:00Z"}
    said = msgspec.json.encode({"credential": credential}).decode().replace('"', '\\"')
    ended = {"access-token": "old", "expiry": "2020-01-01T00:00:00Z"}
    for settings in ({}, ended):
        session = await api.session(user=_google(tmp_path, f'echo "{said}"', **settings))
        await session.ask("GET", "/version")
    lives = {"access-token": "lives", "expiry": "2126-01-01T00:00:00Z"}
    session = await api.session(user=_google(tmp_path, "exit 3", **lives))
    await session.ask("GET", "/version")

    spoken = [one.headers["Authorization"] for one in api.requests]
    assert spoken == ["Bearer config helper", "Bearer config helper", "Bearer lives"]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [("sleep 60", "did not answer within"), ("echo hello", "no credential that can be read")],
)
async def test_a_program_of_gcp_that_fails_is_named(
    api: ScriptedApi,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    complaint: str,
) -> None:
    monkeypatch.setattr(plugin, "_WAIT_S", 0.5)
    with pytest.raises(Unavailable, match=rf"login program `.*/gcloud` .*{complaint}"):
        await api.session(user=_google(tmp_path, script))


async def test_an_expiry_that_is_no_time_is_refused(api: ScriptedApi, tmp_path: Path) -> None:
    user = _google(tmp_path, "", **{"access-token": "t", "expiry": "soon"})
    with pytest.raises(Refused, match=r"context `scripted` of .*auth-provider gcp"):
        await api.session(user=user)
