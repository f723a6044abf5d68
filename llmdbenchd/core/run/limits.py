"""How patient to be with one run, and how much may go on at once."""

from dataclasses import dataclass

LOST_AFTER_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a job file says about one run's patience. Times are in seconds.

    Attributes:
        launchers: how many launchers the run has (`parallelism`).
        attempts: attempts in all; `retry_delay_s` before the second, doubled each time.
        start_s: from the launch to all launchers running.
        bind_s: what a launcher may wait for its volumes (a claim to be bound, a mount that
            fails), `pull_s` for its image.
        target_s: what a target that was found may take until it serves its model.
        run_s: from all running to all ended; 0 = start them and leave them running.
        collect_s: for bringing results and logs home.
        grace_s: what a launcher gets to end by itself once it was asked to.
        stop_s: after which a request to end a launcher is repeated.
        lost_s: for which its place may say no to each look, before the run is lost.
        clean_s: after which what cannot be removed is noted as left behind.
        fail_above: tolerated share of failed requests, 0 to 1.
        keep_going: one bad launcher does not end the others.
        dry_run: plan only; nothing is launched.
        skip_run: collect what lies on the claim already; nothing is launched.
        follow_servers: the servers' logs are recorded beside it.
        held: its launchers wait for our word, which they get when all of them are ready.
        sends_load: its harness proves its work by requests.
    """

    launchers: int = 1
    attempts: int = 1
    retry_delay_s: float = 30
    start_s: float = 900
    bind_s: float = 240
    pull_s: float = 1800
    target_s: float = 900
    run_s: float = 3600
    collect_s: float = 3600
    grace_s: float = 30
    stop_s: float = 60
    lost_s: float = LOST_AFTER_S
    clean_s: float = 600
    fail_above: float = 0.99
    keep_going: bool = False
    dry_run: bool = False
    skip_run: bool = False
    follow_servers: bool = False
    held: bool = False
    sends_load: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What the whole daemon may do at once.

    Attributes:
        slots: runs that hold launchers.
        resolving: targets looked up at once.
        ahead: resolved runs that may wait for a slot before further ones are resolved.
    """

    slots: int = 8
    resolving: int = 4
    ahead: int = 32


def backoff_s(tries: int, *, first: float = 1.0, most: float = 60.0) -> float:
    """Seconds to wait after the failed try number `tries` (from 1): doubled up to `most`."""
    return float(min(most, first * 2 ** min(tries - 1, 30)))
