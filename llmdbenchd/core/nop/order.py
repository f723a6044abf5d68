"""What a recording is to do, as plain data that goes with its plan."""

from dataclasses import dataclass

import msgspec

from llmdbenchd.core.target.asked import Asked

FILE = "nop.json"
"""The plan's file that holds the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One recording.

    Attributes:
        asked: how its servers are found.
        sleep_mode: sleep is asked for, also where the log does not tell of it.
        restart: the pods are deleted first, so that what is measured is a cold load.
        repeat: how many recordings; without `restart` only sleep and wake are repeated, and
            what the inference launcher starts.
        load_format: what people expect; it is reported where no log tells.
        logging_level: likewise, for what a log lacks for its level.
        preprocess: what they had run before the server; it is reported.
        launcher: an inference launcher beside the server is to start another like it.
        launcher_port: of that launcher's REST API.
        launcher_vllm_port: of the server that it starts.
    """

    asked: Asked
    load_format: str = "auto"
    logging_level: str = "INFO"
    preprocess: str = "/bin/true"
    sleep_mode: bool = False
    restart: bool = False
    repeat: int = 1
    launcher: bool = False
    launcher_port: int = 8001
    launcher_vllm_port: int = 8002


def written(order: Order) -> str:
    """As JSON."""
    return msgspec.json.encode(order).decode()


def read(text: str | bytes) -> Order:
    """What `written` wrote.

    Raises:
        ValueError: it is something else.
    """
    return msgspec.json.decode(text, type=Order)
