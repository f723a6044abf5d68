"""Of the stand-in."""

from torch.utils.data import IterableDataset

__all__ = ["IterableDataset"]
