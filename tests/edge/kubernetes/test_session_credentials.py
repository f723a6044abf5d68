"""An identity is loaded once for all who ask, renewed in time, and when the server refuses it."""

import asyncio
from dataclasses import dataclass, field

import pytest

from llmdbenchd.edge.kubernetes.credentials import Credentials, Identity, Loaded
from llmdbenchd.edge.kubernetes.login import good_for_s
from llmdbenchd.ports import Unavailable


@dataclass
class Issuer:
    """Somebody who gives tokens t1, t2, ..., each good for `life_s`.

    Attributes:
        failing: gives none.
        same: gives the first one again and again.
    """

    life_s: float | None = 60.0
    failing: bool = False
    same: bool = False
    given: int = field(default=0, init=False)

    async def load(self) -> Loaded:
        """Takes a second, as login programs do."""
        await asyncio.sleep(1)
        if self.failing:
            raise Unavailable("the issuer is down")
        self.given += 1
        token = "t1" if self.same else f"t{self.given}"
        return Loaded(Identity(token, True), self.life_s)  # noqa: FBT003 - True = there is no TLS


async def test_however_many_ask_it_is_loaded_once() -> None:
    issuer = Issuer()
    credentials = Credentials(issuer.load)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(credentials.identity()) for _ in range(50)]

    assert {one.result().authorization for one in asked} == {"t1"}
    assert issuer.given == 1


async def test_it_is_renewed_when_its_time_is_over_and_not_before() -> None:
    credentials = Credentials(Issuer(life_s=60).load)
    await credentials.identity()
    await asyncio.sleep(59)
    before = await credentials.identity()
    await asyncio.sleep(1)
    after = await credentials.identity()

    assert (before.authorization, after.authorization) == ("t1", "t2")


async def test_one_without_an_end_is_kept_until_it_is_refused() -> None:
    credentials = Credentials(Issuer(life_s=None).load)
    first = await credentials.identity()
    await asyncio.sleep(1e6)

    assert await credentials.identity() == first
    assert (await credentials.after_refusal(first)).authorization == "t2"


async def test_while_the_issuer_is_down_the_old_one_is_used_and_it_is_not_pestered() -> None:
    issuer = Issuer(life_s=60)
    credentials = Credentials(issuer.load)
    await credentials.identity()
    await asyncio.sleep(60)
    issuer.failing = True
    old = await credentials.identity()
    issuer.failing = False

    assert old.authorization == "t1"
    assert (await credentials.identity()).authorization == "t1"
    await asyncio.sleep(5)
    assert (await credentials.identity()).authorization == "t2"


async def test_without_any_identity_the_issuers_trouble_is_ours() -> None:
    with pytest.raises(Unavailable, match="the issuer is down"):
        await Credentials(Issuer(failing=True).load).identity()


async def test_many_who_are_refused_at_once_renew_it_once() -> None:
    issuer = Issuer(life_s=None)
    credentials = Credentials(issuer.load)
    first = await credentials.identity()
    await asyncio.sleep(10)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(credentials.after_refusal(first)) for _ in range(50)]

    assert {one.result().authorization for one in asked} == {"t2"}
    assert issuer.given == 2


async def test_a_server_that_refuses_all_does_not_make_us_log_in_for_ever() -> None:
    issuer = Issuer(life_s=None, same=True)
    credentials = Credentials(issuer.load)
    identity = await credentials.identity()
    await asyncio.sleep(10)
    for _ in range(50):
        assert await credentials.after_refusal(identity) == identity

    assert issuer.given == 2


@pytest.mark.parametrize(
    ("life_s", "used_s"), [(3600, 3540), (240, 180), (100, 75), (12, 10), (0, 10), (-300, 10)]
)
def test_a_credential_is_renewed_a_while_before_its_end(life_s: float, used_s: float) -> None:
    assert good_for_s(life_s) == used_s
