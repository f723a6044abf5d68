"""Bodies are read at the door: what passes has right values, what does not is told why."""

import json

import pytest

from llmdbenchd.simulate.ask import DEFAULT_TOKENS, Ask, read_ask, read_tokenize
from llmdbenchd.simulate.trouble import Trouble

MODELS = ("llmdbench/tiny", "second")


def ask(body: object, *, chat: bool = False) -> Ask:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_ask(raw, MODELS, chat=chat, max_model_len=100)


def refusal(body: object, *, chat: bool = False) -> Trouble:
    with pytest.raises(Trouble) as caught:
        ask(body, chat=chat)
    return caught.value


def test_a_body_that_says_only_a_prompt_gets_the_defaults() -> None:
    assert ask({"prompt": "baba babe"}) == Ask(
        chat=False,
        model="llmdbench/tiny",
        prompts=((2, 3),),
        repeats=1,
        tokens=DEFAULT_TOKENS,
        stream=False,
        usage=False,
        running_usage=False,
    )


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("baba", ((2,),)),
        ("", ((),)),
        (["baba", "babe babi"], ((2,), (3, 4))),
        ([7, 8, 9], ((7, 8, 9),)),
        ([[7], [8, 9]], ((7,), (8, 9))),
    ],
)
def test_a_prompt_comes_in_each_shape_of_the_interface(
    prompt: object, read: tuple[tuple[int, ...], ...]
) -> None:
    assert ask({"prompt": prompt}).prompts == read


def test_the_newer_name_of_the_token_limit_wins() -> None:
    assert ask({"prompt": "", "max_tokens": 5}).tokens == 5
    assert ask({"prompt": "", "max_tokens": 5, "max_completion_tokens": 6}).tokens == 6


def test_a_null_is_as_good_as_nothing_said() -> None:
    body = {"prompt": "", "max_tokens": None, "n": None, "stream": None, "stream_options": None}

    assert ask(body) == ask({"prompt": ""})


def test_fields_that_are_not_known_do_no_harm() -> None:
    assert ask({"prompt": "", "ignore_eos": True, "temperature": 0.5}) == ask({"prompt": ""})


def test_all_text_of_a_conversation_is_counted() -> None:
    parts = [
        {"type": "text", "text": "baba babe"},
        {"type": "image_url", "image_url": {"url": "data:,"}},
        {"type": "text", "text": "babi"},
    ]
    messages = [
        {"role": "system", "content": "bobo"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]

    assert ask({"messages": messages}, chat=True).prompt_tokens == 4


def test_several_prompts_and_repeats_multiply() -> None:
    several = ask({"prompt": ["baba", "babe"], "n": 3})

    assert several.choices == 6
    assert several.prompt_tokens == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ([], "Expected `object`"),
        ({}, "missing required field `prompt`"),
        ({"prompt": 5}, "$.prompt"),
        ({"prompt": []}, "not empty"),
        ({"prompt": ["baba", 5]}, "a list of texts"),
        ({"prompt": [4000]}, "4000 is not in the vocabulary"),
        ({"prompt": [-1]}, "-1 is not in the vocabulary"),
        ({"prompt": "", "max_tokens": "5"}, "$.max_tokens"),
        ({"prompt": "", "max_tokens": 0}, "at least 1"),
        ({"prompt": "", "n": 0}, "n must be at least 1"),
        ({"prompt": ["", ""], "n": 513}, "at most 1024"),
        ({"prompt": "baba", "max_tokens": 100}, "maximum context length is 100"),
        ({"prompt": "", "stream": "yes"}, "$.stream"),
    ],
)
def test_a_bad_body_is_refused_with_what_is_wrong(body: object, words: str) -> None:
    trouble = refusal(body)

    assert trouble.status == 400
    assert words in trouble.message


def test_a_chat_without_messages_is_refused() -> None:
    assert "messages" in refusal({"prompt": "baba"}, chat=True).message


def test_an_unknown_model_is_not_found_and_the_served_ones_are_named() -> None:
    trouble = refusal({"model": "third", "prompt": ""})

    assert trouble.status == 404
    assert "llmdbench/tiny, second" in trouble.message
    assert ask({"model": "second", "prompt": ""}).model == "second"


def test_a_text_or_a_conversation_can_be_tokenized() -> None:
    messages = [{"role": "user", "content": "baba"}]

    assert read_tokenize(b'{"prompt": "baba babe"}', MODELS) == [2, 3]
    assert read_tokenize(json.dumps({"messages": messages}).encode(), MODELS) == [2]
    with pytest.raises(Trouble, match="prompt or messages"):
        read_tokenize(b"{}", MODELS)
