"""A server that was not prepared tells less; which categories, and what to do, is said."""

import re

from llmdbenchd.core.nop.unprepared import unprepared
from tests.core.nop.composing import only, server


def test_without_debug_the_categories_that_will_be_missing_are_named() -> None:
    [level] = unprepared(only(server()))  # a prepared server has whole seconds at INFO, too

    assert level.startswith("not told: Detect Platform, LLM Imports, Worker Initialization: ")
    assert "LLMDBENCH_VLLM_COMMON_VLLM_LOGGING_LEVEL" in level


def test_whole_seconds_at_level_debug_show_that_the_scripts_did_not_run() -> None:
    lines = [one.replace("INFO 05-01", "DEBUG 05-01") for one in server()]

    assert "preprocess install" in unprepared(only(lines))[-1]


def test_a_log_of_level_debug_with_milliseconds_lacks_nothing_that_could_be_had() -> None:
    lines = [one.replace("INFO 05-01", "DEBUG 05-01") for one in server()]
    fine = [re.sub(r"(\d\d:\d\d:\d\d) ", r"\1.125 ", one) for one in lines]

    assert unprepared(only(fine)) == []
