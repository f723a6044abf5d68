"""What may run on this machine, and what is refused with a sentence."""

from dataclasses import replace

import pytest

from llmdbenchd.core.launch.plan import LauncherPlan, PlanFile
from llmdbenchd.core.run.sight import Absent
from llmdbenchd.ports import Refused, Unavailable
from tests.edge.local.stage import REAL_TIME, Stage, ended, plan

pytestmark = REAL_TIME

CONTRACT = "import os; print(os.environ['LLMDBENCH_HARNESS_EXECUTABLE'])"


async def _refused(stage: Stage, asked: LauncherPlan) -> str:
    engine = stage.engine()
    with pytest.raises(Refused) as caught:
        await engine.create(asked)
    assert await _nothing_of(stage)
    return str(caught.value)


async def _nothing_of(stage: Stage) -> bool:
    return await stage.engine().look("a") == Absent() and not any(stage.root.iterdir())


async def test_a_harness_that_is_not_installed(stage: Stage) -> None:
    said = await _refused(stage, replace(plan("a"), harness="guidellm"))

    assert said == (
        "harness guidellm is not installed here: no program in "
        f"{stage.folder}/venvs/guidellm/bin (setting harness_venvs)"
    )


async def test_an_installation_without_a_program(stage: Stage) -> None:
    (stage.folder / "venvs" / "guidellm" / "bin").mkdir(parents=True)
    (stage.folder / "venvs" / "guidellm" / "bin" / "README").touch()

    assert "no program in" in await _refused(stage, replace(plan("a"), harness="guidellm"))


@pytest.mark.parametrize("harness", ["", "..", "../venvs/pretender", "/bin", ".hidden"])
async def test_a_harness_that_is_no_name(stage: Stage, harness: str) -> None:
    assert "not a plain name" in await _refused(stage, replace(plan("a"), harness=harness))


async def test_no_installations_at_all(stage: Stage) -> None:
    engine = stage.engine(installed=replace(stage.installed(), venvs=None))

    with pytest.raises(Refused, match=r"none is installed here \(setting harness_venvs\)"):
        await engine.create(plan("a"))


async def test_an_allowed_executable_is_given_to_the_payload_by_its_path(stage: Stage) -> None:
    program = stage.program(stage.folder / "executables" / "mine.sh")
    engine = stage.engine()

    await engine.create(replace(plan("a", CONTRACT), executable="mine.sh", harness="guidellm"))
    await ended(engine, "a")

    assert (stage.root / "a" / "log").read_text(encoding="utf-8") == f"{program}\n"


async def test_an_executable_that_is_not_there(stage: Stage) -> None:
    said = await _refused(stage, replace(plan("a"), executable="mine.sh"))

    assert said == f"executable mine.sh is not in {stage.folder}/executables (setting executables)"


async def test_no_executables_at_all(stage: Stage) -> None:
    engine = stage.engine(installed=replace(stage.installed(), executables=None))

    with pytest.raises(Refused, match=r"none is allowed here \(setting executables\)"):
        await engine.create(replace(plan("a"), executable="mine.sh"))


@pytest.mark.parametrize("name", ["/bin/sh", "../executables/x", "image:true/x", ".x", ""])
async def test_an_executable_that_is_no_name(stage: Stage, name: str) -> None:
    assert "not a plain name" in await _refused(stage, replace(plan("a"), executable=name))


async def test_an_executable_that_is_a_link_to_elsewhere(stage: Stage) -> None:
    (stage.folder / "executables").mkdir()
    (stage.folder / "executables" / "shell").symlink_to("/bin/sh")

    said = await _refused(stage, replace(plan("a"), executable="shell"))

    assert said == f"executable shell is a link that leaves {stage.folder}/executables"


async def test_an_executable_that_is_none(stage: Stage) -> None:
    stage.program(stage.folder / "executables" / "text").chmod(0o644)
    (stage.folder / "executables" / "folder").mkdir()

    for name in ("text", "folder"):
        said = await _refused(stage, replace(plan("a"), executable=name))
        assert said.endswith("is not an executable file")


@pytest.mark.parametrize("path", ["/etc/passwd", "../plan.json", "a/../../b", "", "a//b", "a\0"])
async def test_a_file_of_the_plan_outside_the_workspace(stage: Stage, path: str) -> None:
    said = await _refused(stage, plan("a", files=(PlanFile(path, ""),)))

    assert said.startswith(f"file {path!r} of the plan")


@pytest.mark.parametrize("name", ["../a", "a/b", ".a", "", "a\0"])
async def test_names_that_lead_elsewhere(stage: Stage, name: str) -> None:
    assert "plain name" in await _refused(stage, replace(plan("a"), name=name))
    assert "plain name" in await _refused(stage, replace(plan("a"), results_folder=name))


async def test_a_variable_that_cannot_be_set(stage: Stage) -> None:
    for name, value in (("", "x"), ("A=B", "x"), ("A", "x\0"), ("A\0", "x")):
        said = await _refused(stage, replace(plan("a"), env={name: value}))
        assert said == f"the environment variable {name!r} cannot be set"


async def test_the_plan_cannot_take_our_own_variables(stage: Stage) -> None:
    engine = stage.engine()
    plot = "import os; print(os.environ['LLMDBENCHD_FOLDER'])"

    await engine.create(plan("a", plot, LLMDBENCHD_FOLDER="/elsewhere"))
    await ended(engine, "a")

    assert (stage.root / "a" / "log").read_text(encoding="utf-8") == f"{stage.root / 'a'}\n"


async def test_a_disk_that_takes_nothing_is_trouble_of_today(stage: Stage) -> None:
    engine = stage.engine()
    files = (PlanFile("x", ""), PlanFile("x/y", ""))  # the one is no folder for the other

    with pytest.raises(Unavailable, match="create launcher a: "):
        await engine.create(plan("a", files=files))

    assert await engine.look("a") == Absent()
    assert not [path for path in stage.root.iterdir() if path.name == "a"]


async def test_a_folder_that_takes_no_log_leaves_the_launcher_unclaimed(stage: Stage) -> None:
    engine = stage.engine()
    await engine.create(plan("a"))
    await ended(engine, "a")
    folder = stage.rewind("a", "shim.json", "ended.json", "log")
    folder.log.mkdir()

    with pytest.raises(Unavailable, match=r"its shim did not start it: .*Is a directory"):
        await engine.create(plan("a"))

    assert await engine.look("a") == Absent()


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "LLMDBENCHD_PAYLOAD_DIR"])
async def test_a_variable_that_would_put_another_program_in_the_harnesss_place(
    stage: Stage, name: str
) -> None:
    said = await _refused(stage, replace(plan("a"), env={name: "/elsewhere"}))

    assert said == f"the variable {name} would decide which programs run here"
