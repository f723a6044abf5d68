"""The life of the daemon's process: lock, recover, say READY, run, stop."""

import asyncio
import faulthandler
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import structlog

from llmdbenchd.app.daemon import Daemon
from llmdbenchd.edge.files.inbox import prepare_queue
from llmdbenchd.edge.files.locks import Held, queue_lock
from llmdbenchd.edge.files.records import NewerRecord
from llmdbenchd.logs import OpenLog, route_asyncio
from llmdbenchd.ports import Refused, Unavailable
from llmdbenchd.settings import Loaded, Settings
from llmdbenchd.settings import reload as joined

log = structlog.get_logger()

GOOD, FAILED, HELD, WRONG_SETTINGS = 0, 1, 75, 78
DISK_THREADS = 4
CLUSTER_AWAY_S = 15.0  # then READY is said all the same


class _Stop(Exception):
    """Ends the daemon's task group."""


def serve(
    settings: Settings,
    environment: Mapping[str, str],
    opened: OpenLog,
    *,
    reread: Callable[[], Loaded],
) -> int:
    """Serve until a signal; returns the exit code."""
    faulthandler.enable()  # the watchdog's SIGABRT then tells where every thread was
    log.info("daemon.starting", queue=str(settings.queue), state=str(settings.state))
    try:
        for folder in (settings.state, settings.archive):
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        prepare_queue(settings.queue)
        with queue_lock(settings.queue) as holding:
            if holding.warning:
                log.warning("queue.weak", reason=holding.warning)
            polling = bool(holding.warning)
            return asyncio.run(
                _serve(settings, environment, opened, reread=reread, polling=polling)
            )
    except Held as error:
        log.error("daemon.refused", reason=str(error))  # noqa: TRY400 - no fault of ours
        return HELD
    except (NewerRecord, Refused) as error:
        log.error("daemon.refused", reason=str(error))  # noqa: TRY400 - no fault of ours
        return WRONG_SETTINGS
    except (Unavailable, OSError) as error:
        log.error("daemon.refused", reason=str(error))  # noqa: TRY400 - no fault of ours
        return FAILED


async def _serve(
    settings: Settings,
    environment: Mapping[str, str],
    opened: OpenLog,
    *,
    reread: Callable[[], Loaded],
    polling: bool,
) -> int:
    stop, reload = asyncio.Event(), asyncio.Event()
    route_asyncio(asyncio.get_running_loop())
    disk = ThreadPoolExecutor(DISK_THREADS, thread_name_prefix="disk")
    with _signals(stop, reload):
        daemon = Daemon(settings, environment, disk, polling=polling)
        await daemon.recover()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_until(stop, daemon), name="stop")
                group.create_task(_ready(daemon), name="ready")
                group.create_task(_reloads(reload, daemon, opened, reread), name="reload")
                group.create_task(daemon.run(), name="daemon")
        except* _Stop:
            log.info("daemon.stopped")
        await daemon.close()
        disk.shutdown(wait=False, cancel_futures=True)
    return GOOD


async def _until(stop: asyncio.Event, daemon: Daemon) -> None:
    """Launchers are left running; the next daemon adopts them."""
    await stop.wait()
    daemon.notifier.stopping()
    log.info("daemon.stopping")
    raise _Stop


async def _ready(daemon: Daemon) -> None:
    """READY: locked, recovered, the queue scanned once, every launcher looked at once.

    A cluster that is away holds nobody up: its runs stay `Unknown` until it is back.
    """
    await daemon.is_first_scan_done.wait()
    with suppress(TimeoutError):
        await asyncio.wait_for(daemon.is_view_complete.wait(), CLUSTER_AWAY_S)
    daemon.notifier.ready()
    places = sorted(site.place for site in daemon.sites)
    log.info(
        "daemon.ready",
        open_runs=sum(1 for _ in daemon.runs),
        places=places,
        degraded=daemon.sites.troubled(),
    )


async def _reloads(
    reload: asyncio.Event, daemon: Daemon, opened: OpenLog, reread: Callable[[], Loaded]
) -> None:
    """SIGHUP: take over what may change, and say what needs a restart."""
    while True:
        await reload.wait()
        reload.clear()
        daemon.notifier.reloading()
        loaded = await asyncio.to_thread(reread)
        settings, changed, needs_restart = joined(daemon.settings, loaded.settings)
        if loaded.problems:
            log.error("settings.refused", problems=[str(problem) for problem in loaded.problems])
        else:
            opened.set_level(settings.log_level)
            daemon.reload(settings)
            log.info("settings.reloaded", changed=changed, needs_restart=needs_restart)
        daemon.notifier.ready()


@contextmanager
def _signals(stop: asyncio.Event, reload: asyncio.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C stop, a second one ends us at once; SIGHUP reloads."""
    loop = asyncio.get_running_loop()

    def end(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)
        # The next one kills. Python's own handler would wait for threads, the hung one too.
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)
