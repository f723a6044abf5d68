"""Accounts of one run `j/r001` that agree, to be changed in one way at a time."""

from llmdbenchd.core.fsck.accounts import Archives, Filed, Object, Objects, Records, Run, Thing
from llmdbenchd.core.job.names import launcher, run8
from llmdbenchd.core.launch.labels import attempt_name
from llmdbenchd.core.run.phase import Phase
from tests.core.run.cases import record

INSTANCE = "cafe0123"
PLACE = "kubernetes/bench"
FILED = Archives((Filed("j", "r001"),))
NONE = Archives()


def name(index: int = 1, *, run: str = "r001", attempt: int = 1) -> str:
    return launcher("inference-perf", run8(INSTANCE, "j", run), attempt, index, 2)


def known(phase: Phase, **facts: object) -> Records:
    """Our run is in this phase; its two launchers were seen."""
    one = record(phase, **{"seen": (1, 2), **facts})
    names = tuple(name(index, attempt=one.attempt) for index in (1, 2))
    return Records(INSTANCE, (Run(record=one, place=PLACE, launchers=names),))


def pod(index: int = 1, *, has_ended: bool | None = True, **whose: object) -> Thing:
    made = name(index, **whose)  # type: ignore[arg-type]  # run, attempt
    return Thing(
        place=PLACE, kind=Object.LAUNCHER, name=made, uid=f"uid {made}", has_ended=has_ended
    )


def config_map(**whose: object) -> Thing:
    made = attempt_name(name(**whose))  # type: ignore[arg-type]  # run, attempt
    return Thing(place=PLACE, kind=Object.CONFIG_MAP, name=made, uid=f"uid {made}")


def there(*things: Thing) -> Objects:
    return Objects(frozenset({PLACE, "local"}), things)
