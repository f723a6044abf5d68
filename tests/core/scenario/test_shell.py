"""Scenarios in the shell's language: what is understood, and what stops the reading."""

import pytest

from llmdbenchd.core.scenario.errors import ScenarioError
from llmdbenchd.core.scenario.shell import read_shell

GUIDE = r"""#!/usr/bin/env bash
# A guide in the manner of the field.
export LLMDBENCH_DEPLOY_MODEL_LIST="Qwen/Qwen3-32B"
#export LLMDBENCH_DEPLOY_MODEL_LIST=facebook/opt-125m
export LLMDBENCH_CONTROL_WORK_DIR=~/data/guide
export LLMDBENCH_HARNESS_CPU_NR=${CPUS:-8} # (default is "16")
export LLMDBENCH_VLLM_COMMON_PREPROCESS="python3 /setup/x.py; source \$HOME/env.sh"
export LLMDBENCH_ARGS=$(mktemp)
cat << EOF > $LLMDBENCH_ARGS
vllm serve REPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL \
--cpu ${LLMDBENCH_HARNESS_CPU_NR} --config "{\"a\":\"b\"}" \
--cost \$5
EOF
export LLMDBENCH_COPY=${LLMDBENCH_ARGS}
cat << 'EOF' > ${LLMDBENCH_ARGS}
as $it \
stands
EOF
export LLMDBENCH_HARNESS_NAME=inference-perf LLMDBENCH_HARNESS_EXPERIMENT_PROFILE=x.yaml
"""


def read(text: str, **given: str) -> dict[str, str]:
    found = read_shell(text, file="guide.sh", given=given)
    return {name: one.text for name, one in found.variables.items()}


def test_a_guide_of_the_field_is_read_whole() -> None:
    assert read(GUIDE) == {
        "LLMDBENCH_DEPLOY_MODEL_LIST": "Qwen/Qwen3-32B",
        "LLMDBENCH_CONTROL_WORK_DIR": "~/data/guide",
        "LLMDBENCH_HARNESS_CPU_NR": "8",
        "LLMDBENCH_VLLM_COMMON_PREPROCESS": "python3 /setup/x.py; source $HOME/env.sh",
        "LLMDBENCH_ARGS": "as $it \\\nstands\n",
        "LLMDBENCH_COPY": "as $it \\\nstands\n",
        "LLMDBENCH_HARNESS_NAME": "inference-perf",
        "LLMDBENCH_HARNESS_EXPERIMENT_PROFILE": "x.yaml",
    }


def test_a_here_document_is_expanded_unless_its_word_is_quoted() -> None:
    text = 'A=$(mktemp)\ncat > $A << EOF\nx=$X \\$X \\\n"${Y:-y}" ${X-x} $\nEOF\n'

    assert read(text, X="1") == {"A": 'x=1 $X "y" 1 $\n'}


def test_what_a_variable_was_before_the_scenario_is_seen_by_it() -> None:
    assert read("export A=$X-${X:-d}-${E:-d}-${E-d}-${U-d}", X="x", E="") == {"A": "x-x-d--d"}


def test_every_word_of_an_export_is_read_before_the_first_one_counts() -> None:
    assert read("A=1\nexport A=2 B=$A; A=3 C=$A; export A") == {"A": "3", "B": "1", "C": "3"}


def test_a_variable_knows_its_line_and_what_it_lacked() -> None:
    found = read_shell("\nA=1\n\nexport B=\\\n$U$U/$A C=${V:-}\nA=$A", file="x", given={}).variables

    assert [(one.line, one.missing) for one in found.values()] == [(6, ()), (4, ("U",)), (5, ())]


def test_braces_of_a_default_end_it_unless_they_are_escaped_or_quoted() -> None:
    text = 'export A=${U:-a\\}"}"b c} B="${U:-a\\}b}" C=${U:-${V:-${W-x y}}} D={} E=a:~ F=${U:-~}'

    assert read(text) == {"A": "a}}b c", "B": "a}b", "C": "x y", "D": "{}", "E": "a:~", "F": "~"}


