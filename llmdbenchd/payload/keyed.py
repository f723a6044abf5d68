"""Load generators with the endpoint's key, which is in no file and on no command line.

    python keyed.py inference-perf WORDS...        as `inference-perf WORDS...`
    python keyed.py aiperf WORDS...                as `aiperf WORDS...`

Their own ways to be told a key are a config that is printed and kept among the results, and
an option that everybody on the machine can read. So it goes from the environment into the
program, once that runs.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

KEY = "OPENAI_API_KEY"  # as the field's other load generators read it


def inference_perf(words: list[str]) -> object:
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


def aiperf(words: list[str]) -> object:
    """Run aiperf in this process; what it keeps of its own words it keeps without the key."""
    sys.argv = ["aiperf", *words, f"--api-key={os.environ[KEY]}"]
    return import_module("aiperf.cli").app()


if __name__ == "__main__":
    del sys.path[0]  # the payload's folder: its modules' names are not for others
    run = {"inference-perf": inference_perf, "aiperf": aiperf}[sys.argv[1]]
    sys.exit(run(sys.argv[2:]))  # type: ignore[arg-type] # mypy - whatever it returns
