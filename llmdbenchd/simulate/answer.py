"""What a reply says, and the JSON it is wrapped in: the shapes of OpenAI as vLLM fills them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice

import msgspec

from llmdbenchd.simulate.ask import Ask
from llmdbenchd.simulate.options import Mode
from llmdbenchd.simulate.tokenizer import FIRST_WORD_ID, UNKNOWN_ID, WORDS, spoken

DONE = b"data: [DONE]\n\n"
_FINISHED = "length"  # a reply ends because it has all tokens that were asked for

Replies = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one reply from another.

    Attributes:
        number: the request's place in the order of arrival, from 1.
        created: seconds since 1970.
    """

    number: int
    created: int


def compose(ask: Ask, number: int, *, seed: int, mode: Mode) -> Replies:
    """The pieces of each reply, one token each; joined they are its text.

    The same seed, place in line and ask give the same words.
    """
    return tuple(
        _pieces(_words(ask, place, f"{seed}/{number}/{place}", mode))
        for place in range(ask.choices)
    )


def chunks(ask: Ask, replies: Replies, identity: Identity) -> Iterator[bytes]:
    """The events of a stream: for each token of the replies, what is sent at its time."""
    head = _head(ask, identity, streamed=True)
    for step, pieces in enumerate(zip(*replies, strict=True), start=1):
        usage = {"usage": _usage(ask, step)} if ask.running_usage else {}
        yield b"".join(
            _event(head | {"choices": [_chunk(ask, place, piece, step)]} | usage)
            for place, piece in enumerate(pieces)
        )


def tail(ask: Ask, identity: Identity) -> bytes:
    """What follows a stream's last token: the counts if they were asked for, and the end."""
    if not ask.usage:
        return DONE
    head = _head(ask, identity, streamed=True)
    return _event(head | {"choices": [], "usage": _usage(ask, ask.tokens)}) + DONE


def whole(ask: Ask, replies: Replies, identity: Identity) -> dict[str, object]:
    """The body of a reply that is not streamed."""
    choices = [_choice(ask, place, "".join(pieces)) for place, pieces in enumerate(replies)]
    head = _head(ask, identity, streamed=False)
    return head | {"choices": choices, "usage": _usage(ask, ask.tokens)}


def _words(ask: Ask, place: int, seed: str, mode: Mode) -> list[str]:
    prompt = ask.prompts[place // ask.repeats]
    if mode is Mode.ECHO:
        return [spoken(token) for token in islice(cycle(prompt or (UNKNOWN_ID,)), ask.tokens)]
    draw = random.Random(seed)  # noqa: S311 - words to fill a reply, not a secret
    return draw.choices(WORDS[FIRST_WORD_ID:], k=ask.tokens)


def _pieces(words: list[str]) -> tuple[str, ...]:
    return (words[0], *(f" {word}" for word in words[1:]))


def _head(ask: Ask, identity: Identity, *, streamed: bool) -> dict[str, object]:
    prefix, kind = ("chatcmpl", "chat.completion") if ask.chat else ("cmpl", "text_completion")
    if streamed and ask.chat:
        kind += ".chunk"
    return {
        "id": f"{prefix}-{identity.created:x}-{identity.number}",
        "object": kind,
        "created": identity.created,
        "model": ask.model,
    }


def _chunk(ask: Ask, place: int, piece: str, step: int) -> dict[str, object]:
    content: dict[str, object] = {"text": piece}
    if ask.chat:
        # The role comes with the first token: clients take a chunk of its own for a token.
        role = {"role": "assistant"} if step == 1 else {}
        content = {"delta": role | {"content": piece}}
    reason = _FINISHED if step == ask.tokens else None
    return {"index": place, **content, "logprobs": None, "finish_reason": reason}


def _choice(ask: Ask, place: int, text: str) -> dict[str, object]:
    content: dict[str, object] = {"text": text}
    if ask.chat:
        content = {"message": {"role": "assistant", "content": text}}
    return {"index": place, **content, "logprobs": None, "finish_reason": _FINISHED}


def _usage(ask: Ask, step: int) -> dict[str, int]:
    said = step * ask.choices
    return {
        "prompt_tokens": ask.prompt_tokens,
        "completion_tokens": said,
        "total_tokens": ask.prompt_tokens + said,
    }


def _event(content: dict[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(content) + b"\n\n"
