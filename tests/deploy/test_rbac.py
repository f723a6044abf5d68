"""The Roles that we ship grant what the table says, no less, no more, and give its reasons."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmdbenchd.core.rights import LAUNCHERS, PREPROCESS, STACK, STACK_CHANGES, Right

DEPLOY = Path(__file__).parents[2] / "deploy"
BOTH = pytest.mark.parametrize(
    ("file", "table"),
    [
        ("rbac.yaml", LAUNCHERS),
        ("rbac-stack.yaml", STACK),
        ("rbac-stack-nop.yaml", STACK_CHANGES),
        ("rbac-stack-preprocess.yaml", PREPROCESS),
    ],
)
Grant = tuple[str, str, str, str]


def documents(file: str) -> dict[str, Any]:
    text = (DEPLOY / file).read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def rules(file: str) -> list[list[Grant]]:
    """What each rule grants: group, resource, verb, and the name of the only object, or none."""
    return [
        [
            (group, resource, verb, name)
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
            for name in rule.get("resourceNames", [""])
        ]
        for rule in documents(file)["Role"]["rules"]
    ]


def comments(file: str) -> list[str]:
    """The comment above each rule."""
    text = (DEPLOY / file).read_text(encoding="utf-8")
    above, found = list[str](), list[str]()
    for line in text.partition("rules:\n")[2].partition("---\n")[0].splitlines():
        if line.startswith("  # "):
            above.append(line.removeprefix("  # "))
        elif line.startswith("  - "):
            found.append("\n".join(above))
            above = []
    return found


@BOTH
def test_a_role_grants_what_the_table_says_and_nothing_else(
    file: str, table: Sequence[Right]
) -> None:
    granted = [grant for rule in rules(file) for grant in rule]

    assert sorted(granted) == sorted(map(_granted, table))


@BOTH
def test_every_rule_says_the_tables_reasons(file: str, table: Sequence[Right]) -> None:
    told = {
        grant: comment
        for grants, comment in zip(rules(file), comments(file), strict=True)
        for grant in grants
    }

    for one in table:
        line = f"{one.verb}: {one.reason}"
        assert line in told[_granted(one)].splitlines()


@BOTH
def test_a_role_is_of_one_namespace_and_names_no_cluster_wide_thing(
    file: str, table: Sequence[Right]
) -> None:
    assert table
    assert set(documents(file)) <= {"ServiceAccount", "Role", "RoleBinding"}
    assert "namespace" not in documents(file)["Role"]["metadata"]


@BOTH
def test_the_role_is_bound_to_our_account(file: str, table: Sequence[Right]) -> None:
    assert table
    found = documents(file)
    [subject] = found["RoleBinding"]["subjects"]

    assert found["RoleBinding"]["roleRef"]["name"] == found["Role"]["metadata"]["name"]
    assert (subject["kind"], subject["name"]) == ("ServiceAccount", "llmdbenchd")


def _granted(one: Right) -> Grant:
    return one.group, one.resource, one.verb, one.name
