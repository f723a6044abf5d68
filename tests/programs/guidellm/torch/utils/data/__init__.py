"""Of the stand-in: what is loaded is loaded where it is asked for, in no other process."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class IterableDataset(Generic[Item]):
    """What is loaded from."""


class DataLoader(Generic[Item]):
    """Torch's loader with a batch of one and without workers; other options change nothing."""

    def __init__(
        self,
        dataset: Iterable[Item],
        collate_fn: Callable[[list[Item]], Any],
        **options: object,
    ) -> None:
        del options
        self.dataset = dataset
        self._collate = collate_fn

    def __iter__(self) -> Iterator[Any]:
        return (self._collate([item]) for item in self.dataset)


def get_worker_info() -> None:
    """Nothing: there are no workers."""
