"""inference-perf with the endpoint's key, which is in no file and on no command line.

    python keyed.py WORDS...        as `inference-perf WORDS...`

Its own way to be told a key is its config, which it prints and writes among the results. So
the key goes from the environment into the client itself.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

KEY = "OPENAI_API_KEY"  # as the field's other load generators read it


def main(words: list[str]) -> object:
    """Run inference-perf in this process; returns what it returns."""
    package = import_module("inference_perf")
    client = import_module("inference_perf.client.modelserver.openai_client")
    begin = client.openAIModelServerClient.__init__

    def keyed(self: object, *given: object, **named: object) -> None:
        begin(self, *given, **named)
        self.api_key = os.environ[KEY]  # type: ignore[attr-defined] # mypy - of a foreign class

    client.openAIModelServerClient.__init__ = keyed
    sys.argv = ["inference-perf", *words]
    return package.main_cli()


if __name__ == "__main__":
    del sys.path[0]  # the payload's folder: its modules' names are not for others
    sys.exit(main(sys.argv[1:]))  # type: ignore[arg-type] # mypy - whatever it returns
