"""The command as people start it: a process that prints its address and stops when told to."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from llmdbenchd.cli.simulate import register
from tests.simulate.client import REAL_TIME

pytestmark = REAL_TIME

PROGRAM = """
import argparse, sys
from llmdbenchd.cli.simulate import register
parser = argparse.ArgumentParser()
register(parser.add_subparsers(required=True))
args = parser.parse_args(["simulate", *sys.argv[1:]])
sys.exit(args.run(args))
"""


@asynccontextmanager
async def started(*options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, "--port", "0", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def address_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers(required=True))
    return parser.parse_args(["simulate", *options])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_a_signal_and_ends_well_with_a_request_under_way(
    tmp_path: Path, number: signal.Signals
) -> None:
    address_file, truth, cache = (tmp_path / name for name in ("address", "truth", "hf"))
    files = ("--address-file", address_file, "--truth", truth, "--hf-cache", cache)
    async with (
        asyncio.timeout(60),
        started(*map(str, files), "--ttft", "0", "--itl", "3600s") as process,
        aiohttp.ClientSession() as session,
    ):
        address = await address_of(process)
        assert address_file.read_text() == f"{address}\n"
        body = {"model": "llmdbench/tiny", "prompt": "baba", "stream": True}
        async with session.post(f"{address}/v1/completions", json=body) as stream:
            assert (await stream.content.readline()).startswith(b"data: ")

            process.send_signal(number)
            _, complaints = await process.communicate()

    assert process.returncode == 0
    assert complaints == b""
    assert not address_file.exists()
    assert json.loads(truth.read_text())["outcome"] == "stopped"
    assert (cache / "hub" / "models--llmdbench--tiny" / "refs" / "main").is_file()


@pytest.mark.slow
async def test_a_server_that_was_killed_leaves_every_finished_line(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    async with (
        asyncio.timeout(60),
        started("--truth", str(truth), "--ttft", "0", "--itl", "0") as process,
        aiohttp.ClientSession() as session,
    ):
        address = await address_of(process)
        for _ in range(3):
            async with session.post(f"{address}/v1/completions", json={"prompt": ""}) as reply:
                await reply.read()
        process.kill()
        await process.communicate()

    assert truth.read_text().count('"outcome":"served"') == 3


def test_the_fields_own_option_names_are_understood() -> None:
    ours = parsed("--ttft", "50", "--itl", "10ms")
    theirs = parsed("--time-to-first-token", "0.05s", "--inter-token-latency", "10")

    assert ours == theirs
    assert (ours.ttft, ours.itl) == (0.05, 0.01)


def test_options_that_make_no_sense_are_all_named_and_it_is_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    args = parsed("--port", "70000", "--fail-every", "0")

    assert args.run(args) == 2
    complaints = capsys.readouterr().err
    assert "port is 70000" in complaints
    assert "fail-every is 0" in complaints


@pytest.mark.parametrize("text", ["fast", "-5", "1h", ""])
def test_a_time_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--ttft", text)
    assert "--ttft" in capsys.readouterr().err


@pytest.mark.slow
async def test_its_load_is_told_before_it_listens_and_read_by_nop(tmp_path: Path) -> None:
    asked = ("--load-log", "0.19", "--load-seconds", "0.5", "--load-value", "weights_load_s=0.25")
    async with asyncio.timeout(60), started(*asked) as process:
        assert process.stdout is not None
        lines = [await process.stdout.readline()]
        while not lines[-1].startswith(b"http"):
            lines.append(await process.stdout.readline())
        process.terminate()
        rest, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")
    assert lines[-2].endswith(b"Application startup complete.\n")
    assert b"Shutting down" in rest

    log = tmp_path / "log"
    log.write_bytes(b"".join(lines))
    words = ("-m", "llmdbenchd", "nop", "--json", str(log))
    nop = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await nop.communicate()
    assert json.loads(answer)["attempts"][0]["headline"]["weights_load_s"] == 0.25


@pytest.mark.slow
async def test_a_signal_in_the_middle_of_loading_ends_it() -> None:
    async with asyncio.timeout(60), started("--load-log", "0.19", "--load-seconds", "3600") as one:
        assert one.stdout is not None
        await one.stdout.readline()
        one.terminate()
        rest, complaints = await one.communicate()

    assert (one.returncode, complaints) == (0, b"")
    assert b"http" not in rest


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "code"), [("memory", 1), ("killed", -signal.SIGKILL)])
async def test_a_load_that_fails_ends_the_server_as_a_real_one_ends(kind: str, code: int) -> None:
    asked = ("--load-log", "0.19", "--load-seconds", "0", "--load-fail", kind)
    async with asyncio.timeout(60), started(*asked) as process:
        log, complaints = await process.communicate()

    assert (process.returncode, complaints) == (code, b"")
    assert b"Application startup complete" not in log
    assert (b"torch.OutOfMemoryError" in log) == (kind == "memory")


def test_a_load_without_sense_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    args = parsed("--load-log", "0.99", "--load-value", "speed=3")

    assert args.run(args) == 2
    assert "the wording of vLLM 0.99 is not known" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parsed("--load-value", "weights_load_s")


@pytest.mark.slow
async def test_a_truth_file_that_cannot_be_written_is_told_and_nothing_is_served(
    tmp_path: Path,
) -> None:
    async with asyncio.timeout(60), started("--truth", str(tmp_path / "no" / "truth")) as process:
        answer, complaints = await process.communicate()

    assert process.returncode == 1
    assert answer == b""
    assert b"no/truth" in complaints
