"""The short form of overrides."""

import pytest
from pydantic_core import PydanticCustomError

from llmdbenchd.core.job.overrides_text import read_overrides


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("min=20,total_count=200", {"min": 20, "total_count": 200}),
        (" a = x , b = no ", {"a": "x", "b": False}),
        ("a.b.0=1.5", {"a.b.0": 1.5}),
        ('a="x,y=z",b=1', {"a": "x,y=z", "b": 1}),
        ("a='20'", {"a": "20"}),
        ("a='it''s, so'", {"a": "it's, so"}),
        (r'a="say \"x,y\"",b=1', {"a": 'say "x,y"', "b": 1}),
        ("a=don't,b=1", {"a": "don't", "b": 1}),
        ("a=[1, 2],b=[{rate: 1, duration: 5}]", {"a": [1, 2], "b": [{"rate": 1, "duration": 5}]}),
        ("a=~", {"a": None}),
        ("day=2026-01-01", {"day": "2026-01-01"}),
    ],
)
def test_a_value_is_what_yaml_makes_of_it(text: str, expected: dict[str, object]) -> None:
    assert read_overrides(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min", "not of the form key=value"),
        ("=1", "not of the form key=value"),
        ("a=1,,b=2", "not of the form key=value"),
        ("a=1,", "not of the form key=value"),
        ("a=", "has no value"),
        ("a=1 b=2", "has a second ="),
        ("a=1,a=2", "given twice"),
        ('a="x', "is not YAML"),
        ("a=&x 1", "uses an anchor"),
        ("a=!!python/none x", "uses a tag"),
        ("a=" + "[" * 50, "deeper than 30"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(PydanticCustomError, match=message):
        read_overrides(text)
