"""A request that cannot be served: an HTTP status and the body that clients of OpenAI read."""

_KINDS = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    404: "NotFoundError",
    405: "MethodNotAllowedError",
    413: "RequestTooLargeError",
    500: "InternalServerError",
    503: "ServiceUnavailableError",
}


class Trouble(Exception):
    """Raised anywhere while a request is handled; becomes the answer.

    Attributes:
        status: the HTTP status.
        message: a sentence for the person who reads the client's log.
        param: the field of the body that is at fault, or None.
    """

    def __init__(self, status: int, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param


def error_body(status: int, message: str, *, param: str | None = None) -> dict[str, object]:
    """The JSON body of an error, in OpenAI's shape with vLLM's names of kinds."""
    kind = _KINDS.get(status, "Error")
    return {"error": {"message": message, "type": kind, "param": param, "code": status}}
