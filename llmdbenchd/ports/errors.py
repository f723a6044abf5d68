"""What the world answers instead of an answer: the errors that cross a port."""


class Refused(Exception):
    """The world understood and said no; the same request will be refused again."""


class Unavailable(Exception):
    """The world did not answer, or not now; the same request may succeed later."""


class NotReady(Unavailable):
    """The world answered: what is asked for is there, and does not work yet.

    Attributes:
        restarts: how often a container of its servers was restarted at most; None if unknown.
    """

    def __init__(self, reason: str, *, restarts: int | None = None) -> None:
        super().__init__(reason)
        self.restarts = restarts


class Gone(Unavailable):
    """The world answered: what is asked for is there no more, and nobody can bring it back."""
