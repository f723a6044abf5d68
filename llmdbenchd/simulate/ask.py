"""The door for request bodies: JSON in, an `Ask` with right values out, or a clear error."""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from llmdbenchd.simulate.tokenizer import VOCABULARY_SIZE, encode
from llmdbenchd.simulate.trouble import Trouble

DEFAULT_TOKENS = 16  # what the completions interface promises when nothing is said
_MOST_CHOICES = 1024

Ids = tuple[int, ...]
_Shape = TypeVar("_Shape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request that can be served.

    Attributes:
        chat: whether it came to the chat interface.
        model: a served id.
        prompts: token ids, at least one prompt.
        repeats: replies per prompt (`n`).
        tokens: of each reply.
        usage: whether a stream ends with the token counts.
        running_usage: whether every chunk of a stream carries them.
    """

    chat: bool
    model: str
    prompts: tuple[Ids, ...]
    repeats: int
    tokens: int
    stream: bool
    usage: bool
    running_usage: bool

    @property
    def choices(self) -> int:
        """Replies in all."""
        return len(self.prompts) * self.repeats

    @property
    def prompt_tokens(self) -> int:
        """Tokens of all prompts together."""
        return sum(map(len, self.prompts))


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None


class _Body(msgspec.Struct, kw_only=True):
    model: str | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None

    def tokens(self) -> int:
        """The newer name wins, as at OpenAI."""
        if self.max_completion_tokens is not None:
            return self.max_completion_tokens
        return DEFAULT_TOKENS if self.max_tokens is None else self.max_tokens


class _Completion(_Body, kw_only=True):
    prompt: str | list[str | int | list[int]]

    def prompts(self) -> tuple[Ids, ...]:
        return _prompts(self.prompt)


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None


class _Chat(_Body, kw_only=True):
    messages: list[_Message]

    def prompts(self) -> tuple[Ids, ...]:
        return (tuple(encode(_said(self.messages))),)


class _Tokenize(msgspec.Struct, kw_only=True):
    model: str | None = None
    prompt: str | None = None
    messages: list[_Message] | None = None


_SHAPES: dict[bool, type[_Chat | _Completion]] = {True: _Chat, False: _Completion}


def read_ask(body: bytes, models: tuple[str, ...], *, chat: bool, max_model_len: int) -> Ask:
    """Read a completion or chat body.

    Args:
        body: the raw body.
        models: served ids, the default first.
        chat: which interface it came to.
        max_model_len: tokens of prompt and reply together.

    Raises:
        Trouble: 400 or 404, saying what is wrong with which field.
    """
    parsed = _decode(body, _SHAPES[chat])
    stream_options = parsed.stream_options or _StreamOptions()
    ask = Ask(
        chat=chat,
        model=served_model(parsed.model, models),
        prompts=parsed.prompts(),
        repeats=1 if parsed.n is None else parsed.n,
        tokens=parsed.tokens(),
        stream=bool(parsed.stream),
        usage=bool(stream_options.include_usage),
        running_usage=bool(stream_options.continuous_usage_stats),
    )
    _check_sizes(ask, max_model_len)
    return ask


def read_tokenize(body: bytes, models: tuple[str, ...]) -> list[int]:
    """The ids of the text in a body for `/tokenize`.

    Raises:
        Trouble: 400 or 404, saying what is wrong.
    """
    parsed = _decode(body, _Tokenize)
    served_model(parsed.model, models)
    if parsed.messages is not None:
        return encode(_said(parsed.messages))
    if parsed.prompt is None:
        raise Trouble(400, "give a prompt or messages to tokenize", param="prompt")
    return encode(parsed.prompt)


def served_model(name: str | None, models: tuple[str, ...]) -> str:
    """The served id that a body means; the first when it names none.

    Raises:
        Trouble: 404, with the ids that are served.
    """
    if name is None:
        return models[0]
    if name in models:
        return name
    served = ", ".join(models)
    raise Trouble(404, f"The model `{name}` does not exist. Served: {served}.", param="model")


def _decode(body: bytes, shape: type[_Shape]) -> _Shape:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise Trouble(400, f"the body does not fit: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Trouble(400, f"the body is not JSON: {error}") from error


def _said(messages: list[_Message]) -> str:
    """All text of a conversation; the chat template adds no tokens of its own."""
    texts: list[str] = []
    for message in messages:
        if isinstance(message.content, str):
            texts.append(message.content)
        elif message.content is not None:
            texts += [part.text for part in message.content if part.type == "text"]
    return "\n".join(texts)


def _prompts(prompt: str | list[str | int | list[int]]) -> tuple[Ids, ...]:
    if isinstance(prompt, str):
        return (tuple(encode(prompt)),)
    numbers = [item for item in prompt if isinstance(item, int)]
    if numbers and len(numbers) == len(prompt):
        return (_known(numbers),)
    texts = [item for item in prompt if isinstance(item, str)]
    if texts and len(texts) == len(prompt):
        return tuple(tuple(encode(text)) for text in texts)
    lists = [item for item in prompt if isinstance(item, list)]
    if lists and len(lists) == len(prompt):
        return tuple(_known(ids) for ids in lists)
    raise Trouble(
        400,
        "prompt must be a text, a list of texts, a list of token ids or a list of such lists, "
        "and not empty",
        param="prompt",
    )


def _known(ids: list[int]) -> Ids:
    for number in ids:
        if not 0 <= number < VOCABULARY_SIZE:
            raise Trouble(
                400,
                f"token id {number} is not in the vocabulary of {VOCABULARY_SIZE}",
                param="prompt",
            )
    return tuple(ids)


def _check_sizes(ask: Ask, max_model_len: int) -> None:
    if ask.tokens < 1:
        raise Trouble(400, f"max_tokens must be at least 1, got {ask.tokens}", param="max_tokens")
    if ask.repeats < 1 or ask.choices > _MOST_CHOICES:
        raise Trouble(
            400,
            f"n must be at least 1, and n times the prompts at most {_MOST_CHOICES}; "
            f"got n={ask.repeats} for {len(ask.prompts)} prompts",
            param="n",
        )
    longest = max(map(len, ask.prompts))
    if longest + ask.tokens > max_model_len:
        raise Trouble(
            400,
            f"This model's maximum context length is {max_model_len} tokens; the prompt has "
            f"{longest} and the reply would have {ask.tokens}. Shorten one of them.",
            param="max_tokens",
        )
