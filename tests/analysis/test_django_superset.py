"""Whatever a render reads is among the access paths: generated templates over objects that tell."""

from __future__ import annotations

from contextlib import suppress

from django.template import Context, Engine, VariableDoesNotExist
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from atemplates.analysis.django import access_paths

NAMES = ["a", "b", "c", "item", "x"]
STEPS = ["p", "q", "r"]


class Traced:
    """Has every attribute and two items, and notes the way to each one that is asked for."""

    def __init__(self, seen, root, path=()):
        self.__dict__.update(seen=seen, root=root, path=path)

    def follow(self, step):
        child = Traced(self.seen, self.root, (*self.path, step))
        self.seen.add((self.root, child.path))
        return child

    def __getattr__(self, name):
        if name.startswith("_") or name in ("resolve_expression", "render"):
            raise AttributeError(name)
        return self.follow(name)

    def __iter__(self):
        return iter([self.follow("[]"), self.follow("[]")])

    def __len__(self):
        return 2

    def __eq__(self, other):
        return isinstance(other, Traced) and self.path == other.path

    def __hash__(self):
        return hash(self.path)

    def __str__(self):
        return "."


NAME = st.sampled_from(NAMES)
STEP = st.sampled_from(STEPS)
VARIABLE = st.builds(lambda name, steps: ".".join([name, *steps]), NAME, st.lists(STEP, max_size=2))
FILTERS = ["", "", "", "|length", "|join:', '", "|default:c.p", "|yesno", "|dictsort:'p.q'"]
EXPRESSION = st.builds(str.__add__, VARIABLE, st.sampled_from(FILTERS))
SOURCE = st.builds(
    str.__add__, VARIABLE, st.sampled_from(["", "", "|dictsort:'r'", "|default:b.q"])
)
OPERATOR = st.sampled_from(["and", "or", "==", "in"])

LEAVES = [
    ("{{{{ {} }}}}", EXPRESSION),
    ("{{% firstof {} {} %}}", EXPRESSION, VARIABLE),
    ("{{{{ forloop.parentloop.counter }}}}",),
    # Not one of the names that variables are made of: a path could grow with each row.
    ("{{% cycle {} {} as last silent %}}", VARIABLE, VARIABLE),
    ("{{{{ last.p }}}}",),
    ("{{% include 'one.html' with {}={} %}}", NAME, VARIABLE),
    ("{{% include 'two.html' with {}={} only %}}", NAME, VARIABLE),
]
BODY = object()
"""Stands for more of the same in the tables of `BLOCKS`."""
BLOCKS = [
    ("{{% for {} in {} %}}{}{{% endfor %}}", NAME, SOURCE, BODY),
    ("{{% for {}, k in {} %}}{}{{{{ k.p }}}}{{% endfor %}}", NAME, VARIABLE, BODY),
    ("{{% with {}={} %}}{}{{% endwith %}}", NAME, EXPRESSION, BODY),
    (
        "{{% if {} {} {} %}}{}{{% else %}}{}{{% endif %}}",
        EXPRESSION,
        OPERATOR,
        EXPRESSION,
        BODY,
        BODY,
    ),
    (
        "{{% regroup {} by {} as groups %}}{{% for g in groups %}}{{{{ g.grouper.p }}}}"
        "{{% for {} in g.list %}}{}{{% endfor %}}{{% endfor %}}",
        VARIABLE,
        STEP,
        NAME,
        BODY,
    ),
    ("{{% ifchanged {} %}}{}{{% endifchanged %}}", VARIABLE, BODY),
]


@st.composite
def templates(draw, depth=3):
    """Some tags in a row, with others inside, ``depth`` deep at most."""
    text = ""
    for _ in range(draw(st.integers(1, 3))):
        pattern, *parts = draw(st.sampled_from(LEAVES + (BLOCKS * 2 if depth else [])))
        values = [draw(templates(depth - 1) if part is BODY else part) for part in parts]
        text += pattern.format(*values)
    return text


def known_paths(records):
    """Every path of the records and what lies on the way, with positions as items."""
    known = set()
    for record in records:
        steps = tuple("[]" if step.isdecimal() else step for step in record.path)
        if record.consumption == "loop":
            steps += ("[]", "[]")  # a row with several targets is looped over as well
        known.update((record.root, steps[:end]) for end in range(len(steps) + 1))
    return known


# Without shrinking, which goes through thousands of templates; the failing ones are short enough.
@settings(max_examples=150, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    top=templates(2), block=templates(2), one=templates(1), two=templates(1), has_last=st.booleans()
)
def test_every_path_that_a_render_follows_is_known(top, block, one, two, has_last):
    # No template includes itself: in Django, that would have no end.
    one = one.replace("one.html", "two.html")
    two = two.replace("one.html", "end.html").replace("two.html", "end.html")
    named = {
        "base.html": top + "{% block b %}{{ a.p }}{% endblock %}",
        "it.html": "{% extends 'base.html' %}{% block b %}"
        + block
        + "{{ block.super }}{% endblock %}",
        "one.html": one,
        "two.html": two,
        "end.html": "{{ item.q }}",
    }
    loader = ("django.template.loaders.locmem.Loader", named)
    engine = Engine(loaders=[("django.template.loaders.cached.Loader", [loader])])
    template = engine.get_template("it.html")
    seen: set[tuple[str, tuple[str, ...]]] = set()
    # Generated templates loop over numbers, unpack texts and miss names inside "only": what was
    # read until then counts.
    with suppress(VariableDoesNotExist, ValueError, TypeError):
        names = [*NAMES, *(["last"] if has_last else [])]
        template.render(Context({name: Traced(seen, name) for name in names}))
    records = access_paths(template)
    assume(not any("too many values" in (record.lost or "") for record in records))
    assert seen <= known_paths(records)
