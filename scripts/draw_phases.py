"""Draws the picture of the phases into docs/architecture.md: `make fix` runs this."""

from pathlib import Path

from llmdbenchd.core.run.phase import picture

PAGE = Path(__file__).parents[1] / "docs/architecture.md"
BEGIN, END = "<!-- phases:begin -->\n", "<!-- phases:end -->\n"


def fresh(page: str) -> str:
    """The page with today's picture between its markers.

    Raises:
        ValueError: the markers are missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name}: {BEGIN.strip()} and {END.strip()} mark the picture's place")
    return f"{before}{begin}\n```mermaid\n{picture()}```\n\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(fresh(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
