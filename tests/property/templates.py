"""Strategies for sets of templates: nested tags of every family, mostly such that they parse."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .flow import HAS_PARTIALS
from .tags import Tags

FLOW = [
    "if_", "if_", "if_", "for_", "for_", "for_", "for_", "with_", "with_", "ifchanged", "cycle",
    "cycle", "resetcycle", "regroup", "firstof", "nested_deep",
]  # fmt: skip
OTHERS = [
    "autoescape", "autoescape", "filter_", "spaceless", "small", "small", "widthratio", "url",
    "static", "querystring", "cache", "translate", "translate", "blocktranslate", "blocktranslate",
    "language", "languages", "timezone", "localtime", "localize", "include", "include", "include",
    "block", "block", "partial", "csp_nonce",
]  # fmt: skip
FOREIGN = [
    "simple",
    "simple",
    "put",
    "inclusion",
    "boxed",
    "whole",
    "whole",
    "single",
    "single",
    "nested",
    "keeping",
]
LATER = ["simple", "simple", "put", "inclusion", "boxed", "later_upper"]


class Body(Tags):
    """Draws the text of one template."""

    families = {
        "flow": st.sampled_from(FLOW),
        "others": st.sampled_from(OTHERS),
        "foreign": st.sampled_from(FOREIGN),
        "foreign beside awaitables": st.sampled_from([tag for tag in FOREIGN if tag != "nested"]),
        "later": st.sampled_from(LATER),
    }


RECURSIVE = (
    "{% if n > 0 and n < 4 %}({{ n }}{% cycle 'a' 'b' %}{{ x }}"
    "{% for y in many %}{% ifchanged %}{{ y }}{% endifchanged %}{% if forloop.first %}"
    "{% include 'rec.html' with n=n|add:'-1' %}{% endif %}{% endfor %}){% endif %}"
)


@st.composite
def template_sets(draw: Any, asynchronous: bool = False) -> dict[str, str]:
    """Templates by name; ``main.html`` is the one to render."""
    blocks = ["one", "two", "three"]
    outer = ["inc.html", "inc.html", "card.html", "deep.html", "rec.html"]
    if HAS_PARTIALS:
        outer.append("parts.html#part")
    found: dict[str, str] = {}

    def with_blocks(body: Body, most: int, always: bool) -> str:
        text = body.nodes(most)
        while always and body.free_blocks and body.chance(60):
            text += body.block()
        return text

    generations = draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2]))
    parent = ""
    for generation in range(generations):
        name = f"base{generation}.html"
        body = Body(draw, asynchronous, outer, blocks, 8)
        found[name] = parent + with_blocks(body, 1, True)
        parent = draw(st.sampled_from(EXTENDS)).replace("NAME", name)
    order = draw(st.permutations(blocks)) if parent else blocks
    body = Body(draw, asynchronous, outer, order, 18)
    found["main.html"] = parent + with_blocks(body, 1 if parent else 3, bool(parent))

    # Only what is mentioned is drawn, so that an example shrinks to what matters.
    def mentioned(name: str) -> bool:
        return any(name in text for text in found.values())

    if mentioned("parts.html"):
        body = Body(draw, asynchronous, ["card.html", "deep.html"], [], 4)
        found["parts.html"] = body.around("partialdef part") + "{{ a }}"
    if mentioned("inc.html") or mentioned("tpl") or "text" in found["main.html"]:
        body = Body(draw, asynchronous, ["card.html", "deep.html", "rec.html"], ["two"], 6)
        found["inc.html"] = body.nodes()
        if body.chance(15):
            found["inc.html"] = '{% extends "frame.html" %}' + found["inc.html"] + body.block()
    if mentioned("frame.html") or mentioned("tpl"):
        found["frame.html"] = "<{% block two %}two{% endblock %}{% block three %}{% endblock %}>"
    if mentioned("deep.html"):
        found["deep.html"] = Body(draw, asynchronous, ["card.html"], ["one"], 4).nodes()
    if mentioned("rec.html"):
        found["rec.html"] = RECURSIVE
    if mentioned("card"):
        found["card.html"] = draw(st.sampled_from(CARDS))
    return found


CARDS = [
    "<{{ x }}{{ y }}{{ outer }}{{ csrf_token }}>",
    "<{% for k in x %}{{ k }}{{ forloop.counter }}{{ forloop.parentloop.counter }}{% endfor %}>",
    "{% ifchanged x %}new{% endifchanged %}{% cycle 'p' 'q' %}{% block one %}{{ a }}{% endblock %}",
    "{% firstof a y x as z %}{{ z }}",
]
EXTENDS = ['{% extends "NAME" %}'] * 6 + [
    '{% extends "./NAME" %}', '{% extends d|default_if_none:"NAME" %}', "{% extends d.absent %}",
    "{% extends tpl %}",
]  # fmt: skip
