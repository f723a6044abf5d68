"""A data set by URL: whole or not at all, resumed, its hash recorded, no secret told."""

import hashlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmdbenchd.payload import dataset
from llmdbenchd.payload.contract import Code, Context, Refusal
from tests.payload.file_server import CONTENT, FileServer, file_server
from tests.payload.stage import Stage, ended, manifest

SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A web server with a file."""
    with file_server() as server:
        yield server


class Fetching:
    """One launcher that fetches.

    Attributes:
        waits: seconds between its tries.
    """

    def __init__(self, stage: Stage, url: str) -> None:
        self.stage = stage
        self.waits: list[float] = []
        stage.results.mkdir(exist_ok=True)
        self.folder = stage.folder / "data"
        stage.env |= {
            "LLMDBENCH_RUN_DATASET_URL": url,
            "LLMDBENCH_RUN_DATASET_DIR": str(self.folder),
            "LLMDBENCH_RUN_DATASET_FILE": "data.json",
        }

    def fetch(self) -> dict[str, object]:
        """Fetch it; waits cost no time."""
        facts = dataset.fetch(Context(self.stage.env, ""), self._asked_within)["dataset"]
        assert isinstance(facts, dict)
        return facts

    def refused(self) -> str:
        """The sentence of its refusal; nothing is left."""
        with pytest.raises(Refusal) as caught:
            self.fetch()
        assert caught.value.code == Code.NO_DATASET
        assert not self.folder.exists() or list(self.folder.iterdir()) == []
        return caught.value.sentence

    @property
    def file(self) -> bytes:
        """What is in its place."""
        return (self.folder / "data.json").read_bytes()

    def _asked_within(self, seconds: float) -> bool:
        self.waits += [seconds] if seconds else []
        return False


@pytest.fixture
def fetching(stage: Stage, server: FileServer) -> Fetching:
    """A launcher that wants that server's file."""
    return Fetching(stage, server.url)


def test_a_data_set_is_fetched_whole_and_its_hash_recorded(fetching: Fetching) -> None:
    facts = fetching.fetch()

    assert fetching.file == CONTENT
    assert (facts["sha256"], facts["bytes"], facts["was_there"]) == (SHA256, len(CONTENT), False)
    assert "hush" not in str(facts)
    record = (fetching.stage.results / "dataset.sha256").read_text()
    assert record == f"{SHA256}  {fetching.folder}/data.json\n"
    assert [path.name for path in fetching.folder.iterdir()] == ["data.json"]


def test_a_broken_connection_is_taken_up_where_it_broke(
    fetching: Fetching, server: FileServer
) -> None:
    server.breaks = [1000, 5000]

    fetching.fetch()

    assert fetching.file == CONTENT
    assert [asked.get("Range") for asked in server.asked] == [None, "bytes=1000-", "bytes=6000-"]
    assert {asked.get("If-Range") for asked in server.asked[1:]} == {'"1"'}
    assert fetching.waits == []  # each try brought something


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_what_cannot_be_resumed_safely_is_begun_anew(
    fetching: Fetching, server: FileServer, etag: str
) -> None:
    server.breaks, server.etag = [1000], etag

    fetching.fetch()

    assert fetching.file == CONTENT
    assert [asked.get("Range") for asked in server.asked] == [None, None]


