"""Putting a run's variables into a profile, by the kind of its template."""

from collections.abc import Mapping
from functools import lru_cache

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
    text: str, *, overrides: Mapping[str, object], variables: Mapping[str, str], file: str
) -> str:
    """Override and render in the right order.

    Overrides come before tokens, as in the field, so their values may hold tokens. A Jinja
    template is no YAML before it is rendered: there they come after.

    Raises:
        WorkloadError: see `override` and `render`.
    """
    if _is_template(file):
        return override(render(text, variables, file=file), overrides, file=file)
    return render(override(text, overrides, file=file), variables, file=file)


def _is_template(file: str) -> bool:
    return file.endswith(".j2")


@lru_cache(maxsize=256)  # a sweep's jobs differ little; proving one takes milliseconds
def _rendered(text: str, variables: frozenset[tuple[str, str]], file: str) -> str:
    if _is_template(file):
        return render_template(text, dict(variables), file=file)
    return render_tokens(text, dict(variables), file=file)
