"""What a daemon's settings are, given a file and an environment."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from llmdbenchd import settings
from llmdbenchd.settings import NAMES, RELOADABLE, Loaded, Settings, load


@pytest.fixture(autouse=True)
def _no_system_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SYSTEM_FILE", tmp_path / "etc/config.toml")


def read(
    cwd: Path, text: str | None = None, environment: Mapping[str, str] | None = None
) -> Loaded:
    file = None
    if text is not None:
        file = cwd / "config.toml"
        file.write_text(text)
    return load(file, environment or {}, cwd=cwd)


def complaints(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_with_nothing_given_everything_lies_in_the_current_folder(tmp_path: Path) -> None:
    loaded = read(tmp_path)

    assert loaded.problems == ()
    assert set(loaded.origins) == set(NAMES)
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.settings.queue == tmp_path / "queue"
    assert loaded.settings.state == tmp_path / ".llmdbenchd"
    assert loaded.settings.archive == tmp_path / "archive"
    assert (loaded.settings.max_active_runs, loaded.settings.max_streams) == (8, 500)
    assert loaded.settings.min_free == 2 * 2**30
    assert loaded.settings.keep_days is None


def test_with_a_file_the_folders_are_the_systems(tmp_path: Path) -> None:
    loaded = read(tmp_path, "")

    folders = loaded.settings.queue, loaded.settings.state, loaded.settings.archive
    assert folders == tuple(Path("/var/lib/llmdbenchd") / n for n in ("queue", "state", "archive"))


def test_the_systems_file_is_read_when_it_exists(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/config.toml").write_text("max_streams = 7\n")
    loaded = read(tmp_path)

    assert loaded.settings.max_streams == 7
    assert loaded.origins["max_streams"] == f"{tmp_path}/etc/config.toml:1"


def test_the_environment_outranks_the_file_and_origins_say_so(tmp_path: Path) -> None:
    text = "# first\nmax_streams = 20\nmax_active_runs = 3\n"
    environment = {"LLMDBENCHD_MAX_STREAMS": "30", "LLMDBENCH_HARNESS_NAME": "nop", "HOME": "/x"}
    loaded = read(tmp_path, text, environment)

    assert (loaded.settings.max_streams, loaded.settings.max_active_runs) == (30, 3)
    assert loaded.origins["max_streams"] == "LLMDBENCHD_MAX_STREAMS"
    assert loaded.origins["max_active_runs"] == f"{tmp_path}/config.toml:3"
    assert loaded.origins["engine"] == "default"


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    loaded = read(tmp_path, environment={"LLMDBENCHD_KUBECONFIG": ""})

    assert loaded.settings.kubeconfig is None
    assert loaded.origins["kubeconfig"] == "default"


def test_relative_paths_start_where_they_were_written(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "c.toml").write_text('profiles = "p"\nqueue = "/q"\npath_roots = ["r", "/s"]\n')
    environment = {"LLMDBENCHD_EXECUTABLES": "bin"}
    loaded = load(Path("there/c.toml"), environment, cwd=tmp_path)

    assert loaded.settings.profiles == there / "p"
    assert loaded.settings.queue == Path("/q")
    assert loaded.settings.path_roots == (there / "r", Path("/s"))
    assert loaded.settings.executables == tmp_path / "bin"


def test_several_roots_in_a_variable_are_parted_by_colons(tmp_path: Path) -> None:
    loaded = read(tmp_path, environment={"LLMDBENCHD_PATH_ROOTS": "/a:b:"})

    assert loaded.settings.path_roots == (Path("/a"), tmp_path / "b")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("min_free = 5", 5),
        ("min_free = 0", 0),
        ('min_free = "7"', 7),
        ('min_free = "2GiB"', 2 * 2**30),
        ('min_free = "500 MB"', 500 * 10**6),
        ('min_free = "1kB"', 1000),
        ('min_free = "1KiB"', 1024),
        ('min_free = "3TiB"', 3 * 2**40),
    ],
)
def test_a_size_may_have_a_unit(tmp_path: Path, text: str, size: int) -> None:
    loaded = read(tmp_path, text)

    assert loaded.problems == ()
    assert loaded.settings.min_free == size


def test_all_mistakes_are_found_at_once_each_with_its_place(tmp_path: Path) -> None:
    text = 'max_stream = 3\nengine = "k8s"\nlog_level = "info"\nmin_free = "2 bananas"\n'
    environment = {"LLMDBENCHD_SCAN_SECONDS": "soon", "LLMDBENCHD_QUEU": "/q"}
    loaded = read(tmp_path, text, environment)
    file = f"{tmp_path}/config.toml"
    said = complaints(loaded)

    assert len(said) == 5
    assert f"{file}:1: max_stream: is not a setting (did you mean 'max_streams'?)" in said
    assert "LLMDBENCHD_QUEU: queu: is not a setting (did you mean 'queue'?)" in said
    assert any(one.startswith(f"{file}:2: engine: ") and "'k8s'" in one for one in said)
    assert any(one.startswith(f"{file}:4: min_free: ") and "2GiB" in one for one in said)
    assert any(one.startswith("LLMDBENCHD_SCAN_SECONDS: scan_seconds: ") for one in said)


def test_a_wrong_value_leaves_the_default_and_the_rest_stands(tmp_path: Path) -> None:
    loaded = read(tmp_path, "max_streams = 0\nmax_active_runs = 2\n")

    assert len(loaded.problems) == 1
    assert (loaded.settings.max_streams, loaded.settings.max_active_runs) == (500, 2)


@pytest.mark.parametrize(
    "text",
    [
        "max_active_runs = true",
        "max_active_runs = 1.5",
        "scan_seconds = nan",
        "scan_seconds = 0",
        "keep_days = 0",
        "min_free = -1",
        'log_format = "xml"',
        "queue = 3",
        'queue = "~/queue"',
        'path_roots = ["/a", 1]',
    ],
)
def test_nonsense_is_refused(tmp_path: Path, text: str) -> None:
    loaded = read(tmp_path, text)

    assert [problem.where for problem in loaded.problems] == [f"{tmp_path}/config.toml:1"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"queue = [\n", "is not TOML"),
        (b"queue = '/a'\nqueue = '/b'\n", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
        (None, "cannot be read"),
    ],
    ids=["cut short", "twice the same key", "not UTF-8", "no such file"],
)
def test_a_file_that_cannot_be_understood_is_a_named_mistake(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "c.toml"
    if content is not None:
        file.write_bytes(content)
    loaded = load(file, {}, cwd=tmp_path)

    (problem,) = loaded.problems
    assert str(problem).startswith(f"{file}: {said}")


def test_one_folder_inside_another_is_refused(tmp_path: Path) -> None:
    loaded = read(tmp_path, 'queue = "/d"\nstate = "/d/state"\narchive = "/e"\n')

    assert complaints(loaded) == [
        f"{tmp_path}/config.toml:2: state: lies in queue (/d) (give each a folder of its own)"
    ]


def test_a_reload_changes_what_it_can_and_names_what_needs_a_restart() -> None:
    running = Settings()
    wanted = running.model_copy(update={"max_active_runs": 2, "queue": Path("/other")})
    now, changed, later = settings.reload(running, wanted)

    assert now == running.model_copy(update={"max_active_runs": 2})
    assert (changed, later) == (("max_active_runs",), ("queue",))
    assert set(NAMES) >= RELOADABLE


def test_every_setting_says_what_it_means() -> None:
    undocumented = [name for name, field in Settings.model_fields.items() if not field.description]

    assert undocumented == []


def test_a_rate_has_a_unit_and_a_floor_and_is_not_limited_by_itself(tmp_path: Path) -> None:
    assert read(tmp_path).settings.transfer_rate is None
    assert read(tmp_path, 'transfer_rate = "50MB"').settings.transfer_rate == 50_000_000

    [slow] = complaints(read(tmp_path, 'transfer_rate = "99kB"'))

    assert "transfer_rate: " in slow
