"""The daemon in a cluster: its manifest agrees with its settings, its rights and its image."""

import re
from pathlib import Path
from typing import Any

import yaml

from llmdbenchd.app.status import NAME as STATUS
from llmdbenchd.settings import Settings, load

DEPLOY = Path(__file__).parents[2] / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
CLAIM, DEPLOYMENT = yaml.safe_load_all((DEPLOY / "deployment.yaml").read_text(encoding="utf-8"))
POD: dict[str, Any] = DEPLOYMENT["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]


def environment() -> dict[str, str]:
    return {one["name"]: one.get("value", "bench") for one in CONTAINER["env"]}


def settings() -> Settings:
    loaded = load(None, environment(), cwd=Path("/"))
    assert loaded.problems == ()
    return loaded.settings


def test_there_is_never_a_second_daemon_beside_the_first() -> None:
    assert DEPLOYMENT["spec"]["replicas"] == 1
    assert DEPLOYMENT["spec"]["strategy"] == {"type": "Recreate"}


def test_every_variable_is_a_setting_and_the_engine_is_pinned() -> None:
    assert settings().engine == "kubernetes"
    assert settings().namespace == "bench"


def test_all_that_must_outlive_the_pod_lies_on_its_one_claim() -> None:
    [data] = [one for one in CONTAINER["volumeMounts"] if one["name"] == "data"]
    [volume] = [one for one in POD["volumes"] if one["name"] == "data"]

    for folder in (settings().queue, settings().state, settings().archive):
        assert folder.is_relative_to(data["mountPath"])
    assert volume["persistentVolumeClaim"]["claimName"] == CLAIM["metadata"]["name"]


def test_it_runs_as_the_account_that_has_the_rights() -> None:
    first = next(yaml.safe_load_all((DEPLOY / "rbac.yaml").read_text(encoding="utf-8")))

    assert (first["kind"], first["metadata"]["name"]) == (
        "ServiceAccount",
        POD["serviceAccountName"],
    )


def test_a_restricted_namespace_takes_the_pod() -> None:
    pod, container = POD["securityContext"], CONTAINER["securityContext"]

    assert pod["runAsNonRoot"]
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["readOnlyRootFilesystem"]


def test_the_image_has_the_user_that_the_pod_runs_as() -> None:
    pod = POD["securityContext"]
    found = re.search(r"^USER (\d+):(\d+)$", CONTAINERFILE, re.MULTILINE)

    assert found is not None
    assert (int(found[1]), int(found[2])) == (pod["runAsUser"], pod["runAsGroup"])


def test_no_service_of_the_namespace_becomes_a_setting() -> None:
    assert POD["enableServiceLinks"] is False


def test_the_probes_look_at_the_file_that_the_daemon_writes() -> None:
    for probe in ("startupProbe", "livenessProbe"):
        assert f" {settings().state / STATUS} " in CONTAINER[probe]["exec"]["command"][2]


def test_the_image_starts_what_the_manifest_starts() -> None:
    said = ", ".join(f'"{word}"' for word in CONTAINER["command"])

    assert f"CMD [{said}]" in CONTAINERFILE
    for folder in re.findall(r"^COPY (\w+) \w+$", CONTAINERFILE, re.MULTILINE):
        assert (DEPLOY.parent / folder).is_dir()


def test_an_engine_gets_only_what_the_image_is_made_of() -> None:
    """A whole checkout, with what `make` installs in it, is gigabytes."""
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE, re.MULTILINE)

    assert "*" in ignored
    assert sent == {name for names in copied for name in names.split()}
