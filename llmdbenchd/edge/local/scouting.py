"""The local room's scout: a URL is all that it needs; who is behind it nobody can say."""

from llmdbenchd.core.run.record import Target
from llmdbenchd.core.target.asked import Asked, Chosen
from llmdbenchd.edge.serving import answered, heard_from
from llmdbenchd.ports import Refused


class LocalScout:
    """Looks for targets without a cluster."""

    async def find(self, asked: Asked) -> Target:
        """The target that a URL names.

        Raises:
            Refused: no URL is given.
            NotReady: the server says that it is not ready.
        """
        if not asked.endpoint:
            raise Refused("nothing is discovered without a cluster: write endpoint: URL")
        chosen = Chosen(endpoint=asked.endpoint, what=asked.endpoint)
        return answered(asked, chosen, (), await heard_from(asked.endpoint))
