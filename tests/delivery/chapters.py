"""The examples of a chapter of the documentation."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
block = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def text_of(chapter):
    """Return a chapter's text."""
    return (DOCS / chapter).read_text(encoding="utf-8")


def blocks_of(chapter, language):
    """Return the blocks of one language in a chapter, such as ``streaming.md``, in order."""
    return [source for name, source in block.findall(text_of(chapter)) if name == language]


def names_of(chapter):
    """Run the Python blocks of a chapter, one after the other; return what they define."""
    found = {"__name__": "shop.chapter"}
    for source in blocks_of(chapter, "python"):
        exec(compile(source, DOCS / chapter, "exec"), found)
    return found
