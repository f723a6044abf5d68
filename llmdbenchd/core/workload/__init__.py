"""From a profile (template) to a rendered workload.

The steps, in the field's order: a profile is chosen (`profile`), `override` changes
values in its text, `render` puts the run's variables in. `prepare` does both in the
order that the kind of template needs. Each takes text and gives text; comments and
layout of what is not touched stay. All mistakes are raised together (`errors`).
"""

from llmdbenchd.core.workload.overrides import override
from llmdbenchd.core.workload.rendering import prepare, render

__all__ = ["override", "prepare", "render"]
