"""The table of wordings. A row is explained in `row.py`; which room a row lies in is of no meaning.

Every row is tried on every line: the versions explain absence and never choose.
"""

from llmdbenchd.core.nop.wording_loading import COMPILE, MEMORY, WEIGHTS
from llmdbenchd.core.nop.wording_serving import ENDS, ENGINE, SERVER, SLEEP

TABLE = (*WEIGHTS, *COMPILE, *MEMORY, *ENGINE, *SERVER, *SLEEP, *ENDS)
"""All rows, in the order in which they are tried."""
