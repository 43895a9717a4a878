"""Generated pages of deferred parts: every way to render them shows the same."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rendering import run_async
from tests.tags.deferring import WAYS, backend, stock_backend

DELAYS = st.sampled_from(["0", "0.001", "0.003"])
LEAVES = st.one_of(
    st.sampled_from(
        [
            "text",
            "{{ a }}",
            "{{ x }}{{ forloop.counter }}{{ forloop.parentloop.counter }}",
            "{% set_name 'a' 'set' %}",
            "{% blocks 0.0001 B %}",
            "{% flush %}",
            "{% fail 'x' %}",
            "{% include 'part' with a=x %}",
            "{% include name %}",
        ]
    ),
    DELAYS.map(lambda delay: f"{{% slow {delay} s %}}"),
    DELAYS.map(lambda delay: f"{{% slow_fail {delay} f %}}"),
)


def inside(parts):
    body = st.lists(parts, max_size=3).map("".join)

    def deferred(made):
        contents, placeholder, error, timeout = made
        text = f"{{% defer {timeout} %}}{contents}"
        text += "" if placeholder is None else f"{{% placeholder %}}{placeholder}"
        text += "" if error is None else f"{{% error %}}{error}"
        return text + "{% enddefer %}"

    quiet = st.sampled_from(["p", "{{ a }}", "{{ x }}", "{% set_name 'a' 'p' %}", ""])
    defers = st.tuples(
        body, st.none() | quiet, st.none() | body, st.sampled_from(["", "timeout=9"])
    ).map(deferred)
    around = st.sampled_from(
        [
            "{{% for x in xs %}}{}{{% endfor %}}",
            "{{% if a %}}{}{{% endif %}}",
            "{{% with a=1 %}}{}{{% endwith %}}",
            "{{% filter upper %}}{}{{% endfilter %}}",
            "{{% autoescape off %}}{}{{% endautoescape %}}",
            "{{% language 'de' %}}{}{{% translate 'Monday' %}}{{% endlanguage %}}",
        ]
    )
    wrapped = st.tuples(around, body).map(lambda made: made[0].format(made[1]))
    return st.one_of(defers, defers, wrapped)


PAGES = st.lists(st.recursive(LEAVES, inside, max_leaves=8), min_size=1, max_size=4)
OTHERS = {"part": "({{ a }}{% defer %}{% slow 0.001 i %}{{ a }}{% placeholder %}q{% enddefer %})"}


def outcome(render, *args):
    try:
        return render(*args)
    except ValueError:
        # Which of two errors of a page comes first is up to time.
        return ValueError


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(parts=PAGES)
def test_every_way_shows_the_same_page(parts):
    source = "{% load i18n %}<p>" + "".join(f"{part};" for part in parts)
    # No "<": at the end of a part it would begin a tag, and is made harmless there.
    values = {"a": '"', "xs": "bc", "name": "part"}
    template = backend(OTHERS).from_string(source)
    expected = outcome(template.render, dict(values))
    assert outcome(stock_backend(OTHERS).from_string(source).render, dict(values)) == expected
    for _ in range(2):
        for way, render in WAYS.items():
            found = outcome(run_async, render, template, dict(values))
            assert found == expected, f"{way}: {source}"
