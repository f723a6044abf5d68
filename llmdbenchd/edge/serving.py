"""Asks a server of this network, by plain HTTP, which models it serves."""

import aiohttp

from llmdbenchd.core.run.record import Target
from llmdbenchd.core.target.asked import Asked, Chosen, NotYet, Refusal, Server
from llmdbenchd.core.target.serving import MODELS, Heard, Silence, Why, found_target, read_models
from llmdbenchd.core.target.serving import said as meant
from llmdbenchd.ports import NotReady, Refused

WITHIN_S = 5.0
_LARGEST = 2**20
_OK = 200


async def heard_from(endpoint: str, *, within_s: float = WITHIN_S) -> Heard:
    """What the server at a URL serves; whatever is in the way is a word, not an error."""
    url = endpoint.partition("?")[0].rstrip("/").removesuffix("/v1") + MODELS
    timeout = aiohttp.ClientTimeout(total=within_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.get(url, allow_redirects=False) as answer,
        ):
            body = await answer.content.read(_LARGEST)
            if answer.status == _OK:
                return read_models(body)
            return meant(answer.status, f"GET {url}: {answer.status} {answer.reason}")
    except TimeoutError:
        return Silence(Why.UNASKED, f"GET {url}: no answer in {within_s:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Silence(Why.UNASKED, f"GET {url}: {error}")


def answered(asked: Asked, chosen: Chosen, servers: tuple[Server, ...], heard: Heard) -> Target:
    """The target.

    Raises:
        Refused: it is not what the run asks for.
        NotReady: it is not ready.
    """
    match found_target(asked, chosen, servers, heard):
        case Target() as target:
            return target
        case Refusal(reason):
            raise Refused(reason)
        case NotYet(reason):
            raise NotReady(reason)
