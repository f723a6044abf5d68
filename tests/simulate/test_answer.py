"""A reply has exactly the tokens that were asked for, each of them in an event of its own."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.simulate.answer import Identity, chunks, compose, tail, whole
from llmdbenchd.simulate.ask import Ask, read_ask
from llmdbenchd.simulate.options import Mode
from llmdbenchd.simulate.tokenizer import encode

IDENTITY = Identity(number=7, created=1_700_000_000)


def asked(*, chat: bool = False, **body: object) -> Ask:
    said = {"messages": [{"role": "user", "content": "baba bebe"}]} if chat else {"prompt": "baba"}
    raw = json.dumps(said | body).encode()
    return read_ask(raw, ("m",), chat=chat, max_model_len=10_000)


def streamed(ask: Ask, mode: Mode = Mode.RANDOM) -> list[list[Any]]:
    """For each token, the events that are sent at its time."""
    replies = compose(ask, 7, seed=0, mode=mode)
    return [
        [json.loads(event.removeprefix("data: ")) for event in sent.decode().split("\n\n") if event]
        for sent in chunks(ask, replies, IDENTITY)
    ]


@given(tokens=st.integers(1, 200), seed=st.integers(), mode=st.sampled_from(Mode))
def test_a_client_that_counts_again_finds_what_was_asked_for(
    tokens: int, seed: int, mode: Mode
) -> None:
    (pieces,) = compose(asked(max_tokens=tokens), 1, seed=seed, mode=mode)

    assert len(pieces) == len(encode("".join(pieces))) == tokens
    assert all(len(encode(piece)) == 1 for piece in pieces)


def test_the_same_seed_and_place_give_the_same_words() -> None:
    ask = asked()

    assert compose(ask, 1, seed=4, mode=Mode.RANDOM) == compose(ask, 1, seed=4, mode=Mode.RANDOM)
    assert compose(ask, 1, seed=4, mode=Mode.RANDOM) != compose(ask, 2, seed=4, mode=Mode.RANDOM)
    assert compose(ask, 1, seed=4, mode=Mode.RANDOM) != compose(ask, 1, seed=5, mode=Mode.RANDOM)


def test_an_echo_says_the_prompt_over_and_over() -> None:
    ask = asked(prompt=["baba <eos> nonsense", ""], max_tokens=4)

    assert compose(ask, 1, seed=0, mode=Mode.ECHO) == (
        ("baba", " unk", " unk", " baba"),
        ("unk", " unk", " unk", " unk"),
    )


def test_only_the_last_token_says_why_the_reply_ended() -> None:
    reasons = [events[0]["choices"][0]["finish_reason"] for events in streamed(asked(max_tokens=3))]

    assert reasons == [None, None, "length"]


def test_each_choice_has_its_own_words_and_index() -> None:
    sent = streamed(asked(prompt=["baba", "bebe"], n=2, max_tokens=5))

    assert [[event["choices"][0]["index"] for event in events] for events in sent] == [
        [0, 1, 2, 3]
    ] * 5
    texts = {"".join(events[place]["choices"][0]["text"] for events in sent) for place in range(4)}
    assert len(texts) == 4


def test_a_chat_brings_its_role_with_the_first_token() -> None:
    deltas = [events[0]["choices"][0]["delta"] for events in streamed(asked(chat=True))]

    assert deltas[0]["role"] == "assistant"
    assert all(delta["content"] for delta in deltas)
    assert not any("role" in delta for delta in deltas[1:])


@pytest.mark.parametrize(
    ("chat", "chunk_kind", "whole_kind", "prefix"),
    [
        (False, "text_completion", "text_completion", "cmpl-"),
        (True, "chat.completion.chunk", "chat.completion", "chatcmpl-"),
    ],
)
def test_each_interface_names_its_objects(
    *, chat: bool, chunk_kind: str, whole_kind: str, prefix: str
) -> None:
    ask = asked(chat=chat)
    first = streamed(ask)[0][0]
    at_once = whole(ask, compose(ask, 7, seed=0, mode=Mode.RANDOM), IDENTITY)

    assert first["object"] == chunk_kind
    assert at_once["object"] == whole_kind
    assert str(first["id"]).startswith(prefix)
    assert first["id"] == at_once["id"]


def test_the_counts_come_last_and_only_when_asked_for() -> None:
    ask = asked(max_tokens=4, stream_options={"include_usage": True})
    counts, done = tail(ask, IDENTITY).decode().split("\n\n")[:2]

    assert tail(asked(), IDENTITY) == b"data: [DONE]\n\n"
    assert done == "data: [DONE]"
    last = json.loads(counts.removeprefix("data: "))
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}


def test_running_counts_grow_with_each_token() -> None:
    ask = asked(n=2, max_tokens=3, stream_options={"continuous_usage_stats": True})
    sent = streamed(ask)

    assert [events[0]["usage"]["completion_tokens"] for events in sent] == [2, 4, 6]
    assert "usage" not in streamed(asked())[0][0]
