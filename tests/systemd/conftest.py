"""Fixtures with a real systemd."""

from collections.abc import Iterator

import pytest

from tests.systemd.manager import UserManager, user_manager, why_not


@pytest.fixture
def manager() -> Iterator[UserManager]:
    """A user manager of the test's own; the test is skipped with the reason where none can be."""
    reason = why_not()
    if reason is not None:
        pytest.skip(f"real systemd missing: {reason}")
    with user_manager() as manager:
        yield manager
