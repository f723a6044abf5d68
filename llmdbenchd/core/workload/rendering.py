"""Putting a run's variables into a profile, by the kind of its template."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem
from llmdbenchd.core.workload.overrides import override
from llmdbenchd.core.workload.templates import render_template
from llmdbenchd.core.workload.tokens import render_tokens


def render(text: str, variables: Mapping[str, str], *, file: str) -> str:
    """The workload that a profile becomes.

    Args:
        text: the profile.
        variables: name to value, for example `LLMDBENCH_DEPLOY_CURRENT_MODEL`; an empty
            value counts as unset.
        file: the profile's file name. `*.j2` is a Jinja template; everything else holds
            tokens (see `tokens`), or nothing to replace.

    Returns:
        YAML, with the profile's comments and layout.

    Raises:
        WorkloadError: every variable that is missing, or why the text is not YAML.
    """
    return _rendered(text, frozenset(variables.items()), file)


def prepare(
    text: str,
    *,
    overrides: Sequence[Mapping[str, object]],
    variables: Mapping[str, str],
    file: str,
) -> str:
    """Override and render in the right order.

    Overrides come before tokens, as in the field, so their values may hold tokens. A Jinja
    template is no YAML before it is rendered: there they come after.

    Args:
        text: the profile.
        overrides: layers of them, one made after the other: a later one wins, whether it
            names a value or a path.
        variables: see `render`; `file` likewise.
        file: the profile's file name.

    Raises:
        WorkloadError: see `override` (of every layer) and `render`.
    """
    if _is_template(file):
        return _overridden(render(text, variables, file=file), overrides, file)
    return render(_overridden(text, overrides, file), variables, file=file)


def _overridden(text: str, layers: Sequence[Mapping[str, object]], file: str) -> str:
    problems: list[WorkloadProblem] = []
    for layer in layers:
        try:
            text = override(text, layer, file=file)
        except WorkloadError as error:
            problems += error.problems
    if problems:
        raise WorkloadError(problems)
    return text


def _is_template(file: str) -> bool:
    return file.endswith(".j2")


@lru_cache(maxsize=256)  # a sweep's jobs differ little; proving one takes milliseconds
def _rendered(text: str, variables: frozenset[tuple[str, str]], file: str) -> str:
    if _is_template(file):
        return render_template(text, dict(variables), file=file)
    return render_tokens(text, dict(variables), file=file)
