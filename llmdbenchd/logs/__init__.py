"""The daemon's own log: what happened, and its facts.

A line is an event name that never changes and keys that do; the names are listed in
`docs/events.md`. Other rooms only ever do `log = structlog.get_logger()`, bind the
context (`job`, `run`, `attempt`) once, and name what happened; this room is for the
composition root, which decides where lines go and how they look.
"""

from llmdbenchd.logs.foreign import route_asyncio
from llmdbenchd.logs.setup import OpenLog, configure

__all__ = ["OpenLog", "configure", "route_asyncio"]
