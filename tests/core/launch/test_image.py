"""What an image's reference tells by itself."""

import pytest

from llmdbenchd.core.launch.image import malformed, moves

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize("good", ["x", "x:1", "a/b:1", "host:5000/a/b", f"ghcr.io/a/b@{DIGEST}"])
def test_a_reference_names_a_registry_a_path_and_perhaps_a_tag(good: str) -> None:
    assert not malformed(good)


@pytest.mark.parametrize("bad", ["", "a/B:1", "a b", "a:", "a@sha256:12", "http://a/b"])
def test_what_no_registry_could_have_is_malformed_and_does_not_move(bad: str) -> None:
    assert malformed(bad)
    assert not moves(bad)


def test_a_tag_that_moves_may_be_another_image_tomorrow() -> None:
    """The last tag in a registry's list is not the newest: nothing is guessed from it."""
    assert moves("ghcr.io/a/b")
    assert moves("ghcr.io/a/b:latest")
    assert not moves("ghcr.io/a/b:v0.5.0")
    assert not moves(f"ghcr.io/a/b:latest@{DIGEST}")
