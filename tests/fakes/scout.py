"""A scout that finds what it is told to find, after the trouble that it is told to have."""

from llmdbenchd.core.run.record import Target
from llmdbenchd.core.target.asked import Asked
from tests.core.run.cases import TARGET


class FakeScout:
    """Looks for targets in no world.

    Attributes:
        found: what it finds.
        trouble: what the next look-ups raise.
        asked: everything that it was asked.
    """

    def __init__(self) -> None:
        self.found: Target = TARGET
        self.trouble: list[Exception] = []
        self.asked: list[Asked] = []

    async def find(self, asked: Asked) -> Target:
        self.asked.append(asked)
        if self.trouble:
            raise self.trouble.pop(0)
        return self.found
