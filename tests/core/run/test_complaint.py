"""The last error that a log tells of, whoever wrote it."""

import pytest

from llmdbenchd.core.run.complaint import complaint

TELLS = [
    "2026-05-19 18:52:01,004 - ERROR - request failed: 503",
    "[ERROR] model not found",
    "CRITICAL:root:no tokenizer",
    "ValueError: could not convert string to float",
    "aiohttp.client_exceptions.ClientConnectorError: Cannot connect to host h:80",
    "Exception: it broke",
    "error: unrecognized arguments: --x",
]
TELLS_NOT = [
    "2026-05-19 18:52:01,004 - INFO - stage 1 of 2",
    "errors: 0",
    "failed requests 0, error rate 0.0",
    "--on-error stop",
    "ERRORS were expected",
    "",
]


@pytest.mark.parametrize("line", TELLS)
def test_a_line_that_tells_of_an_error_is_found(line: str) -> None:
    assert complaint(["begin", line, "goes on"]) == line


@pytest.mark.parametrize("line", TELLS_NOT)
def test_a_line_that_only_speaks_of_errors_is_none(line: str) -> None:
    assert complaint([line]) == ""


def test_the_last_one_is_told_and_does_nothing_to_a_terminal() -> None:
    assert complaint(["ERROR one", "ERROR \x1b[31m two\t"]) == "ERROR [31m two"
    assert complaint(["ERROR " + "x" * 999]).endswith("x ...")
