"""Which requests fail on purpose: decided by their place in the order of arrival alone."""

import random

from llmdbenchd.simulate.options import Options
from llmdbenchd.simulate.trouble import Trouble


def planned_fault(options: Options, number: int) -> Trouble | None:
    """The trouble that awaits the `number`-th request (from 1), or None.

    The same seed gives the same victims, whatever the timing.
    """
    if options.refuse_after is not None and number > options.refuse_after:
        return Trouble(
            503, f"refused on purpose: {options.refuse_after} requests were served (refuse-after)"
        )
    if options.fail_every is not None and number % options.fail_every == 0:
        return Trouble(500, f"failed on purpose: request {number} (fail-every)")
    draw = random.Random(f"{options.seed}/fault/{number}")  # noqa: S311 - picks victims, no secret
    if draw.random() < options.failure_rate:
        return Trouble(500, f"failed on purpose: request {number} (failure-injection-rate)")
    return None
