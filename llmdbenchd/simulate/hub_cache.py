"""Lays out a Hugging Face cache, so that a served model's name is a tokenizer's name too.

Point a harness at it with `HF_HOME=<folder>` and `HF_HUB_OFFLINE=1`.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from llmdbenchd.simulate.model_files import model_files
from llmdbenchd.simulate.whole_file import write_whole

_PART = "[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_LONGEST_ID = 96  # the hub's own limit
_REPOSITORY = re.compile(f"(?:{_PART}/)?{_PART}")


def is_repository_id(name: str) -> bool:
    """Whether the hub could hold a model of this name (`name` or `organisation/name`)."""
    return (
        _REPOSITORY.fullmatch(name) is not None
        and "--" not in name
        and ".." not in name
        and len(name) <= _LONGEST_ID
    )


def write_hub_cache(home: Path, models: Iterable[str], *, max_model_len: int) -> None:
    """Write what `HF_HOME` holds after each of the models was downloaded.

    A snapshot is named by its content and `refs/main` is switched last, so a reader
    never meets a half-written model. What else is in the folder stays.

    Args:
        home: made when missing.
        models: repository ids.
        max_model_len: see `model_files`.

    Raises:
        OSError: the folder cannot be written.
    """
    files = model_files(max_model_len)
    commit = hashlib.sha256("".join(files.values()).encode()).hexdigest()[:40]
    for model in models:
        _write_model(home / "hub" / f"models--{model.replace('/', '--')}", commit, files)


def _write_model(folder: Path, commit: str, files: dict[str, str]) -> None:
    snapshot = folder / "snapshots" / commit
    references = folder / "refs"
    for place in (snapshot, references, folder / "blobs"):
        place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_whole(snapshot / name, text)
    write_whole(references / "main", commit)
