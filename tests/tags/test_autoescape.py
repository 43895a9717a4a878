"""Escaping: regions, safe strings, filters, includes, and a context that does not escape."""

import pytest
from django.utils.safestring import SafeString, mark_safe

TEXT = "<a href='x'>\"&amp;\"</a>"
ESCAPED = "&lt;a href=&#x27;x&#x27;&gt;&quot;&amp;amp;&quot;&lt;/a&gt;"


class HasHtml:
    """Django asks for ``__html__`` in ``conditional_escape`` only for what is a str already."""

    def __html__(self):
        return "<html>"

    def __str__(self):
        return "<str>"


class Shown:
    def __str__(self):
        return "<shown>"


class Text(str):
    """A str that is not exactly one."""


class Safe(SafeString):
    pass


CONTEXT = {
    "text": TEXT,
    "safe": mark_safe(TEXT),
    "html": HasHtml(),
    "shown": Shown(),
    "own": Text(TEXT),
    "own_safe": Safe(TEXT),
    "number": 5,
    "items": ["<", mark_safe("<")],
    "none": None,
    "amp": "&",
}


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{{ text }}", ESCAPED),
        ("{{ safe }}", TEXT),
        ("{{ own }}", ESCAPED),
        ("{{ own_safe }}", TEXT),
        ("{{ html }}", "&lt;str&gt;"),
        ("{{ shown }}", "&lt;shown&gt;"),
        ("{{ items }}", "[&#x27;&lt;&#x27;, &#x27;&lt;&#x27;]"),
        ("{{ none }}{{ number }}", "None5"),
        ("{{ text|safe }}", TEXT),
        ("{{ text|escape }}", ESCAPED),
        ("{{ text|escape|escape }}", ESCAPED),
        ("{{ safe|escape }}", TEXT),
        ("{{ safe|force_escape }}", ESCAPED),
        ("{{ text|force_escape }}", ESCAPED),
        ("{{ text|upper|safe }}", TEXT.upper()),
        (
            "{{ safe|upper }}",
            ESCAPED.upper()
            .replace("&LT;", "&lt;")
            .replace("&GT;", "&gt;")
            .replace("&#X27;", "&#x27;")
            .replace("&QUOT;", "&quot;")
            .replace("&AMP;AMP;", "&amp;AMP;"),
        ),
        ("{{ safe|lower }}", TEXT.lower()),
        ("{{ amp|add:safe }}", "&amp;" + ESCAPED),
        ("{{ safe|cut:'a' }}", TEXT.replace("a", "")),
        ("{{ safe|cut:';' }}", ESCAPED.replace("&amp;amp;", "&amp;amp")),
        ("{{ items|join:', ' }}", "&lt;, <"),
        ("{{ items|join:amp }}", "&lt;&amp;<"),
        ("{{ items|safeseq|join:'&' }}", "<&<"),
        ("{{ '<' }}{{ '<'|upper }}", "<&lt;"),
        (
            "{% autoescape off %}{{ text }}{{ html }}{{ shown }}{% endautoescape %}",
            TEXT + "<str><shown>",
        ),
        ("{% autoescape off %}{{ text|escape }}{% endautoescape %}", ESCAPED),
        (
            "{% autoescape off %}{% autoescape on %}{{ amp }}{% endautoescape %}{{ amp }}"
            "{% endautoescape %}{{ amp }}",
            "&amp;&&amp;",
        ),
        ("{% for x in items %}{{ x }}{% endfor %}", "&lt;<"),
        ("{% autoescape off %}{% for x in items %}{{ x }}{% endfor %}{% endautoescape %}", "<<"),
        (
            "{% for x in items %}{% autoescape off %}{{ x }}{% endautoescape %}{{ x }}{% endfor %}",
            "<&lt;<<",
        ),
        (
            "{% for x in '<' %}{{ x }}{{ x|safe }}{{ html }}{{ own }}{% endfor %}",
            "&lt;<&lt;str&gt;" + ESCAPED,
        ),
        (
            "{% autoescape off %}{% include 'part' %}{% endautoescape %}{% include 'part' %}",
            "&&amp;&amp;&amp;",
        ),
        ("{% autoescape off %}{% include 'part' with amp='<' only %}{% endautoescape %}", "<<"),
        (
            "{% autoescape off %}{% firstof amp %}{% cycle amp 1 %}"
            "{% endautoescape %}{% firstof amp %}"
            "{% cycle amp 1 %}",
            "&&&amp;&amp;",
        ),
        ("{% autoescape off %}{{ items|join:amp }}{% endautoescape %}", "<&<"),
        ("{% autoescape off %}{{ text|linebreaks }}{% endautoescape %}", f"<p>{TEXT}</p>"),
        ("{{ text|linebreaks }}", f"<p>{ESCAPED}</p>"),
        ("{{ safe|linebreaks }}", f"<p>{TEXT}</p>"),
        ("{{ 'a <b>'|urlize }}{{ text|truncatechars:5 }}", "a <b>&lt;a h…"),
        ("{% filter force_escape %}{{ amp }}<{% endfilter %}", "&amp;amp;&lt;"),
        ("{% with x=text|safe y=text %}{{ x }}{{ y }}{% endwith %}", TEXT + ESCAPED),
        (
            "{{ text|default:amp }}{{ none|default:amp }}{{ none|default:'&' }}",
            ESCAPED + "&amp;&amp;&"[:0] + "&amp;&",
        ),
    ],
)
def test_escaping(render, source, output):
    templates = {"part": "{{ amp }}{% autoescape on %}{{ amp }}{% endautoescape %}"}
    assert render(source, CONTEXT, templates=templates) == output


@pytest.mark.parametrize("source", ["{{ text }}", "{% for x in 'a' %}{{ text }}{% endfor %}"])
def test_a_context_that_does_not_escape(render, source):
    assert render(source, CONTEXT, autoescape=False) == TEXT


def test_a_region_around_an_error_in_a_condition(render):
    source = "{% autoescape off %}{% if a|cut:b %}x{% endif %}{{ amp }}{% endautoescape %}{{ amp }}"
    assert render(source, CONTEXT) == "&&amp;"


def test_invalid_variables_are_not_escaped_twice(render):
    assert render("{{ missing }}{% for x in 'a' %}{{ missing.a }}{% endfor %}") == ""


def test_awaitables(render):
    async def value(result):
        return result

    source = (
        "{{ a }}{{ b }}{% autoescape off %}{{ a }}{% endautoescape %}"
        "{% for x in 'x' %}{{ a }}{% endfor %}"
    )
    output = render(
        source,
        lambda: {"a": value("<"), "b": value(mark_safe("<"))},
        stock={"a": "<", "b": mark_safe("<")},
        waits=2,
    )
    assert output == "&lt;<<&lt;"
