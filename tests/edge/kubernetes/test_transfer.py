"""Results through an API server's proxy: each file proven, cuts resumed, nothing half believed."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

import llmdbenchd.payload
from llmdbenchd.edge.kubernetes.access_pod import Door
from llmdbenchd.edge.kubernetes.doors import ByProxy
from llmdbenchd.edge.kubernetes.errors import Forbidden
from llmdbenchd.edge.kubernetes.transfer import INCOMING, SMALL, Transfer
from llmdbenchd.payload import evidence
from llmdbenchd.ports import Copied, Unavailable
from tests.fakes.api import ScriptedApi, failure

pytestmark = pytest.mark.looptime(False)  # noqa: FBT003 -- the marker takes it so
SERVE = Path(llmdbenchd.payload.__file__).parent / "serve.py"
SECRET = "0123456789abcdef"  # noqa: S105 - a test's
FOLDER = "r_1"
LARGE = os.urandom(3 * SMALL)


class Far:
    """Results in a pod: a real serve.py behind a scripted API server's proxy.

    Attributes:
        cut_after: bytes of the next file after which the connection is cut.
        twisted: whether the next file's bytes are wrong.
        forbidden: whether pods/proxy may not be used.
        asked: what was asked of the pod, in order.
    """

    def __init__(self, root: Path, port: int, api: ScriptedApi) -> None:
        self.results = root / FOLDER
        self.port = port
        self.api = api
        self.cut_after: int | None = None
        self.twisted = False
        self.forbidden = False
        self.asked: list[str] = []
        api.on("GET", "/api/v1/namespaces/ns/pods/pod:8080/proxy/{rest...}", self._pass)

    def lie_there(self, files: dict[str, bytes], *, done: bool = True) -> None:
        for path, content in files.items():
            file = self.results / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        if done:
            sha256, _ = evidence.write_manifest(str(self.results))
            evidence.write_done(str(self.results), {"manifest_sha256": sha256})

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if self.forbidden:
            return failure(403, 'pods "pod" is forbidden')
        where = request.raw_path.partition("/proxy/")[2]
        self.asked.append(where.partition("/")[2])
        headers = {"Range": request.headers["Range"]} if "Range" in request.headers else {}
        async with (
            aiohttp.ClientSession(auto_decompress=False) as client,
            client.get(f"http://127.0.0.1:{self.port}/{where}", headers=headers) as answer,
        ):
            body = await answer.read()
            passed = web.StreamResponse(
                status=answer.status, headers={"Content-Length": str(len(body))}
            )
            await passed.prepare(request)
            if "/file/" in where and self.cut_after is not None:
                body, self.cut_after = body[: self.cut_after], None
                await passed.write(body)
                assert request.transport is not None
                request.transport.close()
                return passed
            if "/file/" in where and self.twisted:
                body, self.twisted = bytes(len(body)), False
            await passed.write(body)
            return passed


@asynccontextmanager
async def far(root: Path) -> AsyncIterator[Far]:
    (root / FOLDER).mkdir(parents=True)
    env = {
        "LLMDBENCHD_SERVE_ROOT": str(root),
        "LLMDBENCHD_SERVE_PORT": "0",
        "LLMDBENCHD_SERVE_SECRET": SECRET,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(SERVE), env=env, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    port = int((await process.stdout.readline()).split()[-1])
    async with ScriptedApi() as api:
        yield Far(root, port, api)
    process.kill()
    await process.wait()


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Far]:
    async with far(tmp_path / "far") as made:
        yield made


async def bring(there: Far, into: Path, min_free: int = 0) -> Copied:
    session = await there.api.session()
    way = ByProxy(session, Door("ns", "pod", "serve", SECRET))
    return await Transfer(way, FOLDER, into, min_free).run()


def here(into: Path) -> dict[str, bytes]:
    files = (path for path in into.rglob("*") if path.is_file())
    return {str(path.relative_to(into)): path.read_bytes() for path in files}


async def test_small_files_cost_one_request_and_each_large_one_another(
    there: Far, tmp_path: Path
) -> None:
    small = {f"s/{number}": str(number).encode() for number in range(50)}
    there.lie_there({**small, "large 1": LARGE, "large 2": LARGE[:-1]})

    copied = await bring(there, tmp_path / "into")

    found = here(tmp_path / "into")
    assert {path: found[path] for path in small} == small
    assert (found["large 1"], found["large 2"]) == (LARGE, LARGE[:-1])
    assert {"MANIFEST.jsonl", "DONE.json"} < found.keys()
    assert copied.manifest == "launcher"
    assert copied.files == 52
    assert len(there.asked) == 4


async def test_a_large_file_that_was_cut_goes_on_from_where_it_was(
    there: Far, tmp_path: Path
) -> None:
    there.lie_there({"large": LARGE})
    there.cut_after = 2 * SMALL
    with pytest.raises(Unavailable):
        await bring(there, tmp_path / "into")
    assert "large" not in here(tmp_path / "into")
    [part] = (tmp_path / "into" / INCOMING).iterdir()
    assert 0 < part.stat().st_size <= 2 * SMALL

    await bring(there, tmp_path / "into")

    assert here(tmp_path / "into")["large"] == LARGE


async def test_what_is_proven_is_never_fetched_again(there: Far, tmp_path: Path) -> None:
    there.lie_there({"a": b"1", "b": b"2", "large": LARGE})
    await bring(there, tmp_path / "into")
    there.asked.clear()

    await bring(there, tmp_path / "into")

    assert [path.partition("/")[0] for path in there.asked] == ["manifest"]


async def test_wrong_bytes_are_fetched_again_and_never_believed(there: Far, tmp_path: Path) -> None:
    there.lie_there({"large": LARGE})
    there.twisted = True

    await bring(there, tmp_path / "into")

    assert here(tmp_path / "into")["large"] == LARGE


async def test_a_file_that_changed_after_its_manifest_is_told_with_both_hashes(
    there: Far, tmp_path: Path
) -> None:
    there.lie_there({"large": LARGE})
    changed = LARGE[:-1] + bytes([LARGE[-1] ^ 1])
    (there.results / "large").write_bytes(changed)

    with pytest.raises(Unavailable) as caught:
        await bring(there, tmp_path / "into")

    for content in (LARGE, changed):
        assert hashlib.sha256(content).hexdigest() in str(caught.value)


async def test_a_launcher_that_left_no_manifest_gets_a_late_one(there: Far, tmp_path: Path) -> None:
    there.lie_there({"a": b"1", "b": b"2"}, done=False)

    copied = await bring(there, tmp_path / "into")

    assert copied == Copied(2, 2, "late")


async def test_without_room_nothing_is_begun(there: Far, tmp_path: Path) -> None:
    there.lie_there({"large": LARGE})

    with pytest.raises(Unavailable, match="no room"):
        await bring(there, tmp_path / "into", min_free=1 << 60)

    assert len(there.asked) == 1


async def test_a_right_that_is_missing_is_said_as_that(there: Far, tmp_path: Path) -> None:
    there.forbidden = True

    with pytest.raises(Forbidden):
        await bring(there, tmp_path / "into")


async def test_a_manifest_that_is_not_the_one_of_the_done_mark_is_not_believed(
    there: Far, tmp_path: Path
) -> None:
    there.lie_there({"a": b"1"})
    mark = json.dumps({"version": 1, "manifest_sha256": "0" * 64})
    (there.results / "DONE.json").write_text(mark)

    with pytest.raises(Unavailable, match="is not the one"):
        await bring(there, tmp_path / "into")
