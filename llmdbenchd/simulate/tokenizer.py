"""The simulator's vocabulary: a word is a token, so a count is never a matter of opinion.

A text's tokens are its runs of the letters a to z after lower-casing; everything else
only separates. `model_files` writes the same rules as a Hugging Face tokenizer, so a
client that tokenizes again gets the server's count exactly.
"""

import re
from collections.abc import Iterable
from itertools import islice, product

END_TEXT = "<eos>"
UNKNOWN_TEXT = "unk"
END_ID = 0
UNKNOWN_ID = 1
FIRST_WORD_ID = 2
VOCABULARY_SIZE = 4000

_ONSETS = "bdfghjklmnprstvz"
_VOWELS = "aeiou"
_LETTERS = re.compile("[a-z]+")


def _made_words() -> Iterable[str]:
    syllables = [onset + vowel for onset, vowel in product(_ONSETS, _VOWELS)]
    return ("".join(pair) for pair in product(syllables, repeat=2))


WORDS: tuple[str, ...] = (
    END_TEXT,
    UNKNOWN_TEXT,
    *islice(_made_words(), VOCABULARY_SIZE - FIRST_WORD_ID),
)
"""All tokens; a token's id is its place."""

_IDS = {word: number for number, word in enumerate(WORDS)}


def encode(text: str) -> list[int]:
    """The ids of a text's tokens; words outside the vocabulary are `UNKNOWN_ID`.

    The end mark is found before lower-casing, as Hugging Face does with a special token.
    """
    ids: list[int] = []
    for place, part in enumerate(text.split(END_TEXT)):
        if place > 0:
            ids.append(END_ID)
        ids.extend(_IDS.get(word, UNKNOWN_ID) for word in _LETTERS.findall(part.lower()))
    return ids


def spoken(token: int) -> str:
    """The word that a reply uses for a token: the end mark is never said inside a reply.

    Args:
        token: 0 to `VOCABULARY_SIZE` - 1.
    """
    return UNKNOWN_TEXT if token == END_ID else WORDS[token]
