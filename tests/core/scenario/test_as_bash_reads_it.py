"""What bash makes of a scenario is what we read, without running it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from llmdbenchd.core.scenario.errors import ScenarioError
from llmdbenchd.core.scenario.shell import read_shell
from tests.core.scenario import bash

GIVEN = {"LLMDBENCH_G": "given", "LLMDBENCH_E": ""}
NAMES = ["LLMDBENCH_A", "LLMDBENCH_B", "LLMDBENCH_C", "FILE"]
KNOWN = [*NAMES[:3], *GIVEN, "LLMDBENCH_UNSET"]
WORD = st.text("abzAZ019_.,/=%@^+*?[]!-", min_size=1, max_size=6)
ANY = st.text("ab 1_./=,:;|&<>()#~{}[]*?!%é\t", max_size=8)


def expansions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    name = st.sampled_from(KNOWN)
    return st.one_of(
        st.builds("${{{}}}".format, name),
        st.builds("${{{}:-{}}}".format, name, inner),
        st.builds("${{{}-{}}}".format, name, inner),
        st.builds("${}/".format, name),
    )


QUOTED_TEXT = st.one_of(
    ANY.map(lambda text: text.replace("}", "").replace("(", "")),
    st.sampled_from(["\\$", "\\\\", "\\`", "\\a", "\\\n", "\n", "$ ", "$.", "\\}"]),
)
QUOTED_PART = st.recursive(
    QUOTED_TEXT,
    lambda inner: expansions(st.lists(inner, max_size=3).map("".join)),
    max_leaves=4,
)
QUOTED = st.lists(st.one_of(QUOTED_PART, st.sampled_from("}'(")), max_size=5).map("".join)
DOUBLE = st.builds(
    '"{}"'.format, st.lists(st.one_of(QUOTED, st.just('\\"')), max_size=3).map("".join)
)
SINGLE = st.builds("'{}'".format, st.one_of(ANY, st.just('$X `x` \\ " \n')))
PART = st.recursive(
    st.one_of(
        WORD, DOUBLE, SINGLE, WORD.map(lambda word: f"{word}\\\n"),
        st.sampled_from(["\\ ", "\\;", "\\$", "\\a", ":~/x", "{}", "#", ":"]),
    ),
    lambda inner: expansions(
        st.lists(inner.filter(lambda part: part != "{}"), max_size=3).map("".join)
    ),
    max_leaves=4,
)  # fmt: skip
VALUE = st.builds(
    "{}{}".format,
    st.sampled_from(["", "", "~/", "w"]),
    st.lists(PART, max_size=4).map("".join),
)
ASSIGNMENT = st.builds("{}={}".format, st.sampled_from(NAMES[:3]), VALUE)
EXPORT = st.lists(ASSIGNMENT, min_size=1, max_size=3).map(lambda each: "export " + " ".join(each))
PLAIN = st.lists(ASSIGNMENT, min_size=1, max_size=2).map("  ".join)
HERE = st.builds(
    "FILE=$(mktemp)\n{}\n{}\nEOF\n{}".format,
    st.sampled_from(
        ["cat << EOF > $FILE", "cat <<EOF >${FILE}  # text", "cat > \"$FILE\" << 'EOF'"]
    ),
    st.lists(st.one_of(QUOTED, st.just('say "x"')), max_size=4).map("\n".join),
    st.sampled_from(["", "export COPY=$FILE", 'COPY="${FILE}"']),
)
LINE = st.one_of(EXPORT, PLAIN, HERE, st.sampled_from(["# comment 'x", "", "  export LLMDBENCH_A"]))
SCRIPT = st.lists(
    st.builds("{}{}".format, LINE, st.sampled_from(["\n", " # why\n", "\n\n"])), max_size=6
).map("".join)
NOISE = st.lists(
    st.one_of(
        st.sampled_from(["export A=", "B=", "A=$(mktemp)\n", "cat << EOF > $A\n", "\nEOF\n", "\n"]),
        st.sampled_from(["${", "}", "$", "A", "B", ":-", "\\", "'", '"', "~", ":", "{", "x", " "]),
        st.sampled_from(["#", ";", "=", "\\\n", "!", "[", "*"]),
    ),
    max_size=14,
).map("".join)


@settings(max_examples=60, deadline=None)  # each starts a bash
@given(SCRIPT)
def test_bash_makes_the_same_of_what_we_accept(script: str) -> None:
    found = read_shell(script, file="x.sh", given=GIVEN)

    judged = bash.values(script, found.variables, GIVEN)
    assert {name: one.text for name, one in found.variables.items()} == judged


@settings(max_examples=60, deadline=None)  # each starts a bash
@given(NOISE)
def test_a_text_is_refused_or_means_to_us_what_it_means_to_bash(noise: str) -> None:
    try:
        found = read_shell(noise, file="x.sh", given={})
    except ScenarioError:
        return

    judged = bash.values(noise, found.variables, {})
    assert {name: one.text for name, one in found.variables.items()} == judged
