"""How the loops and the outside world meet: Protocols of a few lines each.

Errors are named by whose move is next: `Refused` means that asking again will not
help, `Unavailable` that it may. Everything in `edge/` raises only these two for
trouble in the world, with the cause attached.
"""

from llmdbenchd.ports.engine import Clock, Copied, Engine, Listed, Others, Seen
from llmdbenchd.ports.errors import Gone, NotReady, Refused, Unavailable
from llmdbenchd.ports.evidence import Evidence, Natives, Reported, ReportOrder, Scout
from llmdbenchd.ports.queue import Dropped, NewJob, Queue, Request

__all__ = [
    "Clock",
    "Copied",
    "Dropped",
    "Engine",
    "Evidence",
    "Gone",
    "Listed",
    "Natives",
    "NewJob",
    "NotReady",
    "Others",
    "Queue",
    "Refused",
    "ReportOrder",
    "Reported",
    "Request",
    "Scout",
    "Seen",
    "Unavailable",
]
