"""Who we are to the API server, renewed before it runs out and when the server refuses it."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from llmdbenchd.ports import Refused, Unavailable

_AGAIN_S = 5.0  # between renewals that fail, or that the server refuses all the same


@dataclass(frozen=True, slots=True)
class Identity:
    """What a request carries.

    Attributes:
        authorization: the header's value, or None.
        tls: whom to trust and our own certificate; True where there is no TLS.
    """

    authorization: str | None = field(repr=False)
    tls: ssl.SSLContext | bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """An identity, and for how many seconds it is good; None = until it is refused."""

    identity: Identity
    good_for_s: float | None


@dataclass(slots=True)
class Credentials:
    """Keeps one identity. However many ask, it is loaded once.

    Attributes:
        load: reads it anew. May raise `Refused` or `Unavailable`.
    """

    load: Callable[[], Awaitable[Loaded]]
    _identity: Identity | None = field(default=None, init=False)
    _renew_at: float | None = field(default=None, init=False)
    _tried_at: float = field(default=float("-inf"), init=False)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def identity(self) -> Identity:
        """The one to use now; where a renewal fails, the old one for as long as it is taken.

        Raises:
            Refused, Unavailable: there is none yet, and it cannot be loaded.
        """
        if self._identity is not None and not self._is_due():
            return self._identity
        async with self._one:
            if self._identity is None:
                return await self._renewed()
            if not self._is_due():
                return self._identity
            try:
                return await self._renewed()
            except (Refused, Unavailable):
                self._renew_at = _now() + _AGAIN_S
                return self._identity

    async def after_refusal(self, refused: Identity) -> Identity:
        """The one to use when the server answered 401; the same one if there is no better.

        Raises:
            Refused, Unavailable: it cannot be loaded.
        """
        async with self._one:
            if self._identity is not None and self._identity != refused:
                return self._identity
            if _now() - self._tried_at < _AGAIN_S:
                return refused
            return await self._renewed()

    async def _renewed(self) -> Identity:
        self._tried_at = _now()
        loaded = await self.load()
        self._identity = loaded.identity
        self._renew_at = None if loaded.good_for_s is None else _now() + loaded.good_for_s
        return loaded.identity

    def _is_due(self) -> bool:
        return self._renew_at is not None and _now() >= self._renew_at


def _now() -> float:
    return asyncio.get_running_loop().time()
