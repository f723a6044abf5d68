"""What we ship for systemd is sound by systemd's own judgement, and by ours."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from llmdbenchd.settings import NAMES, load

SHIPPED = Path(__file__).parents[2] / "systemd"
UNITS = ["llmdbenchd.service", "user/llmdbenchd.service"]

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="real systemd missing: no systemd-analyze"
)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    with TemporaryDirectory() as folder:  # user units need a runtime directory to be judged
        return subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "XDG_RUNTIME_DIR": folder},
        )


@needs_analyze
def test_the_services_exposure_is_two_or_less() -> None:
    done = run(
        "systemd-analyze",
        "security",
        "--offline=true",
        "--threshold=20",
        "--no-pager",
        str(SHIPPED / "llmdbenchd.service"),
    )

    assert done.returncode == 0, done.stdout.splitlines()[-1:]
    assert "Overall exposure level" in done.stdout


@needs_analyze
@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_odd_in_a_unit(tmp_path: Path, name: str) -> None:
    unit = tmp_path / "llmdbenchd.service"
    text = (SHIPPED / name).read_text()
    unit.write_text(
        re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.MULTILINE)
    )

    assert odd(unit, user=name.startswith("user/")) == ""


@needs_analyze
def test_systemds_judgement_would_notice_a_misspelt_key(tmp_path: Path) -> None:
    unit = tmp_path / "x.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nWatchdogSecs=60\n")

    assert "WatchdogSecs" in odd(unit, user=False)


def odd(unit: Path, *, user: bool) -> str:
    whose = ("--user",) if user else ()
    return run("systemd-analyze", "verify", *whose, "--man=no", str(unit)).stderr


@pytest.mark.parametrize("name", UNITS)
def test_what_the_daemon_relies_on_is_in_each_unit(name: str) -> None:
    lines = set((SHIPPED / name).read_text().splitlines())

    assert {
        "Type=notify",
        "NotifyAccess=main",
        "KillMode=process",
        "OOMPolicy=continue",
        "Restart=on-failure",
        "RestartPreventExitStatus=78",
        "WatchdogSec=60",
        "WatchdogSignal=SIGABRT",
        "UMask=0027",
    } <= lines


@pytest.mark.parametrize("option", ["PrivateTmp", "RemoveIPC", "PrivateUsers", "ProcSubset"])
def test_nothing_that_launchers_cannot_outlive_is_switched_on(option: str) -> None:
    text = (SHIPPED / "llmdbenchd.service").read_text()

    assert re.search(rf"^{option}=", text, re.MULTILINE) is None


def test_the_example_names_every_setting_once_with_a_value_that_is_accepted(tmp_path: Path) -> None:
    text = (SHIPPED / "config.toml.example").read_text()
    uncommented = re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE)
    file = tmp_path / "config.toml"
    file.write_text(uncommented)

    assert set(tomllib.loads(uncommented)) == set(NAMES)
    assert load(file, {}, cwd=tmp_path).problems == ()


def test_the_example_pins_the_engine_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    file = SHIPPED / "config.toml.example"
    loaded = load(file, {}, cwd=tmp_path)
    changed = {name for name, origin in loaded.origins.items() if origin != "default"}

    assert changed == {"engine"}
    assert loaded.settings.engine == "kubernetes"


def test_what_the_example_shows_as_a_default_is_the_default(tmp_path: Path) -> None:
    text = (SHIPPED / "config.toml.example").read_text()
    shown = tmp_path / "shown.toml"
    shown.write_text(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))
    plain = tmp_path / "plain.toml"
    plain.write_text("")
    examples = {"engine", "kubeconfig", "context", "namespace", "profiles", "scenarios"}
    examples |= {"keep_days", "harness_venvs", "executables", "secrets", "transfer_rate"}
    ours, defaults = load(shown, {}, cwd=tmp_path), load(plain, {}, cwd=tmp_path)

    assert ours.settings.model_dump(exclude=examples) == defaults.settings.model_dump(
        exclude=examples
    )


@pytest.mark.skipif(
    shutil.which("systemd-sysusers") is None or shutil.which("systemd-tmpfiles") is None,
    reason="real systemd missing: no systemd-sysusers or systemd-tmpfiles",
)
def test_the_users_and_folders_come_out_as_promised(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    users = SHIPPED / "llmdbenchd.sysusers.conf"
    folders = SHIPPED / "llmdbenchd.tmpfiles.conf"
    if run("systemd-sysusers", f"--root={tmp_path}", str(users)).returncode != 0:
        pytest.skip("systemd-sysusers cannot work on another root here")
    made = run("systemd-tmpfiles", f"--root={tmp_path}", "--create", str(folders))
    assert made.stderr == ""
    people = (tmp_path / "etc/passwd").read_text()
    _, _, uid, gid, *_ = people.split(":")

    assert people.startswith("llmdbenchd:")
    assert f"llmdbench:x:{gid}:" in (tmp_path / "etc/group").read_text()
    seen = {
        str(path.relative_to(tmp_path / "var/lib/llmdbenchd")): look(path, uid=uid, gid=gid)
        for path in (tmp_path / "var/lib/llmdbenchd").rglob("*")
    }
    assert seen == {
        "queue": "2770 root:ours",
        "queue/control": "2770 root:ours",
        "queue/rejected": "2770 root:ours",
        "queue/.taken": "700 ours:ours",
        "state": "750 ours:ours",
        "archive": "750 ours:ours",
    }


def look(path: Path, *, uid: str, gid: str) -> str:
    status = path.stat()
    names = {uid: "ours", gid: "ours", "0": "root"}
    owner = names.get(str(status.st_uid), "?")
    group = "ours" if str(status.st_gid) == gid else "?"
    return f"{status.st_mode & 0o7777:o} {owner}:{group}"
