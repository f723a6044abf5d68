"""The page for people who come from run.sh: each lesson in it is held by a test that exists."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/coming-from-run-sh.md"
PACKAGE = TESTS.parent / "llmdbenchd"
TEXT = PAGE.read_text(encoding="utf-8")
HEADS = {"| there | here | test |", "| --- | --- | --- |"}
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and line not in HEADS]
COMPLAINTS = """
#355 #413 #569 #722 #250 #716 #715 #351 #79 #632 #701 #859 #1136 #1882 #161 #1924 #84 #986
#934 #1726 #1696 #96 #1342 #1397 #1633 #1615 #1339 #285 #522 #384 #638 llm-d#969 #1412
#130 #131 #136 #1845 #1897 #1900 #1789 #1801 llm-d#2213 #107 #125 #194 #200 #1516 #1563
#613 #404 #344 #324 #386 #686 #1459 #1477 #1598 #922 #781 #1643 #1628
llm-d-autoscaling#1545
"""
STARTS = re.compile(r"(?:create_subprocess_\w+|Popen|check_output|check_call|posix_spawn\w*)$")


def every_test() -> set[str]:
    """The name of every test function."""
    nodes = (
        node
        for path in TESTS.rglob("test_*.py")
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {node.name for node in nodes if node.name.startswith("test_")}


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))

    assert len(named) > 80
    assert named - every_test() == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_lesson_names_a_test(row: str) -> None:
    _, there, here, tests, _ = row.split("|")

    assert there.strip()
    assert here.strip()
    assert re.fullmatch(r" `test_\w+`(?:, `test_\w+`)* ", tests)


@pytest.mark.parametrize("thread", COMPLAINTS.split())
def test_every_complaint_that_somebody_made_is_answered(thread: str) -> None:
    assert any(re.search(rf"[ (]{re.escape(thread)}[,)]", row.split("|")[1]) for row in ROWS)


def test_no_tool_of_the_workstation_is_called() -> None:
    """No kubectl, helm, jq, rsync: what is started is our own, a harness, or a login program."""
    starts = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and STARTS.search(ast.unparse(node.func))
    }

    assert starts == {
        "edge/analysis.py",  # the harness's own analysis, by the environment that is named
        "edge/kubernetes/plugin.py",  # the login program that a kubeconfig names
        "edge/local/shim.py",  # the launcher
        "edge/local/starting.py",  # the shim, by our own Python
        "edge/reports.py",  # the converter, by our own Python
        "payload/child.py",  # the harness
    }
