"""Keys on this machine: in the launcher's environment, and nowhere else; data sets likewise."""

from dataclasses import replace
from pathlib import Path

import pytest

from llmdbenchd.core.launch.plan import LauncherPlan, PodTerms, SecretRef
from llmdbenchd.edge.local.installed import Installed
from llmdbenchd.ports import Refused
from tests.edge.local.stage import REAL_TIME, Stage, ended, plan

pytestmark = REAL_TIME

KEY = "a-key-that-nobody-may-find-4711"
DOOR, NONE = "door", "none"
SHOW = "import os; print(len(os.environ.get('OPENAI_API_KEY', '')), len(os.environ['HF_TOKEN']))"
URL, DIR = "LLMDBENCH_RUN_DATASET_URL", "LLMDBENCH_RUN_DATASET_DIR"


def keyed(plot: str = SHOW, *, key: str = "token") -> LauncherPlan:
    reference = SecretRef(secret=DOOR, key=key)
    return replace(plan("a", plot), pod=PodTerms(endpoint_auth=reference, hf_token=reference))


def dataset(folder: Path, url: str = "http://h/x.json") -> LauncherPlan:
    asked = plan("a", "pass")
    return replace(asked, env={**asked.env, URL: url, DIR: str(folder)})


def with_secrets(stage: Stage, value: str = f"{KEY}\n") -> Installed:
    folder = stage.folder / "secrets"
    (folder / "door").mkdir(parents=True)
    (folder / "door" / "token").write_text(value)
    return replace(stage.installed(), secrets=folder)


async def test_a_launcher_has_the_key_and_no_file_of_it_does(stage: Stage) -> None:
    engine = stage.engine(installed=with_secrets(stage))

    await engine.create(keyed())
    await ended(engine, "a")

    folder = stage.root / "a"
    assert (folder / "log").read_text() == f"{len(KEY)} {len(KEY)}\n"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


async def test_a_token_is_never_required(stage: Stage) -> None:
    plot = "import os; print('HF_TOKEN' in os.environ)"
    for installed in (stage.installed(), with_secrets(stage)):
        token = PodTerms(hf_token=SecretRef(secret=NONE, key="k"))
        engine = stage.engine(installed=installed)
        await engine.create(replace(plan("a", plot), pod=token))
        await ended(engine, "a")
        assert (stage.root / "a" / "log").read_text() == "False\n"
        await engine.remove("a")


async def test_a_key_that_is_not_there_is_refused_by_name_and_never_by_value(stage: Stage) -> None:
    said = {}
    installed = with_secrets(stage, value="  ")
    (stage.folder / "secrets" / "door" / "binary").write_bytes(b"\xff")
    (stage.folder / "secrets" / "door" / "large").write_text("x" * 70000)
    for key in ("token", "binary", "large", "other", "../door/token", ".x"):
        with pytest.raises(Refused) as refused:
            await stage.engine(installed=installed).create(keyed(key=key))
        said[key] = str(refused.value)

    assert said["token"].endswith("is empty")
    assert said["binary"].endswith("cannot be read: it is no text")
    assert said["large"].endswith("is too large")
    assert said["other"].endswith("cannot be read: No such file or directory")
    assert said["../door/token"].endswith("is not a plain name")
    assert said[".x"].endswith("is not a plain name")
    with pytest.raises(Refused, match="this machine has no secrets"):
        await stage.engine().create(keyed())


@pytest.mark.parametrize(("where", "good"), [("data", True), ("shared/x", True), ("/etc", False)])
async def test_a_data_set_lies_where_a_job_may_have_one(
    stage: Stage, where: str, *, good: bool
) -> None:
    """Who drops a file must not choose where the daemon's user writes."""
    workspace, roots = stage.root / "a" / "workspace", (stage.folder / "shared",)
    folder = stage.folder / where if where.startswith("shared") else workspace / where
    asked = dataset(folder)
    engine = stage.engine(installed=replace(stage.installed(), roots=roots))

    if good:
        await engine.create(asked)
        await ended(engine, "a")
    else:
        with pytest.raises(Refused, match=r"dataset.dir /etc lies outside .*path_roots"):
            await engine.create(asked)


@pytest.mark.parametrize("way_out", ["../..", "link"])
async def test_a_data_set_does_not_leave_by_dots_or_links(
    stage: Stage, way_out: str, tmp_path: Path
) -> None:
    roots = (stage.folder / "shared",)
    roots[0].mkdir()
    (roots[0] / "link").symlink_to(tmp_path.parent)
    asked = dataset(roots[0] / way_out)

    with pytest.raises(Refused, match="lies outside"):
        await stage.engine(installed=replace(stage.installed(), roots=roots)).create(asked)


async def test_without_a_data_set_its_folder_is_of_no_interest(stage: Stage) -> None:
    engine = stage.engine()

    await engine.create(dataset(Path("/etc"), url=""))
    await ended(engine, "a")
