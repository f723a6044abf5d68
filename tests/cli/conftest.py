"""For the tests of commands that read a daemon's folders."""

from pathlib import Path

import pytest

from tests.cli.home import Home


@pytest.fixture
def home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Home:
    """An empty home; the commands are called in its folder, by nobody's environment."""
    monkeypatch.chdir(tmp_path)
    for variable in ("LLMDBENCHD_QUEUE", "LLMDBENCHD_STATE", "LLMDBENCHD_ARCHIVE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Home(tmp_path, capsys)
