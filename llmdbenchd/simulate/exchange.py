"""One request under way: what was asked, what has been sent so far, and how it came out."""

from datetime import UTC, datetime

from llmdbenchd.simulate.ask import Ask
from llmdbenchd.simulate.metrics import Metrics
from llmdbenchd.simulate.truth import Outcome, TruthLine

_DIGITS = 6  # microseconds


class Exchange:
    """The facts of one request; times are on the loop's clock.

    Attributes:
        index: place in the order of arrival, from 1.
        arrival: when its handling began; `arrival_utc` the same in seconds since 1970.
        status: the HTTP status so far.
        error: the message of a failure, or None.
        left: whether the client was found gone.
    """

    def __init__(
        self, index: int, *, arrival: float, arrival_utc: float, path: str, user_agent: str | None
    ) -> None:
        self.index = index
        self.arrival = arrival
        self.arrival_utc = arrival_utc
        self.status = 200
        self.error: str | None = None
        self.left = False
        self._path = path
        self._user_agent = user_agent
        self._ask: Ask | None = None
        self._steps = 0
        self._first: float | None = None
        self._last: float | None = None

    def begin(self, ask: Ask) -> None:
        """The body was read and makes sense."""
        self._ask = ask

    def made(self, now: float, metrics: Metrics) -> None:
        """One more token of each reply was made, and sent if the reply is a stream."""
        if self._ask is None:
            raise RuntimeError("tokens were made before anything was asked")
        if self._last is None:
            self._first = now
            metrics.prompt_tokens += self._ask.prompt_tokens
            metrics.ttft.observe(now - self.arrival)
        else:
            metrics.itl.observe(now - self._last)
        self._last = now
        self._steps += 1
        metrics.generation_tokens += self._ask.choices

    def failed(self, status: int, message: str) -> None:
        """An error is the answer."""
        self.status = status
        self.error = message

    def line(self, outcome: Outcome, now: float) -> TruthLine:
        """What the truth file says about it: what was sent, not what was made."""
        choices = self._ask.choices if self._ask else 0
        streamed = self._ask is not None and self._ask.stream
        sent = streamed or outcome is Outcome.SERVED
        return TruthLine(
            index=self.index,
            arrival=datetime.fromtimestamp(self.arrival_utc, UTC).isoformat(),
            path=self._path,
            status=self.status,
            outcome=outcome,
            streamed=streamed,
            choices=choices,
            prompt_tokens=self._ask.prompt_tokens if self._ask else 0,
            output_tokens=self._steps * choices if sent else 0,
            ttft_s=self._after(self._first) if streamed else None,
            itl_s=self._mean_gap() if streamed else None,
            last_s=self._after(self._last) if sent else None,
            end_s=round(now - self.arrival, _DIGITS),
            user_agent=self._user_agent,
            error=self.error,
        )

    def _after(self, moment: float | None) -> float | None:
        return None if moment is None else round(moment - self.arrival, _DIGITS)

    def _mean_gap(self) -> float | None:
        if self._first is None or self._last is None or self._steps <= 1:
            return None
        return round((self._last - self._first) / (self._steps - 1), _DIGITS)
