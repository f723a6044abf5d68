"""Server and client count tokens by the same rules."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmdbenchd.simulate.model_files import model_files
from llmdbenchd.simulate.tokenizer import (
    END_ID,
    UNKNOWN_ID,
    VOCABULARY_SIZE,
    WORDS,
    encode,
    spoken,
)

TOKENIZER: dict[str, Any] = json.loads(model_files(2048)["tokenizer.json"])
PIECES = st.sampled_from(["<eos>", "<EOS>", " ", "\n", "Baba", "BEBE", "don't", "unk", "1"])


def as_the_file_says(text: str) -> list[int]:
    """Tokenize by the rules in tokenizer.json, read as its library reads them."""
    lower, replace = TOKENIZER["normalizer"]["normalizers"]
    assert lower == {"type": "Lowercase"}
    assert TOKENIZER["pre_tokenizer"] == {"type": "WhitespaceSplit"}
    vocabulary = TOKENIZER["model"]["vocab"]
    (mark,) = TOKENIZER["added_tokens"]
    ids: list[int] = []
    for part in re.split(f"({re.escape(mark['content'])})", text):
        if part == mark["content"]:
            ids.append(mark["id"])
            continue
        cleaned = re.sub(replace["pattern"]["Regex"], replace["content"], part.lower())
        unknown = vocabulary[TOKENIZER["model"]["unk_token"]]
        ids += [vocabulary.get(word, unknown) for word in cleaned.split()]
    return ids


@given(st.lists(PIECES | st.text(max_size=8)).map("".join))
def test_the_written_tokenizer_and_the_server_agree_on_every_text(text: str) -> None:
    assert encode(text) == as_the_file_says(text)


@given(st.lists(st.integers(0, VOCABULARY_SIZE - 1), max_size=60))
def test_ids_survive_being_spelt_out_and_read_again(ids: list[int]) -> None:
    assert encode(" ".join(WORDS[number] for number in ids)) == ids


def test_the_vocabulary_has_four_thousand_different_words() -> None:
    assert len(WORDS) == len(set(WORDS)) == VOCABULARY_SIZE == 4000


def test_case_and_punctuation_make_no_difference() -> None:
    assert encode("Baba, BEBE! babi") == encode("baba bebe babi")
    assert len(encode("one,two")) == 2


def test_a_word_outside_the_vocabulary_is_one_unknown_token() -> None:
    assert encode("supercalifragilistic") == [UNKNOWN_ID]


def test_the_end_mark_is_a_token_only_as_it_is_written() -> None:
    assert encode("baba<eos>bebe") == [2, END_ID, encode("bebe")[0]]
    assert encode("<EOS>") == [UNKNOWN_ID]


def test_a_reply_never_says_the_end_mark() -> None:
    assert all(len(encode(spoken(number))) == 1 for number in range(VOCABULARY_SIZE))
    assert spoken(END_ID) == "unk"


def test_the_model_claims_the_length_that_was_set() -> None:
    files = {name: json.loads(text) for name, text in model_files(2048).items()}

    assert files["tokenizer_config.json"]["model_max_length"] == 2048
    assert files["config.json"]["max_position_embeddings"] == 2048
    assert files["config.json"]["vocab_size"] == VOCABULARY_SIZE
