"""Outputs are compared before anything is timed."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Container, Mapping

from .measure import Variant
from .results import OURS, OURS_ASYNC, OURS_ASYNC_FETCH, OURS_FETCH, STOCK, STOCK_IN_THREAD

EXACT = {STOCK, STOCK_IN_THREAD, OURS, OURS_ASYNC, OURS_FETCH, OURS_ASYNC_FETCH}
"""The Django template engines: their outputs are equal byte for byte."""

# The same character, as Django, markupsafe and minijinja escape it.
ENTITIES = {"&#x27;": "'", "&#39;": "'", "&#34;": '"', "&quot;": '"', "&#x2f;": "/", "&#x2F;": "/"}
between_tags = re.compile(r"\s*(<|>)\s*")
tag_begins = re.compile(r"(?=<)")
spaces = re.compile(r"\s+")


class OutputsDiffer(Exception):
    """Two engines gave different outputs, so that their times mean nothing."""


def normalise(text: str) -> str:
    """Remove what may differ between template languages: white space, and how quotes escape."""
    for entity, character in ENTITIES.items():
        text = text.replace(entity, character)
    return spaces.sub(" ", between_tags.sub(r"\1", text)).strip()


def pieces(text: str) -> list[str]:
    """Cut a text before each tag, and show every character of it."""
    return [ascii(piece) for piece in tag_begins.split(text)]


def check_outputs(
    page: str,
    variants: Mapping[str, Variant],
    *,
    exact: Container[str] = EXACT,
    prints: bool = True,
) -> str:
    """Render each variant once and compare; return the output.

    Args:
        exact: the engines whose outputs have to be equal byte for byte.
        prints: whether an output of nothing is a fault.

    Raises:
        OutputsDiffer: with the first differing lines.
    """
    with asyncio.Runner() as runner:
        outputs = {name: str(variant.once(runner)) for name, variant in variants.items()}
    (reference, expected), *others = outputs.items()
    if prints and not expected.strip():
        raise OutputsDiffer(f"{page}: {reference} gave nothing")
    for name, output in others:
        first, second = expected, output
        if reference not in exact or name not in exact:
            first, second = normalise(expected), normalise(output)
        if first != second:
            difference = difflib.unified_diff(
                pieces(first),
                pieces(second),
                reference,
                name,
                lineterm="",
                n=1,
            )
            raise OutputsDiffer("\n".join([f"{page}: outputs differ", *list(difference)[:40]]))
    return expected
