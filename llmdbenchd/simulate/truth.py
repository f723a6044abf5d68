"""The truth file: one JSON line for each finished request, with what was really sent.

Written by the simulator, read by whoever holds a harness's figures against it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from statistics import fmean

import msgspec


class Outcome(StrEnum):
    """How a request came out, seen from the server."""

    SERVED = "served"  # every byte was handed to the connection
    FAILED = "failed"  # an error status was the answer
    LEFT = "left"  # the client went away before the end
    STOPPED = "stopped"  # the server was stopped before the end


class TruthLine(msgspec.Struct, frozen=True, kw_only=True):
    """One finished request. Times are seconds after its arrival.

    Attributes:
        index: place in the order of arrival, from 1.
        arrival: ISO-8601, UTC.
        status: the HTTP status that was sent or would have been.
        choices: replies that were asked for; tokens of all of them are counted.
        output_tokens: tokens sent (a whole reply is sent at its end).
        ttft_s: first token sent; None where nothing was streamed.
        itl_s: mean time between the tokens of a stream; None below two.
        last_s: last token sent, or None.
        end_s: the end of the request.
        error: the message of a failure, or None.
    """

    index: int
    arrival: str
    path: str
    status: int
    outcome: Outcome
    streamed: bool
    choices: int
    prompt_tokens: int
    output_tokens: int
    ttft_s: float | None
    itl_s: float | None
    last_s: float | None
    end_s: float
    user_agent: str | None
    error: str | None

    @property
    def gaps(self) -> int:
        """Times between tokens of one reply."""
        return max(self.output_tokens // max(self.choices, 1) - 1, 0)


class BadTruth(ValueError):
    """A truth file has a line that is not one, and not because it was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthSummary:
    """What a server really did. Means are over served streams, None where there are none.

    Attributes:
        requests: all finished ones.
        failures: answered with an error.
        unfinished: left by the client, or stopped with the server.
        ttft_ms: mean time to first token.
        itl_ms: mean time between tokens, each gap with the same weight.
        latency_ms: mean time to the last token.
        output_tokens: sent in all, those of unfinished requests included.
        torn: whether the last line was cut off and is not counted.
    """

    requests: int
    failures: int
    unfinished: int
    prompt_tokens: int
    output_tokens: int
    ttft_ms: float | None
    itl_ms: float | None
    latency_ms: float | None
    torn: bool


def write_line(line: TruthLine) -> str:
    """The line of a truth file, with its newline."""
    return msgspec.json.encode(line).decode() + "\n"


def read_truth(text: str | Iterable[str]) -> TruthSummary:
    """Sum up a truth file.

    Args:
        text: the file's text, or its lines. A last line without its newline may be
            cut off (a server that was killed): it is left out then, and noted.

    Raises:
        BadTruth: with the number of the line that cannot be read.
    """
    lines = list(StringIO(text) if isinstance(text, str) else text)
    requests: list[TruthLine] = []
    torn = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            requests.append(msgspec.json.decode(line, type=TruthLine))
        except msgspec.MsgspecError as error:
            if number < len(lines) or line.endswith("\n"):
                raise BadTruth(f"line {number} is no finished request: {error}") from error
            torn = True
    return _summary(requests, torn=torn)


def _summary(requests: list[TruthLine], *, torn: bool) -> TruthSummary:
    outcomes = [line.outcome for line in requests]
    streams = [line for line in requests if line.outcome is Outcome.SERVED and line.streamed]
    gapped = [line for line in streams if line.itl_s is not None]
    return TruthSummary(
        requests=len(requests),
        failures=outcomes.count(Outcome.FAILED),
        unfinished=outcomes.count(Outcome.LEFT) + outcomes.count(Outcome.STOPPED),
        prompt_tokens=sum(line.prompt_tokens for line in requests),
        output_tokens=sum(line.output_tokens for line in requests),
        ttft_ms=_mean_ms([line.ttft_s for line in streams]),
        itl_ms=_mean_ms([line.itl_s for line in gapped], [line.gaps for line in gapped]),
        latency_ms=_mean_ms([line.last_s for line in streams]),
        torn=torn,
    )


def _mean_ms(seconds: list[float | None], weights: list[int] | None = None) -> float | None:
    known = [value for value in seconds if value is not None]
    return 1000 * fmean(known, weights) if known else None
