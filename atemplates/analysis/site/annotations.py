"""``{# atemplates: books = shop.Book #}``: what a template's variables are, said in the template.

Django's parser drops comments, so they are read from the source.
"""

from __future__ import annotations

import re

from ...problems import Problem
from ...relations.labels import model_named

BAD_ANNOTATION = "bad-annotation"
COMMENT = re.compile(r"\{#\s*atemplates:(?P<text>.*?)#\}")
IGNORING = re.compile(r"\s*ignore\s*(\[[^\]]*\])?\s*\Z")
ANNOTATION = re.compile(r"\s*(?P<name>[A-Za-z]\w*)\s*=\s*(?P<label>\w+\.\w+)\s*\Z")


def annotations_of(name: str, source: str) -> tuple[dict[str, str], list[Problem]]:
    """Read the annotations of a template.

    Several stand in one comment with commas between them.

    Returns:
        Variable -> the label of its model (of its rows, when it is a list), and what is wrong.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(source.splitlines(), 1):
        for comment in COMMENT.finditer(line):
            if IGNORING.match(comment["text"]):
                # What ``check`` does not say there.
                continue
            for part in comment["text"].split(","):
                one = ANNOTATION.match(part)
                if one is None:
                    problems.append(
                        Problem(
                            f"cannot read the annotation {part.strip()!r}; expected "
                            "'{# atemplates: name = app.Model #}'",
                            name,
                            number,
                            code=BAD_ANNOTATION,
                        )
                    )
                    continue
                model = model_named(one["label"])
                if model is None:
                    problems.append(
                        Problem(
                            f"the annotation names the model {one['label']!r}, which does not "
                            "exist",
                            name,
                            number,
                            code=BAD_ANNOTATION,
                        )
                    )
                    continue
                if model._meta.swapped:
                    what = f"which is swapped for {str(model._meta.swapped)!r}: name that one"
                    problems.append(
                        Problem(
                            f"the annotation names {one['label']!r}, {what}",
                            name,
                            number,
                            code=BAD_ANNOTATION,
                        )
                    )
                    continue
                found[one["name"]] = model._meta.label
    return found, problems
