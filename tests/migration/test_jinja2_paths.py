"""Access paths of Jinja2 templates."""

import pytest
from jinja2 import DictLoader, Environment, TemplateError

from atemplates.migration.jinja2 import jinja2_paths
from atemplates.migration.jinja2.site import read_jinja2_site


def environment(**templates):
    return Environment(
        loader=DictLoader({f"{name}.html": text for name, text in templates.items()}),
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"],
    )


def reads(source, **templates):
    """Every path that is read, in one text each, with what is uncertain."""
    found = jinja2_paths(environment(it=source, **templates), "it.html")
    return {
        path.dotted + (" maybe" if path.conditional else "") + (" lost" if path.lost else "")
        for path in found
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ book.author.name }}", {"book.author.name"}),
        ("{{ book['author'].name|upper }}", {"book.author.name"}),
        ("{{ books[0].author.name }}", {"books.0.author.name"}),
        ("{{ a.b ~ c.d }}", {"a.b", "c.d"}),
        ("{{ a.b if c.d else e.f }}", {"a.b maybe", "c.d", "e.f maybe"}),
        ("{% if a.b %}{{ c.d }}{% else %}{{ e.f }}{% endif %}", {"a.b", "c.d maybe", "e.f maybe"}),
        ("{% for b in books.all() %}{{ b.x }}{% endfor %}", {"books.all", "books.all[].x"}),
        ("{% for k, v in pairs %}{{ v.x }}{% endfor %}", {"pairs", "pairs[].1.x"}),
        ("{% for b in books if b.p.q %}{% endfor %}", {"books", "books[].p.q"}),
        ("{% for b in books %}{{ loop.index }}{% endfor %}", {"books"}),
        ("{% set x = a.b %}{{ x.c }}", {"a.b", "a.b.c"}),
        ("{% with x = a.b %}{{ x.c }}{% endwith %}", {"a.b", "a.b.c"}),
        ("{{ books|map(attribute='a.b')|join }}", {"books", "books[].a.b"}),
        (
            "{% for b in books|selectattr('a.b')|sort(attribute='c.d') %}{{ b.e.f }}{% endfor %}",
            {"books", "books[].a.b", "books[].c.d", "books[].e.f"},
        ),
        (
            "{% for g in books|groupby('a.b') %}{{ g.grouper.c }}"
            "{% for b in g.list %}{{ b.d.e }}{% endfor %}{% endfor %}",
            {"books", "books[].a.b", "books[].a.b.c", "books[].d.e"},
        ),
        ("{% macro m(x) %}{{ x.y.z }}{% endmacro %}{{ m(a.b) }}", {"a.b", "a.b.y.z"}),
        ("{{ a[key].b }}", {"key", "a[].b lost"}),
        ("{{ range(3) }}{{ dict(a=b.c) }}", {"b.c"}),
    ],
)
def test_expressions_and_statements(source, expected):
    assert reads(source) == expected


def test_inheritance():
    assert reads(
        "{% extends 'base.html' %}{% block b %}{{ a.b }}{{ super() }}{% endblock %}",
        base="{{ title.x }}{% block b %}{{ c.d }}{% endblock %}"
        "{% block e %}{{ f.g }}{% endblock %}",
    ) == {"title.x", "a.b", "c.d", "f.g"}


def test_a_block_that_is_replaced_is_not_read():
    assert reads(
        "{% extends 'base.html' %}{% block b %}{{ a.b }}{% endblock %}",
        base="{% block b %}{{ c.d }}{% endblock %}",
    ) == {"a.b"}


def test_includes_and_imports():
    assert reads(
        "{% from 'm.html' import card %}{% import 'm.html' as m %}"
        "{% for b in books %}{% include 'part.html' %}{{ card(b) }}{{ m.other(b.p) }}{% endfor %}",
        part="{{ b.x.y }}",
        m="{% macro card(b) %}{{ other(b) }}{% endmacro %}"
        "{% macro other(c) %}{{ c.q.r }}{% endmacro %}",
    ) == {"books", "books[]", "books[].p", "books[].x.y", "books[].q.r", "books[].p.q.r"}


@pytest.mark.parametrize("tag", ["include name", "extends name", "import name as n"])
def test_a_name_that_is_known_only_when_it_renders(tag):
    assert any(path.endswith("lost") for path in reads(f"{{% {tag} %}}"))


def test_recursion_ends():
    assert reads("{% include 'it.html' %}{{ a.b }}") == {"a.b"}
    assert "a.b" in reads("{% macro m(x) %}{{ m(x.y) }}{{ a.b }}{% endmacro %}{{ m(c) }}")


def test_lines_and_templates():
    found = jinja2_paths(environment(it="\n{% include 'p.html' %}", p="\n\n{{ a.b }}"), "it.html")
    assert [(path.template, path.line, path.expression) for path in found] == [("p.html", 3, "a.b")]


def test_a_site_goes_on_after_what_is_wrong():
    site = read_jinja2_site(
        environment(
            good="{# atemplates: a = auth.User #}{{ a.b }}",
            bad="x\n{% if %}",
            wrong="{# atemplates: a = no.Model #}",
        )
    )
    assert set(site.paths) == {"good.html", "wrong.html"}
    assert site.annotations == {"good.html": {"a": "auth.User"}}
    said = sorted(map(str, site.problems))
    assert said[0].startswith("bad.html:2: does not parse")
    assert "'no.Model', which does not exist" in said[1]


def test_a_template_that_is_not_there():
    with pytest.raises(TemplateError):
        jinja2_paths(environment(), "none.html")
    (problem,) = read_jinja2_site(environment(), ["none.html"]).problems
    assert "none.html" in str(problem)
