"""Profiles that are Jinja templates (`*.yaml.j2`), in Jinja's sandbox.

Variables go by their own names: `{{ LLMDBENCH_DEPLOY_CURRENT_MODEL }}`. An empty variable
counts as undefined, so `default(...)` and `is defined` work as people mean them.
"""

import traceback
from collections.abc import Mapping

import jinja2
import yaml
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llmdbenchd.core.workload.errors import WorkloadError, WorkloadProblem, did_you_mean

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # the result is YAML; HTML's escapes would corrupt it
)
_ASKS_FIRST = {"default", "d", "defined", "undefined"}
_RUNTIME = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)


def render_template(text: str, variables: Mapping[str, str], *, file: str) -> str:
    """Render the template; the result is YAML.

    Raises:
        WorkloadError: a mistake in the template, undefined variables (all of them), or a
            result that is not YAML.
    """
    given = {name: value for name, value in variables.items() if value}
    try:
        tree = _ENVIRONMENT.parse(text, filename=file)
        _refuse_tokens(tree, file)
        rendered = _ENVIRONMENT.from_string(text).render(given)
    except jinja2.TemplateSyntaxError as error:
        problem = WorkloadProblem(file, error.lineno, "the template", f"is wrong: {error.message}")
        raise WorkloadError([problem]) from error
    except jinja2.UndefinedError as error:
        missing = _undefined(_ENVIRONMENT.parse(text), given, file)
        raise WorkloadError(missing or [_failed(error, file)]) from error
    except (jinja2.TemplateError, *_RUNTIME) as error:
        raise WorkloadError([_failed(error, file)]) from error
    _must_be_yaml(rendered, file)
    return rendered


def _undefined(tree: nodes.Template, given: Mapping[str, str], file: str) -> list[WorkloadProblem]:
    """Every name that is read without a value, without asking first whether it has one."""
    asked = {
        id(each.node)
        for each in tree.find_all((nodes.Filter, nodes.Test))
        if each.name in _ASKS_FIRST
    }
    names = list(tree.find_all(nodes.Name))
    known = given.keys() | _ENVIRONMENT.globals.keys()
    known |= {each.name for each in names if each.ctx != "load"}
    missing = [each for each in names if each.name not in known and id(each) not in asked]
    return [
        WorkloadProblem(
            file, each.lineno, each.name, "is not set or empty", did_you_mean(each.name, given)
        )
        for each in missing
    ]


def _refuse_tokens(tree: nodes.Template, file: str) -> None:
    """A token in a Jinja template would go through unreplaced; say so instead."""
    for each in tree.find_all(nodes.TemplateData):
        for line, content in enumerate(each.data.split("\n"), each.lineno):
            if "REPLACE_ENV_" in content and not content.lstrip().startswith("#"):
                hint = "In a .j2 profile write {{ NAME }}, or rename it to .yaml.in."
                problem = WorkloadProblem(file, line, "REPLACE_ENV_", "is not Jinja", hint)
                raise WorkloadError([problem])


def _failed(error: Exception, file: str) -> WorkloadProblem:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if frame.filename == "<template>"]
    message = f"cannot be rendered: {error}"
    return WorkloadProblem(file, lines[-1] if lines else 0, "the template", message)


def _must_be_yaml(rendered: str, file: str) -> None:
    try:
        for _ in yaml.parse(rendered):
            pass
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        where = f" (line {mark.line + 1} of the result)" if mark else ""
        reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
        message = f"renders to something that is not YAML{where}: {reason}"
        hint = "The filter `tojson` quotes a value."
        raise WorkloadError([WorkloadProblem(file, 0, "the template", message, hint)]) from error
