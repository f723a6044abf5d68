"""The cache looks as if a model had been downloaded, and is never seen half-written."""

import json
from pathlib import Path

import pytest

from llmdbenchd.simulate.hub_cache import is_repository_id, write_hub_cache
from llmdbenchd.simulate.whole_file import write_whole


def snapshot(home: Path, folder: str) -> Path:
    """Follow the reference as the hub's client does."""
    model = home / "hub" / folder
    return model / "snapshots" / (model / "refs" / "main").read_text()


def test_each_served_model_resolves_to_a_snapshot(tmp_path: Path) -> None:
    write_hub_cache(tmp_path / "new", ("llmdbench/tiny", "plain"), max_model_len=512)

    for folder in ("models--llmdbench--tiny", "models--plain"):
        files = snapshot(tmp_path / "new", folder)
        assert len(files.name) == 40
        assert set(files.name) <= set("0123456789abcdef")
        assert sorted(path.name for path in files.iterdir()) == [
            "config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ]
        assert len(json.loads((files / "tokenizer.json").read_text())["model"]["vocab"]) == 4000


def test_writing_again_changes_nothing_and_a_new_content_gets_a_new_name(tmp_path: Path) -> None:
    write_hub_cache(tmp_path, ("m",), max_model_len=512)
    before = snapshot(tmp_path, "models--m")
    write_hub_cache(tmp_path, ("m",), max_model_len=512)
    assert snapshot(tmp_path, "models--m") == before

    write_hub_cache(tmp_path, ("m",), max_model_len=1024)

    assert snapshot(tmp_path, "models--m") != before
    assert before.is_dir()


@pytest.mark.parametrize("name", ["llmdbench/tiny", "gpt2", "meta-llama/Llama-3.2-1B-Instruct"])
def test_a_hubs_names_are_known(name: str) -> None:
    assert is_repository_id(name)


@pytest.mark.parametrize("name", ["", "/a", "a/", "a/b/c", "..", "a--b", "a/..", "-a", "a b"])
def test_a_name_that_would_lead_elsewhere_is_not(name: str) -> None:
    assert not is_repository_id(name)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
