"""Connections, in pools apart: five hundred followed logs never make a create wait.

One aiohttp session for each pool. TCP keep-alive finds a dead host; a frozen one is found
only by whoever waits for words, so streams have a silence limit of their own.
"""

import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

import aiohttp

Pool = Literal["control", "watch", "logs", "transfer"]

_KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
_UNACKNOWLEDGED_MS = 60_000  # bytes that nobody confirms for so long: the host is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSizes:
    """How many connections each pool may hold at once; 0 = no limit."""

    control: int = 20
    watch: int = 8
    logs: int = 500
    transfer: int = 8


# A watch event may be as large as etcd allows (1.5 MiB) and more as JSON; a log line has no limit.
_READ_AHEAD = {"control": 2**18, "watch": 2**21, "logs": 2**16, "transfer": 2**20}


async def open_pools(
    sizes: PoolSizes, closing: AsyncExitStack
) -> Mapping[Pool, aiohttp.ClientSession]:
    """Make all pools; `closing` closes them."""
    limits: dict[Pool, int] = {
        "control": sizes.control,
        "watch": sizes.watch,
        "logs": sizes.logs,
        "transfer": sizes.transfer,
    }
    return {
        pool: await closing.enter_async_context(_opened(limit, _READ_AHEAD[pool]))
        for pool, limit in limits.items()
    }


def _opened(limit: int, read_ahead: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=limit,
        socket_factory=kept_alive,
        keepalive_timeout=60,  # below the idle limit of the load balancers in use
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),  # what a load balancer sets is nobody's business
        headers={"User-Agent": "llmdbenchd"},
        read_bufsize=read_ahead,
    )


def kept_alive(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket for an entry of getaddrinfo, on which the kernel notices a host that is gone."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        made.setsockopt(socket.IPPROTO_TCP, option, value)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
    return made
