"""The room of names: deterministic, so that doing it again finds what was done."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

_LONGEST_ID = 48
_LONGEST_LABEL = 63
_SIZE = re.compile(r"(?:\d+x)?\d+(?:\.\d+)?[bm]")
_KINDS_OF_MODEL = ("instruct", "hf", "chat", "speech", "vision", "opt")


def slug(text: str, longest: int = _LONGEST_LABEL) -> str:
    """The text in a-z, 0-9 and single hyphens, never empty, at most `longest` characters."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    joined = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return joined[:longest].strip("-") or "job"


def job_id(stem: str, submitted: datetime, random4: str) -> str:
    """`<slug>-<yyyymmdd>t<hhmmss>-<4 hex>`, at most 48 characters.

    Args:
        stem: the file's name without its ending.
        submitted: when it was taken, timezone-aware.
        random4: four hexadecimal digits.
    """
    end = f"-{submitted.astimezone(UTC):%Y%m%dt%H%M%S}-{random4}"
    return slug(stem, _LONGEST_ID - len(end)) + end


def run8(instance: str, job: str, run: str) -> str:
    """Eight hexadecimal digits that stand for one run of one daemon."""
    return hashlib.sha256(f"{instance}\0{job}\0{run}".encode()).hexdigest()[:8]


def launcher(harness: str, run8: str, attempt: int, index: int, of: int) -> str:
    """The name of launcher `index` (from 1) of `of`: a DNS label of at most 63 characters."""
    end = f"-launcher-{run8}-{attempt}-{index}-of-{of}"
    start = "llmdbench-"
    return start + slug(harness, _LONGEST_LABEL - len(start) - len(end)) + end


def stack_name(method: str, model: str) -> str:
    """`<method>-<parameters>-<kind>` in the era's form, such as `llm-d-1b-instruct`.

    A model's name without a size in it is taken as a whole: `llm-d-gpt2-base`.

    Args:
        method: a deploy method, or `endpoint` for a given URL.
        model: the model's name, with or without its organisation.
    """
    name = model.rstrip("/").rpartition("/")[2].lower()
    words = re.split(r"[-_ :@]+", name)
    size = next((word for word in words if _SIZE.fullmatch(word)), None)
    kind = next((kind for kind in _KINDS_OF_MODEL if kind in words), "base")
    start = "llm-d" if method == "modelservice" else slug(method, 24)
    return f"{start}-{slug(size or name, 32)}-{kind}"


def experiment_id(epoch: int, run8: str, treatment: str = "", attempt: int = 1) -> str:
    """`<epoch>-<run8>[-<treatment>][-a<attempt>]`: the era's shape, never colliding.

    Args:
        epoch: seconds since 1970 at the run's admission.
        run8: see `run8`.
        treatment: the treatment's name, or empty.
        attempt: from 1; only later ones are written out.
    """
    cleaned = re.sub(r"[^A-Za-z0-9]+", "_", treatment)[:64]
    parts = [str(epoch), run8, *([cleaned] if cleaned else [])]
    if attempt > 1:
        parts.append(f"a{attempt}")
    return "-".join(parts)


def fitting(
    folders: Iterable[str], *, harness: str, treatment: str, stack: str | None
) -> list[str]:
    """Those results folders that a run could have made, now or long ago, by load and number.

    Our names and the era's, which have no `<run8>`.

    Args:
        folders: names on a claim.
        harness: as for `results_folder`.
        treatment: as for `experiment_id`.
        stack: None = any.
    """
    cleaned = re.sub(r"[^A-Za-z0-9]+", "_", treatment)[:64]
    name = re.compile(
        rf"{re.escape(harness)}_\d+(?:-[0-9a-f]{{8}})?{'-' * bool(cleaned)}{re.escape(cleaned)}"
        rf"(?:-a\d+)?_{'[^_]+' if stack is None else re.escape(stack)}_\d+"
    )
    return sorted(filter(name.fullmatch, folders), key=_by_load)


def _by_load(folder: str) -> tuple[str, int]:
    load, _, number = folder.rpartition("_")
    return load, int(number)


def results_folder(harness: str, experiment: str, stack: str, index: int) -> str:
    """`<harness>_<experiment id>_<stack>_<i>`: where launcher `index` (from 1) writes."""
    return f"{harness}_{experiment}_{stack}_{index}"
