"""Profiles that are Jinja templates."""

import pytest

from llmdbenchd.core.workload import render
from llmdbenchd.core.workload.errors import WorkloadError

FILE = "ladder.yaml.j2"


def problems_of(template: str, **variables: str) -> list[str]:
    with pytest.raises(WorkloadError) as caught:
        render(template, variables, file=FILE)
    return [str(problem) for problem in caught.value.problems]


def test_variables_go_by_their_own_names_and_the_last_line_stays_whole() -> None:
    template = "# REPLACE_ENV_X is not for here\nm: {{ M }}\n"
    template += "{% for r in [1, 2] %}r{{ r }}: {{ r }}\n{% endfor %}"

    expected = "# REPLACE_ENV_X is not for here\nm: x\nr1: 1\nr2: 2\n"
    assert render(template, {"M": "x"}, file=FILE) == expected


def test_an_empty_variable_counts_as_undefined() -> None:
    template = "a: {{ E | default('d') }}\nb: {% if E is defined %}1{% else %}2{% endif %}\n"

    assert render(template, {"E": ""}, file=FILE) == "a: d\nb: 2\n"


def test_every_undefined_name_is_told_at_once_with_its_line() -> None:
    template = "a: {{ MODLE }}\nb: {{ D | default(1) }}\nc: {{ URL }}\n{% set s = 1 %}d: {{ s }}\n"

    assert problems_of(template, MODEL="m", URL="") == [
        f"{FILE}:1: MODLE is not set or empty. Did you mean `MODEL`?",
        f"{FILE}:3: URL is not set or empty",
    ]


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("a: 1\nb: {{ M", f"{FILE}:2: the template is wrong: "),
        ("a: 1\nb: {{ 1 / 0 }}", f"{FILE}:2: the template cannot be rendered: division by zero"),
        ("a: {{ ''.__class__.__mro__ }}", f"{FILE}:1: the template cannot be rendered: "),
        ("a: {% include 'x' %}", f"{FILE}:1: the template cannot be rendered: "),
        ("a: 1\nb: {{ M }}", f"{FILE}: the template renders to something that is not YAML (line 2"),
        ("a: 1\nb: REPLACE_ENV_M", f"{FILE}:2: REPLACE_ENV_ is not Jinja."),
    ],
)
def test_a_mistake_in_a_template_is_told_with_its_line(template: str, told: str) -> None:
    (problem,) = problems_of(template, M="x: y")

    assert problem.startswith(told)
