"""Which standard reports a folder of native files gives, and what they are called."""

from collections.abc import Iterable
from dataclasses import dataclass

from llmdbenchd.core.results.summary import HARNESSES, find_native, kind_of

_PREFIXES = {"0.2": "benchmark_report_v0.2", "0.1": "benchmark_report"}


@dataclass(frozen=True, slots=True)
class Conversion:
    """One native file to be converted to one version of the report.

    Attributes:
        native: name of the native file.
        version: `0.2` or `0.1`.
        report: name of the report. A file with several benchmarks gives several reports, with
            `_<k>` before the suffix.
    """

    native: str
    version: str
    report: str


def conversions(harness: str, names: Iterable[str]) -> tuple[Conversion, ...]:
    """All conversions for the native files among `names`; none for an unknown harness.

    The comma in the names is the field's habit. A file that speaks for the whole launcher is
    converted only when there is no file of a part: the converter would give it the figures of
    inference-perf's stage 0.
    """
    natives = find_native(harness, names)
    parts = [name for name in natives if not _speaks_for_all(harness, name)]
    return tuple(
        Conversion(name, version, f"{_PREFIXES[version]},_{name}.yaml")
        for name in parts or natives
        for version in _versions(harness, name)
    )


def is_known(harness: str) -> bool:
    """Whether anything is known about the native files of this harness."""
    return harness in HARNESSES


def _speaks_for_all(harness: str, name: str) -> bool:
    kind = kind_of(harness, name)
    return kind is not None and kind.whole


def _versions(harness: str, name: str) -> tuple[str, ...]:
    kind = kind_of(harness, name)
    return kind.versions if kind else ()
