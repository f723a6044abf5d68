"""Clients that leave and servers that are stopped: no harm done, and it is written down."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from llmdbenchd.simulate.serving import serving
from tests.simulate.client import COMPLETIONS, LONG_S, REAL_TIME, Simulator, Simulators, fast

pytestmark = REAL_TIME

RUNNING = "vllm:num_requests_running"
WAITING = "vllm:num_requests_waiting"


async def open_stream(server: Simulator, tokens: int = 5) -> aiohttp.ClientResponse:
    """A stream whose headers have come."""
    body = {"prompt": "baba", "max_tokens": tokens, "stream": True}
    return await server.session.post(server.url + COMPLETIONS, json=body)


async def test_a_client_that_leaves_gives_its_seat_to_the_next(
    simulators: Simulators, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    server = await simulators.start(fast(itl_s=LONG_S, max_num_seqs=1, truth=truth))
    first, second = await open_stream(server), await open_stream(server, tokens=1)
    await server.until(lambda now: (now[RUNNING], now[WAITING]) == (1, 1))

    first.close()

    assert b"[DONE]" in await second.read()
    assert await server.until(lambda now: now[RUNNING] == now[WAITING] == 0)
    left, served = truth.read_text().splitlines()
    assert '"outcome":"left"' in left
    assert '"output_tokens":1,' in left
    assert '"outcome":"served"' in served


async def test_who_waited_in_line_is_served_from_its_turn_on(
    simulators: Simulators, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    options = fast(ttft_s=0.2, itl_s=LONG_S, max_num_seqs=1, truth=truth)
    server = await simulators.start(options)
    first, second = await open_stream(server), await open_stream(server, tokens=1)
    await server.until(lambda now: (now[RUNNING], now[WAITING]) == (1, 1))
    await asyncio.sleep(0.2)
    first.close()
    await second.read()

    waited = json.loads(truth.read_text().splitlines()[1])
    assert waited["ttft_s"] >= 0.2 + 0.2  # its time in line, then the whole time to first token


async def test_a_client_may_leave_the_line(simulators: Simulators) -> None:
    server = await simulators.start(fast(ttft_s=LONG_S, max_num_seqs=1))
    first, second = await open_stream(server), await open_stream(server)
    await server.until(lambda now: (now[RUNNING], now[WAITING]) == (1, 1))

    second.close()

    await server.until(lambda now: (now[RUNNING], now[WAITING]) == (1, 0))
    first.close()
    await server.until(lambda now: now[RUNNING] == 0)


async def test_a_client_that_waits_for_a_whole_reply_may_leave(
    simulators: Simulators, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    server = await simulators.start(fast(itl_s=LONG_S, truth=truth))
    asking = asyncio.create_task(server.post(COMPLETIONS, {"prompt": "baba"}))
    await server.until(lambda now: now["vllm:generation_tokens_total"] == 1)

    asking.cancel()

    await server.until(lambda now: now[RUNNING] == 0)
    assert '"outcome":"left"' in truth.read_text()
    assert '"output_tokens":0,' in truth.read_text()  # made, but never sent


async def test_a_client_that_leaves_within_its_body_is_noted(
    simulators: Simulators, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    server = await simulators.start(fast(truth=truth))
    _, writer = await server.connect()
    writer.write(f"POST {COMPLETIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{{".encode())
    await writer.drain()
    await server.metrics()

    writer.close()
    await writer.wait_closed()

    await server.until(lambda now: now["vllm:request_success_total"] == 1)  # as an abort
    assert '"outcome":"left"' in truth.read_text()


async def test_a_stop_ends_every_request_at_once_and_writes_it_down(
    simulators: Simulators, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    server = await simulators.start(fast(ttft_s=LONG_S, max_num_seqs=2, truth=truth))
    streams = [await open_stream(server) for _ in range(3)]
    await server.until(lambda now: (now[RUNNING], now[WAITING]) == (2, 1))

    async with asyncio.timeout(20):
        await simulators.stop()

    assert truth.read_text().count('"outcome":"stopped"') == 3
    for stream in streams:
        with pytest.raises(aiohttp.ClientError):
            await stream.read()


async def test_the_address_file_is_there_while_the_server_listens(tmp_path: Path) -> None:
    path = tmp_path / "address"
    path.write_text("left behind by a kill")
    async with serving(fast(address_file=path)) as address:
        assert path.read_text() == address + "\n"
        async with aiohttp.ClientSession() as session, session.get(f"{address}/health") as reply:
            assert reply.status == 200

    assert not path.exists()


async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "address"
    path.write_text("left behind by a kill")
    async with serving(fast()) as address:
        taken = int(address.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"):
            async with serving(fast(port=taken, address_file=path)):
                pass

    assert not path.exists()
