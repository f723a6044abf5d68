"""What `decide` may ask the world for. Each is safe to do twice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CreateLauncher:
    """Make launcher `index` (from 1) of the record's attempt, or find it made."""

    index: int


@dataclass(frozen=True, slots=True)
class StopLauncher:
    """End launcher `index`: its grace period first, then by force. What it wrote stays."""

    index: int


@dataclass(frozen=True, slots=True)
class RemoveLauncher:
    """Take away what is left of launcher `index`, its results included."""

    index: int


Action = CreateLauncher | StopLauncher | RemoveLauncher
