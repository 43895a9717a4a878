"""Access paths of Jinja2 templates."""

import pytest
from django.urls import reverse
from jinja2 import DictLoader, Environment, TemplateError

from atemplates.analysis.jinja2 import jinja2_paths
from atemplates.analysis.site.jinja2_templates import read_jinja2_site
from atemplates.jinja2.parallel import ParallelExtension


def environment(**templates):
    made = Environment(
        loader=DictLoader({f"{name}.html": text for name, text in templates.items()}),
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", ParallelExtension],
    )
    made.globals["own"] = made.filters["own"] = made.tests["own"] = own
    made.globals["url"] = reverse
    return made


def own(*values):
    """A function of the site: who knows what it does."""


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
        (
            "{% parallel a.n %}{{ c.d }}{% for b in books %}{{ b.x }}{% endfor %}{% endparallel %}",
            {"a.n", "c.d", "books", "books[].x"},
        ),
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
        # what functions of others are given, and what they return
        ("{{ own(a.b, k=c.d) }}{{ url('x', e.f) }}", {"a.b lost", "c.d lost", "e.f"}),
        ("{{ own(*a.b, **c.d) }}", {"a.b lost", "c.d lost"}),
        ("{% for b in own() %}{{ b.c.d }}{% endfor %}", {"b.c.d lost"}),
        ("{{ a.b|own(c.d) }}{{ e.f|upper }}", {"a.b lost", "c.d lost", "e.f"}),
        ("{% for b in a.b|own %}{{ b.c.d }}{% endfor %}", {"a.b lost", "b.c.d lost"}),
        ("{% if a.b is own %}{% endif %}{% if c.d is none %}{% endif %}", {"a.b lost", "c.d"}),
        ("{{ a.find(b.c) }}", {"a.find", "b.c lost"}),
        # callers, recursion, namespaces
        (
            "{% macro m(a) %}{{ caller(a.p) }}{% endmacro %}"
            "{% for x in xs %}{% call(y) m(x.q) %}{{ y.r }}{{ x.s }}{% endcall %}{% endfor %}",
            {"xs", "xs[].q", "xs[].q.p", "xs[].q.p.r", "xs[].s"},
        ),
        ("{% call(y) own(a.b) %}{{ c.d }}{{ y.z }}{% endcall %}", {"a.b lost", "c.d maybe"}),
        (
            "{% for x in xs recursive %}{{ x.a.b }}{{ loop(x.parts) }}{% endfor %}",
            {
                "xs",
                " lost",
                "xs[].a.b",
                "xs[].parts",
                "xs[].parts[].a.b",
                "xs[].parts[].parts",
            },
        ),
        (
            "{% set ns = namespace(x=a.b) %}{% for c in cs %}{{ ns.x.y }}{% set ns.x = c.d %}"
            "{% endfor %}",
            {"a.b", "cs", "cs[].d", "a.b.y", "cs[].d.y maybe"},
        ),
        ("{% macro m(a, b=c.d) %}{{ a }}{{ b.e }}{% endmacro %}{{ m(x.y) }}", {"x.y", "c.d.e"}),
        # a macro sees the names around it, and not those around the call
        (
            "{% macro m() %}{{ x.y }}{% endmacro %}{% for x in xs %}{{ m() }}{% endfor %}",
            {"xs", "x.y"},
        ),
    ],
)
def test_expressions_and_statements(source, expected):
    assert reads(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{% if t %}{% set x = a %}{% else %}{% set x = b %}{% endif %}{{ x.p }}",
            {"t", "a maybe", "b maybe", "a.p maybe", "b.p maybe"},
        ),
        (
            "{% if t %}{% set x = a %}{% endif %}{{ x.p }}",
            {"t", "a maybe", "a.p maybe", "x.p maybe"},
        ),
        (
            "{% set x = b %}{% for r in rs %}{% if t %}{% set x = a %}{% endif %}{{ x.p }}"
            "{% endfor %}",
            {"b", "rs", "t", "a maybe", "a.p maybe", "b.p maybe"},
        ),
        (
            "{% set ns = namespace(x=a) %}{% if t %}{% set ns.y = b %}{% endif %}"
            "{% set ns.z = c %}{{ ns.x.p }}{{ ns.y.p }}{{ ns.z.p }}",
            {"a", "t", "b maybe", "c", "a.p", "b.p maybe", "c.p maybe"},
        ),
        (
            "{% set ns = namespace(x=a) %}{% macro m(r) %}{% set ns.x = r %}{% endmacro %}"
            "{% for r in rs %}{{ ns.x.p }}{{ m(r) }}{% endfor %}",
            {"a", "rs", "rs[]", "a.p", "rs[].p maybe"},
        ),
        (
            "{% if t %}{{ u }}{% endif %}{% macro m() %}{{ x.p }}{% endmacro %}"
            "{% if t %}{% set y = b %}{% endif %}{% set x = a %}{{ m() }}",
            {"t", "u maybe", "b maybe", "a", "a.p"},
        ),
    ],
)
def test_names_after_branches_and_loops(source, expected):
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


def reasons(source, **templates):
    return {path.lost for path in jinja2_paths(environment(it=source, **templates), "it.html")}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% include a.b %}", "it includes a template that is known only when it renders"),
        ("{% include 'no.html' %}", "it includes 'no.html', which does not exist"),
        ("{% include ['no.html', 'n.html'] %}", "it includes 'no.html' or 'n.html', which does"),
        ("{% extends 'no.html' %}", "it extends 'no.html', which does not exist"),
        ("{% import 'bad.html' as b %}", "it imports 'bad.html', which does not parse: "),
        ("{{ own(a.b) }}", "passed to own()"),
        ("{{ a.find(b.c) }}", "passed to a.find()"),
        ("{{ a.b|own }}", "passed to the filter |own"),
        ("{% if a.b is own %}{% endif %}", "passed to the test 'own'"),
    ],
)
def test_why_a_path_is_lost(source, reason):
    (said,) = reasons(source, bad="{% if %}") - {None}
    assert said.startswith(reason)


def test_what_may_be_missing_is_not_lost():
    assert reasons("{% include 'no.html' ignore missing %}{% include ['no.html', 'p.html'] %}", p="x") == set()  # fmt: skip


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


def test_a_site_names_templates_that_others_name_and_that_do_not_exist():
    site = read_jinja2_site(environment(a="x\n{% include 'no.html' %}", b="{% include 'a.html' %}"))
    assert sorted(map(str, site.problems)) == [
        "a.html:2: names the template 'no.html', which does not exist"
    ]
    assert set(site.paths) == {"a.html", "b.html"}


def test_a_template_that_is_not_there():
    with pytest.raises(TemplateError):
        jinja2_paths(environment(), "none.html")
    (problem,) = read_jinja2_site(environment(), ["none.html"]).problems
    assert "none.html" in str(problem)
