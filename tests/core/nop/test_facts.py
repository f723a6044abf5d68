"""What a start says of itself becomes plain values."""

import pytest

from llmdbenchd.core.nop.facts import Facts, facts_of, parsed_args
from tests.core.nop.composing import CONFIG, only, record, server


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'model': 'a/b', 'port': 8000}", {"model": "a/b", "port": 8000}),
        ("(host=None, port=8000, lora=[1, 2], x=-1)",
         {"host": None, "port": 8000, "lora": [1, 2], "x": -1}),
        (
            "{'kv': KVTransferConfig(kv_connector='L', extra={'a': (1,)}), 'one': {'b'}}",
            {"kv": {"kv_connector": "L", "extra": {"a": [1]}}, "one": ["b"]},
        ),
        (
            "(config_format=<ConfigFormat.AUTO: 'auto'>, f=<function cmd at 0x7a>, d=torch.half)",
            {"config_format": "auto", "f": "function", "d": "torch.half"},
        ),
        ("{'dtype': dtype('half'), 'path': PosixPath('/x')}", {"dtype": "half", "path": "/x"}),
        ("{'a': 1, **more, 'f': -x, 'e': b'y'}", {"a": 1, "f": "-x", "e": "b'y'"}),
        ("(a=1, b=brok en, c='x, y', d=[1, 2])", {"a": 1, "c": "x, y", "d": [1, 2]}),
        ("{'a': 1, 'b': brok en, 'c': \"it's\"}", {"a": 1, "c": "it's"}),
        ("[1, 2]", None),
        ("{'a': 1", None),
        ("{}", None),
        ("", None),
        (f"{{'a': {'[' * 100}{']' * 100}}}", None),
        (f"{{'a': '{'x' * 70_000}'}}", None),
    ],
)  # fmt: skip
def test_arguments_are_parsed_and_what_is_damaged_is_left_out(
    text: str, expected: dict[str, object] | None
) -> None:
    assert parsed_args(text) == expected


@pytest.mark.parametrize(
    ("config", "load_format"),
    [
        ("load_format=LoadFormat.RUNAI_STREAMER, x", "runai_streamer"),
        ("load_format=auto, x", "auto"),
        ("load_format='my_plugin', x", "my_plugin"),
        ("load_format=<LoadFormats.DUMMY: 'dummy'>, x", "dummy"),
    ],
)
def test_the_load_format_is_what_the_engine_has(config: str, load_format: str) -> None:
    attempt = only(server(config=config, args="{'load_format': 'other'}"))

    assert facts_of(attempt).load_format == load_format


def test_what_nothing_tells_is_unknown() -> None:
    attempt = only([record("Loading weights took 2.50 seconds")])

    assert facts_of(attempt) == Facts(None, None, None, None, None, None)


def test_arguments_tell_what_the_configuration_does_not() -> None:
    args = "{'enable_sleep_mode': True, 'enforce_eager': True}"
    told = facts_of(only(server(config="x", args=args)))
    assert (told.load_format, told.sleep_mode, told.is_eager) == ("auto", True, True)
    told = facts_of(only(server(config="load_format=pt, enable_sleep_mode=True", args="{broken")))
    assert (told.args, told.sleep_mode, told.is_eager) == (None, True, None)


def test_eager_is_not_what_a_hint_quotes() -> None:
    hint = "If out-of-memory error occurs, try setting `enforce_eager=True`"
    assert facts_of(only([*server(), record(hint)])).is_eager is False
    ordered = record("Enforce eager set, disabling torch.compile and CUDAGraphs.")
    assert facts_of(only([ordered])).is_eager is True
    assert facts_of(only(server(config=CONFIG.replace("False", "True")))).is_eager is True


def test_a_model_is_named_by_the_logo_the_engine_or_the_arguments() -> None:
    assert facts_of(only(server(args="{'model': 'x/y'}"))).model == "a/b"
    assert facts_of(only(server(config="x", args="{'model_tag': 'x/y'}"))).model == "x/y"
    logo = record("\u2588  model   org/m", process="APIServer pid=7")
    assert facts_of(only([logo, *server()])).model == "org/m"
    assert facts_of(only(server(config="x", args="{'port': 1}"))).model is None


def test_platforms_are_named_by_whoever_knows() -> None:
    assert facts_of(only(server())).platform == "cuda"
    plug_in = record("Platform plugin neuron is activated")
    assert facts_of(only([plug_in, *server()])).platform == "neuron"