REFUSED = [
    ("export A=$(date)", "command substitution"),
    ("export A=`date`", "command substitution"),
    ('export A="x $(date)"', "command substitution"),
    ('export A="x `date`"', "command substitution"),
    ("A=1 | cat", "a command behind an assignment"),
    ("export A=1|cat", "a pipe"),
    ("export A=1&", "background"),
    ("export A=1>x", "a redirection"),
    ("export A=1<x", "a redirection"),
    ("export A=1 > x", "`export` of anything"),
    ("if true; then", "a condition (`if`)"),
    ("[ -f x ]", "a condition (`[`)"),
    ("[[ -f x ]]", "a condition (`[[`)"),
    ("A=1;;", "a condition (`;;`)"),
    ("for x in 1 2; do", "a loop (`for`)"),
    ("while true; do", "a loop (`while`)"),
    ("function f { :; }", "a function (`function`)"),
    ("f() { :; }", "a function"),
    ("source other.sh", "the sourcing of another file (`source`)"),
    (". other.sh", "the sourcing of another file (`.`)"),
    ("{ A=1; }", "a group of commands"),
    ("(A=1)", "a subshell"),
    ("((A=1))", "arithmetic"),
    ("export A=$((1+1))", "arithmetic"),
    ("export A=$[1+1]", "arithmetic"),
    ("export A=(1 2)", "an array"),
    ("A[0]=1", "an array"),
    ("export A[0]=1", "an array"),
    ("A+=1", "an appending assignment"),
    ("export A+=1", "an appending assignment"),
    ("export A=a(b", "parentheses"),
    ("export A=a)", "parentheses"),
    ("export A={a,b}", "a brace expansion"),
    ("export A=${B:-{}}", "a brace expansion"),
    ("export A=~root/x", "a tilde expansion"),
    ("export A=x:~root", "a tilde expansion"),
    ("export A=${B:+x}", "a parameter expansion"),
    ("export A=${B%x}", "a parameter expansion"),
    ("export A=${#B}", "a parameter expansion"),
    ("export A=${B[0]}", "a parameter expansion"),
    ("export A=$1", "a positional or special parameter"),
    ("export A=$?", "a positional or special parameter"),
    ("export A=$'a'", "a quote with a dollar"),
    ('export A=$"a"', "a quote with a dollar"),
    ("export A='a", "a single quote that is never closed"),
    ('export A="a', "a double quote that is never closed"),
    ("export A=${B:-x", "an expansion that is never closed"),
    ('export A="${B:-x', "an expansion that is never closed"),
    ('export A="${B:-"x"}"', "in the braces"),
    ('export A="${B:-it\'s}"', "in the braces"),
    ('export A="${B:-<(x)}"', "in the braces"),
    ("export A=${B:-<(x)}", "a redirection"),
    ("export A=$B\\\nC", "continued line"),
    ("export A=" + "${B:-" * 30 + "}" * 30, "nested deeper"),
    ("export", "`export` without a name"),
    ("export -n A", "`export` of anything"),
    ("export A-B", "`export` of anything"),
    ('export "A=1"', "`export` of anything"),
    ("A=1 rm x", "a command behind an assignment"),
    ("echo x", "a command (`echo`)"),
    ("set -e", "a command (`set`)"),
    ("oc get pods", "a command"),
    ("'rm' x", "a command"),
    ("export A=1\r\n", "a carriage return"),
    ("export A=x\\", "a backslash at the end"),
    ("A=$(mktemp)\nB=x$A", "the path of a temporary file"),
    ("A=$(mktemp)\ncat << EOF > $A\n$A\nEOF", "the path of a temporary file"),
    ("A=$(mktemp)\ncat << EOF > $A\n$(date)\nEOF", "command substitution"),
    ("A=$(mktemp)\ncat << EOF > $A\n", "a here-document that is never closed"),
    ("A=$(mktemp)\ncat << EOF > $A\nx \\\nEOF", "a here-document that is never closed"),
    ("A=$(mktemp)\ncat <<- EOF > $A\nEOF", "a here-document with `<<-`"),
    ("A=$(mktemp)\ncat <<< x > $A", "a here-string"),
    ("A=$(mktemp)\ncat << $B > $A\nEOF", "a here-document without a plain word"),
    ("A=$(mktemp)\ncat << EOF >> $A\nEOF", "appending to a file"),
    ("A=$(mktemp)\ncat << EOF > $A x\nEOF", "a use of `cat`"),
    ("A=$(mktemp)\ncat > $A", "a use of `cat`"),
    ("cat << EOF\nEOF", "a use of `cat`"),
    ("A=x\ncat << EOF > $A\nEOF", "writing to a file"),
    ("cat << EOF > /tmp/x\nEOF", "writing to a file"),
]


@pytest.mark.parametrize(("text", "construct"), REFUSED)
def test_everything_else_stops_the_reading_with_its_line_and_its_name(
    text: str, construct: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        read(f"# a comment\n\n{text}")

    assert construct in caught.value.message
    assert caught.value.line >= 3
    assert str(caught.value).startswith("guide.sh:")


def test_the_line_of_a_here_documents_fault_is_the_line_in_the_file() -> None:
    with pytest.raises(ScenarioError) as caught:
        read("A=$(mktemp)\ncat << EOF > $A\nfine\n$(date)\nEOF\n")

    assert caught.value.line == 4


def test_a_command_that_is_refused_is_not_quoted() -> None:
    with pytest.raises(ScenarioError) as caught:
        read("hunter2 is my password\n")

    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_values_that_double_and_double_are_stopped() -> None:
    doubling = "export A=0123456789\n" + "export A=$A$A\n" * 60

    with pytest.raises(ScenarioError, match="4 MiB"):
        read(doubling)