def test_a_file_that_changed_in_between_is_never_mixed(
    fetching: Fetching, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.breaks = [1000]
    request = server.finish_request

    def changed(*arguments: object) -> None:
        if server.asked:
            server.content, server.etag = CONTENT[::-1], '"2"'
        request(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(server, "finish_request", changed)

    fetching.fetch()

    assert fetching.file == CONTENT[::-1]


def test_a_server_that_is_gone_for_a_while_is_waited_for(
    fetching: Fetching, server: FileServer
) -> None:
    server.status = [503, 429]

    fetching.fetch()

    assert fetching.waits == [2.0, 4.0]
    assert fetching.file == CONTENT


def test_patience_with_a_server_that_brings_nothing_ends(
    fetching: Fetching, server: FileServer
) -> None:
    server.status = [500] * 20

    assert "the server answers 500" in fetching.refused()
    assert len(server.asked) == dataset.TRIES


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("LLMDBENCH_RUN_DATASET_URL", "s3://bucket/x", "only http and https"),
        ("LLMDBENCH_RUN_DATASET_URL", "http://u:hush@127.0.0.1:9/x?sig=hush", "a password"),
        ("LLMDBENCH_RUN_DATASET_URL", "http://127.0.0.1:9/x?sig=hush", "Connection refused"),
        ("LLMDBENCH_RUN_DATASET_FILE", "NONE", "names no file"),
        ("LLMDBENCH_RUN_DATASET_FILE", "../x", "names no file"),
        ("LLMDBENCH_RUN_DATASET_DIR", "/dev/null/x", "Not a directory"),
    ],
)
def test_what_can_never_be_fetched_says_why_and_tells_no_secret(
    fetching: Fetching, variable: str, value: str, words: str
) -> None:
    fetching.stage.env[variable] = value

    said = fetching.refused()

    assert words in said
    assert "hush" not in said


def test_a_no_is_final(fetching: Fetching, server: FileServer) -> None:
    server.status = [404]

    assert "the server answers 404" in fetching.refused()
    assert len(server.asked) == 1


def test_a_file_that_is_there_is_kept_and_hashed_all_the_same(
    fetching: Fetching, server: FileServer
) -> None:
    fetching.folder.mkdir()
    (fetching.folder / "data.json").write_bytes(b"mine")

    facts = fetching.fetch()

    assert server.asked == []
    assert (facts["was_there"], facts["sha256"]) == (True, hashlib.sha256(b"mine").hexdigest())


def test_the_hubs_token_goes_to_the_hub_and_no_further(
    fetching: Fetching, server: FileServer
) -> None:
    fetching.stage.env["HF_TOKEN"] = "hf_secret"  # noqa: S105 - a test's
    with file_server() as hub:
        hub.redirect = server.url
        fetching.stage.env["HF_ENDPOINT"] = hub.url.partition("/a/")[0]
        fetching.stage.env["LLMDBENCH_RUN_DATASET_URL"] = hub.url

        fetching.fetch()

    assert hub.asked[0]["Authorization"] == "Bearer hf_secret"
    assert "Authorization" not in server.asked[0]


def test_the_hub_is_asked_without_a_token_where_there_is_none(
    fetching: Fetching, server: FileServer
) -> None:
    fetching.stage.env["HF_ENDPOINT"] = server.url.partition("/a/")[0]

    fetching.fetch()

    assert "Authorization" not in server.asked[0]


def test_the_load_starts_when_the_data_set_is_there(stage: Stage, server: FileServer) -> None:
    Fetching(stage, server.url)
    stage.results.rmdir()
    stage.executable(
        '#!/bin/sh\nwc -c < "$LLMDBENCH_RUN_DATASET_DIR/$LLMDBENCH_RUN_DATASET_FILE"\n'
    )

    assert stage.run().returncode == 0
    assert int(stage.log()) == len(CONTENT)
    assert stage.done["facts"]["dataset"]["sha256"] == SHA256
    assert "dataset.sha256" in manifest(stage.results)


def test_without_its_data_set_no_load_is_started(stage: Stage, server: FileServer) -> None:
    Fetching(stage, server.url)
    server.status = [403]

    assert stage.run().returncode == Code.NO_DATASET
    assert stage.kinds == ["data set missing"]
    assert stage.times_started == 0


def test_asked_to_end_in_the_middle_of_it_no_load_is_started(
    stage: Stage, server: FileServer, tmp_path: Path
) -> None:
    Fetching(stage, server.url)
    server.pause = threading.Event()
    launcher = stage.start()
    assert server.begun.wait(60)

    launcher.send_signal(signal.SIGTERM)
    server.pause.set()

    assert ended(launcher) == 128 + signal.SIGTERM
    assert stage.times_started == 0
    assert stage.kinds == ["stopped early"]
    assert list((tmp_path / "data").iterdir()) == []
