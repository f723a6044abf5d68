"""Where launchers live: one engine for each place, with what was last seen there.

A place is `local`, or `kubernetes/<namespace>`. Its watch begins when the first run
needs it and never ends.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field

from llmdbenchd.controllers.view import View
from llmdbenchd.ports import Engine


@dataclass(frozen=True, slots=True)
class Site:
    """A place, and what is known of it."""

    place: str
    engine: Engine
    view: View = field(default_factory=View)


class Sites:
    """All places that are in use.

    Args:
        build: makes the engine of a place; does not wait for the world.
        watch: watches one place for ever.
    """

    def __init__(
        self,
        build: Callable[[str], Engine],
        watch: Callable[[Site], Coroutine[object, object, None]],
    ) -> None:
        self._build = build
        self._watch = watch
        self._sites: dict[str, Site] = {}
        self._new: asyncio.Queue[Site] = asyncio.Queue()

    def __iter__(self) -> Iterator[Site]:
        return iter(list(self._sites.values()))

    def troubled(self) -> dict[str, str]:
        """Why what is seen may be old, by place; places where all is well are not in it."""
        return {
            place: site.engine.degraded
            for place, site in self._sites.items()
            if site.engine.degraded
        }

    def rivals(self) -> dict[str, str]:
        """What launchers of other daemons load, in all places."""
        return {mark: who for site in self for mark, who in site.view.rivals.items()}

    def is_seen(self, place: str) -> bool:
        """Whether it is known who loads what there, or never will be.

        Whoever waits is looked at when the first look comes, or when the place says no.
        """
        site = self.at(place)
        return site.view.is_complete or bool(site.engine.refused)

    def at(self, place: str) -> Site:
        """The site of a place, opened when it is asked for the first time."""
        site = self._sites.get(place)
        if site is None:
            site = self._sites[place] = Site(place, self._build(place))
            self._new.put_nowait(site)
        return site

    async def run(self) -> None:
        """Watch every place, also those that are opened later."""
        async with asyncio.TaskGroup() as group:
            while True:
                site = await self._new.get()
                group.create_task(self._watch(site), name=f"watch {site.place}")
