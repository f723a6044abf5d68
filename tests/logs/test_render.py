"""One line from an event: nothing secret, nothing that breaks it."""

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from llmdbenchd.logs.render import (
    BLANK,
    LONGEST,
    blank_secrets,
    is_secret,
    one_line,
    shorten,
    to_json,
)


class Colour(StrEnum):
    """A value as records hold them."""

    RED = "RED"


def rendered(**event: object) -> dict[str, Any]:
    line = one_line(to_json, syslog=False)(None, "info", {"level": "info", **event})
    assert isinstance(line, str)
    assert line.count("\n") == 1
    read: dict[str, Any] = json.loads(line)
    return read


@pytest.mark.parametrize(
    "key",
    [
        "token",
        "hf_token",
        "HF_TOKEN",
        "apiKey",
        "api_key",
        "Authorization",
        "db-password",
        "secret",
    ],
)
def test_a_key_that_sounds_secret_is_one(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize(
    "key", ["max_tokens", "output_tokens_per_s", "key", "secretary", "keep_days", "passed"]
)
def test_a_key_that_only_looks_like_it_is_none(key: str) -> None:
    assert not is_secret(key)


def test_secrets_are_blanked_at_any_depth_and_figures_are_not() -> None:
    event = {
        "event": "x",
        "inter_token_latency": 0.01,
        "token": None,
        "headers": {"Authorization": "Bearer abc", "Accept": "*/*"},
        "env": [{"HF_TOKEN": "abc"}, ("plain",)],
    }

    assert blank_secrets(None, "info", event) == {
        "event": "x",
        "inter_token_latency": 0.01,
        "token": None,
        "headers": {"Authorization": BLANK, "Accept": "*/*"},
        "env": [{"HF_TOKEN": BLANK}, ["plain"]],
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sent Authorization: Bearer eyJhbGciOi.J9-x", f"sent Authorization: Bearer {BLANK}"),
        ("http://me:hunter2@host:8000/v1", f"http://{BLANK}@host:8000/v1"),
        ("HTTP Error for hf_AbCdEfGhIjKlMnOpQrSt", f"HTTP Error for {BLANK}"),
        ("http://host:8000/v1 a@b", "http://host:8000/v1 a@b"),
        ("the bearer of news", "the bearer of news"),
    ],
)
def test_a_secret_inside_a_text_is_blanked(text: str, shown: str) -> None:
    assert rendered(event="x", reason=text)["reason"] == shown


def test_values_of_our_kinds_are_plain_json() -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    facts = rendered(
        event="x",
        path=Path("/a"),
        when=when,
        took=timedelta(seconds=1.5),
        phase=Colour.RED,
        names={"b", "a"},
        error=ValueError("no"),
        text="é\n",
    )

    assert facts == {
        "level": "info",
        "event": "x",
        "path": "/a",
        "when": when.isoformat(),
        "took": 1.5,
        "phase": "RED",
        "names": ["a", "b"],
        "error": "ValueError: no",
        "text": "é\n",
    }


def test_what_matters_most_comes_first() -> None:
    facts = rendered(zebra=1, event="x", timestamp="t")

    assert list(facts) == ["timestamp", "level", "event", "zebra"]


def test_one_value_that_json_cannot_hold_costs_only_itself() -> None:
    circle: list[object] = []
    circle.append(circle)
    facts = rendered(event="x", circle=circle, nan=float("nan"), odd={(1, 2): 3}, good=[1])

    assert facts["good"] == [1]
    assert facts["nan"] == "nan"
    assert facts["odd"] == "{(1, 2): 3}"
    assert facts["circle"] == "[[...]]"


def test_a_very_long_text_keeps_its_two_ends() -> None:
    event = shorten(None, "info", {"event": "a" + "b" * 100_000 + "c"})

    assert len(event["event"]) < LONGEST + 100
    assert event["event"].startswith("ab")
    assert event["event"].endswith("bc")
    assert f" {100_002 - LONGEST} characters left out " in event["event"]


@pytest.mark.parametrize(
    ("level", "prefix"),
    [("debug", "<7>{"), ("info", "<6>{"), ("warning", "<4>{"), ("error", "<3>{")],
)
def test_the_journal_is_told_the_level(level: str, prefix: str) -> None:
    line = one_line(to_json, syslog=True)(None, level, {"event": "x", "level": level})

    assert str(line).startswith(prefix)
