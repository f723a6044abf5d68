"""The workload of a harness script: read where it was mounted, copied among the results."""

from __future__ import annotations

import hashlib
import os

from llmdbenchd.payload.contract import Code, Context, Refusal


def read(context: Context) -> str:
    """The profile's text.

    Raises:
        Refusal: it is missing, or is no text.
    """
    try:
        with open(context.profile, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        raise unusable(context, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise unusable(context, "it is not UTF-8") from error


def keep(context: Context, text: str) -> str:
    """Write `text`, the profile as the harness gets it, among the results; returns its path.

    Raises:
        Refusal: it cannot be written.
    """
    copy = os.path.join(context.results, context.workload)
    try:
        with open(copy, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        sentence = f"the profile's copy {copy} cannot be written: {error.strerror}"
        raise Refusal(Code.NOT_WRITTEN, "not written", sentence) from error
    return copy


def seed(context: Context) -> int:
    """A seed for a harness that asks for one, below 2**31.

    It follows from the results folder's name: another for each run, repetition and launcher
    (launchers with one seed would send the same prompts, which a prefix cache answers), and
    the same one whenever it is asked for.
    """
    name = os.path.basename(context.results).encode("utf-8", "surrogateescape")
    return int(hashlib.sha256(name).hexdigest()[:8], 16) & 0x7FFFFFFF


def unusable(context: Context, reason: str) -> Refusal:
    """The refusal of a profile."""
    sentence = f"the profile {context.profile} cannot be used: {reason}"
    return Refusal(Code.NO_PROFILE, "profile unusable", sentence)
