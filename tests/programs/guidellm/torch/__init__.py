"""A STAND-IN for the corner of torch that guidellm's data loader uses: for tests, never shipped.

PyPI has torch with CUDA only, gigabytes of it; guidellm itself is the real one.
"""

from torch.utils import data

__all__ = ["Generator", "data"]


class Generator:
    """Torch's source of random numbers; guidellm asks for one and shuffles nothing."""

    def manual_seed(self, seed: int) -> None:
        """Take the seed."""
