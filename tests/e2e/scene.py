"""A daemon that records how the servers of a stack load, and that stack."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.daemon.household import Household
from tests.e2e.loader import MODEL
from tests.e2e.namespace import Namespace


@dataclass
class Scene:
    """A daemon, and a stack in a namespace of its own."""

    house: Household
    stack: Namespace

    def job(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a job file
        """A recording of the stack."""
        return {
            "harness": "nop",
            "methods": ["standalone"],
            "namespace": self.stack.name,
            "models": [MODEL],
            **fields,
        }

    def home(self, job: str) -> Path:
        return self.house.archive / job / "r001"

    def chart(self, job: str) -> dict[str, Any]:
        text = (self.home(job) / "results/1/timeline.json").read_text(encoding="utf-8")
        told: dict[str, Any] = json.loads(text)
        return told

    def logs(self) -> list[bytes]:
        """What was followed so far."""
        paths = self.house.root.glob("**/recordings/*/servers/*/vllm/*.log")
        return [path.read_bytes() for path in paths]
