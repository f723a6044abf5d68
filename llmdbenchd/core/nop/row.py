"""One row of the table of wordings: what vLLM writes, since when, and what is read from it.

A row is a literal as it stands in the log. In it:

    {name}           a number, read as `name` of `names.py` in that name's unit
    {name:MiB}       the same, written in another unit (`ms`, `MiB`)
    {name:auto}      a number with its unit beside it (`14.5 GB`, `980.2 MiB`)
    {tag}            text that tells readings of one name apart: a shape, a range, a model
    {tags}           a set or list of such words, in any order
    {text:field}     text that is kept with what the row marks: a version, a model
    {N}  {...}  {?}  a number, any text, one word; not read
    <more>           may be left out

A literal is the whole message, but for a full stop, a `[tag] ` before it and Ray's
`[repeated 2x across cluster]` behind it; it ends with `{...}` where the rest does not matter.
Every row is tried on every line: the versions (first to last in which it was seen; checked up to
0.32) explain absence and never choose. A row without a name to read marks a moment.
"""

from typing import NamedTuple


class Wording(NamedTuple):
    """One row.

    Attributes:
        literal: the wording.
        versions: `first..last`; `any`; `printed`, what is never logged; `plugin`, what a platform's
            own package says, which has versions of its own.
        mark: the moment that it marks, if any.
    """

    literal: str
    versions: str
    mark: str = ""
