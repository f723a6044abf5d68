"""The shipped Roles on a real cluster: whole, and with each rule taken away."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmdbenchd.core.rights import LAUNCHERS, PREPROCESS, STACK, STACK_CHANGES, Need, Right
from tests.e2e import daemon
from tests.e2e.cluster import Cluster
from tests.e2e.namespace import Namespace

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120)]
DEPLOY = Path(__file__).parents[2] / "deploy"
ON_THE_STACK = (
    (STACK, "llmdbenchd-stack"),
    (STACK_CHANGES, "llmdbenchd-stack-nop"),
    (PREPROCESS, "llmdbenchd-stack-preprocess"),
)
EXTRA = (*STACK_CHANGES, *PREPROCESS)  # named one by one, since many do without
HEARD_S = 10.0  # for the API server's authorizer to hear of a change


@dataclass
class Ward:
    """A namespace of launchers and one of servers; who asks has the shipped rights there."""

    launchers: Namespace
    stack: Namespace
    kubeconfig: Path

    def doctor(self) -> tuple[int, list[dict[str, Any]]]:
        """Its exit code, and what it says of rights."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.kubeconfig.parent),
            "LLMDBENCHD_ENGINE": "kubernetes",
            "LLMDBENCHD_KUBECONFIG": str(self.kubeconfig),
        }
        where = ("--namespace", self.launchers.name, "--stack-namespace", self.stack.name)
        done = subprocess.run(
            (sys.executable, "-m", "llmdbenchd", "doctor", "--json", *where),
            env=environment,
            cwd=self.kubeconfig.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        checks = json.loads(done.stdout)["checks"]
        return done.returncode, [one for one in checks if one["check"] in {"rights", "cluster"}]

    def until_missing(self, count: int) -> tuple[int, list[dict[str, Any]]]:
        """The same once `count` rights are named as missing."""
        deadline = time.monotonic() + HEARD_S
        while True:
            code, found = self.doctor()
            missing = [one for one in found if one["verdict"] != "ok"]
            if len(missing) == count:
                return code, missing
            assert time.monotonic() < deadline, found


@pytest.fixture(scope="module")
def ward(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    folder = tmp_path_factory.mktemp("ward")
    with cluster.namespace("rights") as launchers, cluster.namespace("stack") as stack:
        account = daemon.grant(launchers)
        for _, role in ON_THE_STACK:
            for document in _documents(f"{role.replace('llmdbenchd', 'rbac')}.yaml"):
                for subject in document.get("subjects", ()):
                    subject["namespace"] = launchers.name
                stack.create(f"{document['kind'].lower()}s", document)
        yield Ward(
            launchers, stack, cluster.kubeconfig_of(launchers, account, folder / "kubeconfig")
        )


def test_the_shipped_roles_are_enough(ward: Ward) -> None:
    assert ward.until_missing(0) == (0, [])


def test_a_binding_in_the_launchers_namespace_needs_no_other_word(
    ward: Ward, cluster: Cluster, tmp_path: Path
) -> None:
    """`kubectl apply --namespace` of the file as it is: the subject is of the same namespace."""
    with cluster.namespace("plain") as plain:
        for document in _documents("rbac.yaml"):
            plain.create(f"{document['kind'].lower()}s", document)
        config = cluster.kubeconfig_of(plain, "llmdbenchd", tmp_path / "kubeconfig")
        _, found = Ward(plain, ward.stack, config).until_missing(1 + len(EXTRA))

    said = {one["said"].partition(":")[0] for one in found}
    assert said == {ward.stack.name}, "whose bindings are for another account"


@pytest.mark.parametrize("taken", LAUNCHERS, ids=str)
def test_a_rule_that_is_taken_away_is_named(ward: Ward, taken: Right) -> None:
    with _without(ward.launchers, "llmdbenchd", LAUNCHERS, taken):
        code, [found] = ward.until_missing(1)

    assert found["said"].startswith(f"{ward.launchers.name}: may not {taken} ({taken.reason})")
    assert (code, found["verdict"]) == ((1, "bad") if taken.need is Need.ALWAYS else (0, "warn"))


@pytest.mark.parametrize(
    ("table", "role", "taken"),
    [(table, role, one) for table, role in ON_THE_STACK for one in table],
    ids=str,
)
def test_a_rule_on_the_stack_that_is_taken_away_is_named(
    ward: Ward, table: Sequence[Right], role: str, taken: Right
) -> None:
    with _without(ward.stack, role, table, taken):
        code, [found] = ward.until_missing(1)

    assert found["said"].startswith(f"{ward.stack.name}: may not {taken} ({taken.reason})")
    assert (code, found["verdict"]) == (0, "warn")


def test_without_the_binding_it_is_said_once_for_each_namespace(ward: Ward) -> None:
    for place, name in ((ward.launchers, "llmdbenchd"), (ward.stack, "llmdbenchd-stack")):
        place.delete("rolebindings", name)

    code, found = ward.until_missing(2)

    assert code == 1
    assert [one["verdict"] for one in found] == ["bad", "warn"]
    assert all("none of the" in one["said"] for one in found)


@contextmanager
def _without(place: Namespace, role: str, table: Sequence[Right], taken: Right) -> Iterator[None]:
    """The Role without one of its rights, for as long as the block lasts."""
    _replace(place, role, [right for right in table if right != taken])
    try:
        yield
    finally:
        _replace(place, role, table)


def _replace(place: Namespace, role: str, rights: Sequence[Right]) -> None:
    rules = [yaml.safe_load(right.rule)[0] for right in rights]
    place.delete("roles", role)
    place.create("roles", {"metadata": {"name": role}, "rules": rules})


def _documents(file: str) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all((DEPLOY / file).read_text(encoding="utf-8"))
