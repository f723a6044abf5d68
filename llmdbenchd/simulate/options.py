"""What the stand-in server is asked to be: checked once, then right."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from llmdbenchd.simulate.hub_cache import is_repository_id
from llmdbenchd.simulate.load import Load

DEFAULT_MODEL = "llmdbench/tiny"
_LAST_PORT = 65535


class Mode(StrEnum):
    """Where the words of a reply come from."""

    RANDOM = "random"  # drawn from the vocabulary by seed and request
    ECHO = "echo"  # the prompt's own words, over and over


class WrongOptions(ValueError):
    """Some options make no sense.

    Attributes:
        problems: all of them, one sentence each.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All settings of one simulator. Times are seconds; None means "never" or "no limit".

    Attributes:
        port: 0 takes any free one.
        models: served ids; the first labels the metrics and serves bodies without a model.
        ttft_s: from a request's arrival (or its turn, see `max_num_seqs`) to its first token.
        itl_s: from token to token.
        failure_rate: share of requests answered with 500, 0 to 1, chosen by `seed`.
        fail_every: every n-th request is answered with 500.
        refuse_after: requests served before all others are answered with 503.
        startup_s: how long it answers 503 after it began to listen.
        max_num_seqs: requests served at once; more wait in line.
        max_model_len: tokens of prompt and reply together.
        truth: file for what was really sent (see `truth`), made anew.
        hf_cache: folder for a Hugging Face cache with the served models' tokenizer.
        address_file: file that holds the address while the server listens.
        load: the log to write before it listens.
        api_key: whoever asks below `/v1` without it gets 401; None = anybody may.

    Raises:
        WrongOptions: with every problem at once.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    models: tuple[str, ...] = (DEFAULT_MODEL,)
    ttft_s: float = 0.05
    itl_s: float = 0.01
    failure_rate: float = 0.0
    fail_every: int | None = None
    refuse_after: int | None = None
    startup_s: float = 0.0
    max_num_seqs: int | None = None
    max_model_len: int = 131072
    seed: int = 0
    mode: Mode = Mode.RANDOM
    truth: Path | None = None
    hf_cache: Path | None = None
    address_file: Path | None = None
    load: Load | None = None
    api_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        checks = (_wrong_times, _wrong_counts, _wrong_ranges, _wrong_models, _wrong_load)
        problems = [problem for check in checks for problem in check(self)]
        if problems:
            raise WrongOptions(problems)


def _wrong_times(options: Options) -> list[str]:
    times = {
        "ttft": options.ttft_s,
        "itl": options.itl_s,
        "startup-duration": options.startup_s,
    }
    return [
        f"{name} is {value} s: must be 0 or more"
        for name, value in times.items()
        if not (math.isfinite(value) and value >= 0)
    ]


def _wrong_counts(options: Options) -> list[str]:
    counts = {
        "fail-every": options.fail_every,
        "max-num-seqs": options.max_num_seqs,
        "max-model-len": options.max_model_len,
    }
    problems = [
        f"{name} is {value}: must be 1 or more; leave it out for none"
        for name, value in counts.items()
        if value is not None and value < 1
    ]
    if options.refuse_after is not None and options.refuse_after < 0:
        problems.append(f"refuse-after is {options.refuse_after}: must be 0 or more")
    return problems


def _wrong_ranges(options: Options) -> list[str]:
    problems: list[str] = []
    if not 0 <= options.failure_rate <= 1:
        problems.append(
            f"failure-injection-rate is {options.failure_rate}: a share from 0 to 1 (10 % is 0.1)"
        )
    if not 0 <= options.port <= _LAST_PORT:
        problems.append(f"port is {options.port}: must be 0 (any) to {_LAST_PORT}")
    return problems


def _wrong_models(options: Options) -> list[str]:
    problems = [f"model {name!r}: an empty name" for name in options.models if not name.strip()]
    if not options.models:
        problems.append("no model: name at least one to serve")
    if len(set(options.models)) < len(options.models):
        problems.append("a model is named twice")
    if options.hf_cache is not None:
        problems += [
            f"model {name!r}: hf-cache needs names that a hub could hold, such as {DEFAULT_MODEL}"
            for name in options.models
            if name.strip() and not is_repository_id(name)
        ]
    return problems


def _wrong_load(options: Options) -> list[str]:
    return [] if options.load is None else options.load.problems()
