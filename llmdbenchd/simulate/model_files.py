"""The tokenizer and the model's description as the JSON files that Hugging Face loads."""

import json

from llmdbenchd.simulate.tokenizer import END_ID, END_TEXT, UNKNOWN_TEXT, WORDS


def model_files(max_model_len: int) -> dict[str, str]:
    """File name -> JSON text of a model folder without weights.

    Args:
        max_model_len: tokens of prompt and reply together that the model claims to take.
    """
    files = {
        "tokenizer.json": _tokenizer(),
        "tokenizer_config.json": _tokenizer_config(max_model_len),
        "config.json": _config(max_model_len),
    }
    return {name: json.dumps(content, indent=1) + "\n" for name, content in files.items()}


def _tokenizer() -> dict[str, object]:
    end_mark = {
        "id": END_ID,
        "content": END_TEXT,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }
    letters_only = {"type": "Replace", "pattern": {"Regex": "[^a-z]+"}, "content": " "}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [end_mark],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, letters_only]},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: number for number, word in enumerate(WORDS)},
            "unk_token": UNKNOWN_TEXT,
        },
    }


def _tokenizer_config(max_model_len: int) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_model_len,
        "eos_token": END_TEXT,
        "pad_token": END_TEXT,
        "clean_up_tokenization_spaces": False,
        "chat_template": "{% for message in messages %}{{ message['content'] }} {% endfor %}",
    }


def _config(max_model_len: int) -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(WORDS),
        "max_position_embeddings": max_model_len,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "bos_token_id": END_ID,
        "eos_token_id": END_ID,
        "torch_dtype": "float32",
    }
