"""Keeps the view of all launchers current; a broken watch is opened again, for ever."""

import asyncio
from collections.abc import Callable

import structlog

from llmdbenchd.controllers.runs import Runs
from llmdbenchd.controllers.sites import Site
from llmdbenchd.core.run.limits import backoff_s
from llmdbenchd.ports import Others, Unavailable

log = structlog.get_logger()


async def watch_launchers(
    site: Site, runs: Runs, *, complete: Callable[[Site], None], others: Callable[[], None]
) -> None:
    """Watch one place for ever.

    Args:
        site: the place.
        runs: told of what moves there.
        complete: called after its first complete look.
        others: called when something else is loaded by other daemons than before; at once,
            for the list that lets a run begin may come in the same moment.
    """
    engine, view = site.engine, site.view
    tries = 0
    while True:
        try:
            async for news in engine.watch():
                tries = 0
                was_complete = view.is_complete
                changed = view.apply(news)
                if view.is_complete and not was_complete:
                    complete(site)
                    runs.look_at_all()
                runs.look_at_launchers(changed)
                if isinstance(news, Others):
                    others()
        except Unavailable as error:
            tries += 1
            log.warning("watch.broken", place=site.place, reason=str(error), tries=tries)
        await asyncio.sleep(backoff_s(max(tries, 1)))
