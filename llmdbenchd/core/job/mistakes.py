"""What a validator says when a value is wrong: one error, with the hint beside it."""

from pydantic_core import PydanticCustomError

MISTAKE = "mistake"  # the type by which `findings` knows our own errors


def mistake(
    message: str, hint: str = "", *, at: tuple[str | int, ...] = (), wants_text: bool = False
) -> PydanticCustomError:
    """The error to raise from a validator.

    Args:
        message: what is wrong.
        hint: what to do about it.
        at: where in the value, when only a part of it is wrong.
        wants_text: whether it is wrong only for not being text (then quoting may help).
    """
    facts = {"message": message, "hint": hint, "at": at, "wants_text": wants_text}
    return PydanticCustomError(MISTAKE, "{message}", facts)
