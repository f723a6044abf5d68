"""Places: each has one engine and one view, and a watch from its first use on."""

import asyncio

from llmdbenchd.controllers.sites import Site, Sites
from llmdbenchd.ports import Listed, Others
from tests.fakes.engine import FakeEngine


class Region:
    """Engines by place, and who is watched."""

    def __init__(self) -> None:
        self.engines: dict[str, FakeEngine] = {}
        self.watched: list[str] = []
        self.sites = Sites(self.build, self.watch)

    def build(self, place: str) -> FakeEngine:
        self.engines[place] = FakeEngine()
        return self.engines[place]

    async def watch(self, site: Site) -> None:
        self.watched.append(site.place)
        await asyncio.Event().wait()


async def test_each_place_is_watched_once_from_its_first_use_on() -> None:
    region = Region()
    first = region.sites.at("local")
    running = asyncio.create_task(region.sites.run())
    await asyncio.sleep(0.1)
    assert region.watched == ["local"]

    assert region.sites.at("kubernetes/a") is region.sites.at("kubernetes/a")
    assert region.sites.at("local") is first
    await asyncio.sleep(0.1)

    assert region.watched == ["local", "kubernetes/a"]
    assert [site.place for site in region.sites] == ["local", "kubernetes/a"]
    running.cancel()
    await asyncio.wait([running])


def test_a_place_that_cannot_be_seen_says_why() -> None:
    region = Region()
    region.sites.at("local")
    region.sites.at("kubernetes/a")
    assert region.sites.troubled() == {}

    region.engines["kubernetes/a"].is_away = True

    assert region.sites.troubled() == {"kubernetes/a": "the fake engine is away"}


def test_who_loads_what_is_not_known_before_the_first_look_unless_there_will_be_none() -> None:
    """After a restart a run whose turn it is would load what another daemon loads already."""
    region = Region()
    site = region.sites.at("local")
    assert not region.sites.is_seen("local")

    region.engines["local"].says_no = "no right"
    assert region.sites.is_seen("local")

    region.engines["local"].says_no = ""
    site.view.apply(Listed({}))
    assert region.sites.is_seen("local")


def test_what_others_load_anywhere_is_known_of() -> None:
    region = Region()
    region.sites.at("kubernetes/a").view.apply(Others({"1": "p"}))
    region.sites.at("kubernetes/b").view.apply(Others({"2": "q"}))

    assert region.sites.rivals() == {"1": "p", "2": "q"}
