"""A scenario in YAML: the same values as a mapping of names to single values."""

import yaml

from llmdbenchd.core.scenario.cursor import NAME
from llmdbenchd.core.scenario.errors import ScenarioError
from llmdbenchd.core.scenario.scenario import Assigned, Scenario

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_NULL = "tag:yaml.org,2002:null"
_HINT = "write lines such as LLMDBENCH_HARNESS_NAME: inference-perf"


def read_mapping(text: str, *, file: str) -> Scenario:
    """Read a scenario. Values are text as written: `010` and `no` are what they look like.

    Raises:
        ScenarioError: it is not YAML, or not a mapping of names to single values.
    """
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise ScenarioError(file, line, f"not YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ScenarioError(file, 0, "not YAML, or nested too deeply") from error
    if root is None or root.tag == _NULL:
        return Scenario(file)
    if not isinstance(root, yaml.MappingNode):
        raise ScenarioError(file, _line(root), "something else than a mapping", _HINT)
    variables: dict[str, Assigned] = {}
    for key, value in root.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not NAME.fullmatch(name):
            raise ScenarioError(file, _line(key), "a key that is no variable's name", _HINT)
        if not isinstance(value, yaml.ScalarNode):
            message = "a mapping or list where a variable's value is wanted"
            raise ScenarioError(file, _line(value), message, _HINT)
        if name in variables:
            raise ScenarioError(file, _line(key), "a variable that is given twice")
        text_of = "" if value.tag == _NULL and not value.style else value.value
        variables[name] = Assigned(text_of, _line(key))
    return Scenario(file, variables)


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 0
