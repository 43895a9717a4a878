"""Access paths of Django templates, through every tag that moves or sets a name."""

import django
import pytest
from django.template import Engine, Node, TemplateDoesNotExist
from django.template.base import Origin

from atemplates.analysis.django import access_paths, following
from tests.analysis import access_tags

LIBRARIES = {
    "access_tags": access_tags.__name__,
    "cache": "django.templatetags.cache",
    "humanize": "django.contrib.humanize.templatetags.humanize",
    "i18n": "django.templatetags.i18n",
    "l10n": "django.templatetags.l10n",
    "static": "django.templatetags.static",
    "tz": "django.templatetags.tz",
}


def engine_of(templates, cached=True):
    loader = ("django.template.loaders.locmem.Loader", templates)
    loaders = [("django.template.loaders.cached.Loader", [loader])] if cached else [loader]
    return Engine(loaders=loaders, libraries=LIBRARIES)


def analyse(source, cached=True, **templates):
    """The records of a template; the others are found under their names with ``.html``."""
    named = {f"{name}.html": text for name, text in templates.items()}
    return access_paths(engine_of({**named, "it.html": source}, cached).get_template("it.html"))


def reads(source, **templates):
    """One text for each record: the path, what becomes of it, and what is uncertain."""
    return [described(path) for path in analyse(source, **templates)]


def described(path):
    maybe = " maybe" if path.conditional else ""
    lost = f" lost: {path.lost}" if path.lost else ""
    return f"{path.dotted} {path.consumption}{maybe}{lost}"


# -- variables and filters -------------------------------------------------------------------------


def test_a_record_says_where_the_expression_stands():
    (path,) = analyse("a\nb{{ book.author.name|upper }}")
    assert (path.template, path.line, path.expression) == ("it.html", 2, "book.author.name|upper")
    assert (path.root, path.path) == ("book", ("author", "name"))


def test_a_template_made_from_a_string_has_stock_djangos_name_for_it():
    (path,) = access_paths(engine_of({}).from_string("{{ a }}"))
    assert path.template == "<unknown source>"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ a }}", ["a output"]),
        ("{{ a.0.b }}", ["a.0.b output"]),
        ("{{ 'text' }}{{ 1 }}{{ _('x') }}{{ True }}{{ None }}{{ 'a'|add:'b' }}", []),
        ("{{ a|default:b.c }}", ["a output", "b.c output"]),
        ("{{ a|default:b|length }}", ["a length", "b length"]),
        ("{{ a|default_if_none:'x'|upper }}", ["a output"]),
        ("{{ a.b|length }}", ["a.b length"]),
        ("{{ a|pluralize }}", ["a length"]),
        ("{{ a|yesno:'y,n' }}", ["a truth"]),
        ("{{ a|first }}", ["a item"]),
        ("{{ a|slice:':3' }}", ["a slice"]),
        ("{{ a|join:sep.x }}", ["a loop", "sep.x argument", "a[] output"]),
        ("{{ a|unordered_list }}", ["a loop", "a[] output"]),
        ("{{ a|dictsort:'author.name'|length }}", ["a loop", "a[].author.name operand"]),
        ("{{ a|dictsort:0 }}", ["a loop", "a[].0 operand"]),
        ("{{ a|timesince:b.c }}", ["a output", "b.c argument"]),
        ("{% load humanize %}{{ a|intcomma }}", ["a output"]),
        (
            "{{ a|dictsort:key }}",
            [
                "a loop",
                "key argument",
                "a[] operand lost: sorted by a path that is known only when it renders",
            ],
        ),
        (
            "{% load access_tags %}{{ a|reading:b.c }}",
            [
                "a argument lost: passed to the filter |reading",
                "b.c argument lost: passed to the filter |reading",
            ],
        ),
        ("{% filter upper|default:a.b %}{{ c }}{% endfilter %}", ["c output", "a.b output"]),
    ],
)
def test_expressions(source, expected):
    assert reads(source) == expected


# -- loops -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{% for book in books %}{{ book.author.name }}{% endfor %}",
            ["books loop", "books[].author.name output"],
        ),
        (
            "{% for b in books %}{% for t in b.tags.all %}{{ t.name }}{% endfor %}{% endfor %}",
            ["books loop", "books[].tags.all loop", "books[].tags.all[].name output"],
        ),
        (
            "{% for k, v in m.items %}{{ k }}{{ v.a }}{% endfor %}",
            ["m.items loop", "m.items[].0 output", "m.items[].1.a output"],
        ),
        ("{% for a in a.b %}{{ a.c }}{% endfor %}", ["a.b loop", "a.b[].c output"]),
        (
            "{% for a in x %}{% for a in a.y %}{{ a }}{% endfor %}{{ a }}{% endfor %}{{ a }}",
            ["x loop", "x[].y loop", "x[].y[] output", "x[] output", "a output"],
        ),
        (
            "{% for a in x %}{{ forloop.counter }}{{ forloop.parentloop.first }}{% endfor %}",
            ["x loop"],
        ),
        ("{{ forloop.counter }}", ["forloop.counter output"]),
        ("{% for a in x %}{% empty %}{{ b }}{% endfor %}", ["x loop", "b output maybe"]),
        ("{% for a in x reversed %}{{ a }}{% endfor %}", ["x loop", "x[] output"]),
        ("{% for a in x|slice:':3' %}{{ a.b }}{% endfor %}", ["x slice", "x[].b output"]),
        (
            "{% for a in x|dictsort:'k' %}{{ a.b }}{% endfor %}",
            ["x loop", "x[].k operand", "x[].b output"],
        ),
        (
            "{% with a=x|first %}{{ a.b }}{% endwith %}",
            ["x item", "x[].b output"],
        ),
        (
            "{% for a in x|default:y.all %}{{ a.b }}{% endfor %}",
            ["x loop", "y.all loop", "x[].b output maybe", "y.all[].b output maybe"],
        ),
        (
            "{% load access_tags %}{% for a in x|reading:1 %}{{ a.b }}{% endfor %}",
            [
                "x argument lost: passed to the filter |reading",
                "a.b output lost: the result of the filter |reading",
            ],
        ),
        ("{% for a in 'abc' %}{{ a.b }}{% endfor %}", []),
        (
            "{% for a in x %}{% ifchanged a.b %}{{ a.c }}{% else %}{{ a.d }}{% endifchanged %}"
            "{% endfor %}",
            ["x loop", "x[].b operand", "x[].c output", "x[].d output maybe"],
        ),
    ],
)
def test_loops(source, expected):
    assert reads(source) == expected


def test_regroup_knows_its_groups():
    source = (
        "{% regroup books by author.name as groups %}{{ groups|length }}"
        "{% for group in groups %}{{ group.grouper }}{{ group.grouper.x }}"
        "{% for book in group.list %}{{ book.year }}{% endfor %}{% endfor %}"
        "{% for key, items in groups %}{{ key }}{{ items.0.title }}{% endfor %}"
    )
    assert list(dict.fromkeys(reads(source))) == [
        "books loop",
        "books[].author.name operand",
        "books length",
        "books[].author.name output",
        "books[].author.name.x output",
        "books[].year output",
        "books[].title output",
    ]


def test_a_name_that_one_row_sets_is_read_by_the_next():
    source = "{% for a in x %}{{ last.b }}{% cycle a.y a.z as last silent %}{% endfor %}"
    assert {"x[].y.b output maybe", "x[].z.b output maybe"} <= set(reads(source))


def test_a_name_that_grows_with_each_row_is_given_up():
    source = "{% for a in n %}" * 4 + "{% cycle n.p n.q a as n silent %}" + "{% endfor %}" * 4
    (last, *_) = reversed(reads(source + "{{ n.x }}"))
    assert last == "n.x output maybe lost: it may have any of too many values to follow"


def test_a_path_that_grows_with_each_include_is_given_up():
    found = analyse(
        "{% include 'a.html' %}",
        a="{% with x=x.y %}" * 30 + "{{ x.z }}{{ x.q }}" + "{% endwith %}" * 30,
    )
    assert found[-1].lost == "the path is too long to follow"
    assert len(found[-1].path) < 30


# -- branches --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{% if a.b %}{{ c }}{% elif d %}{{ e }}{% else %}{{ f }}{% endif %}",
            [
                "a.b truth",
                "c output maybe",
                "d truth maybe",
                "e output maybe",
                "f output maybe",
            ],
        ),
        ("{% if a and b or not c %}{% endif %}", ["a truth", "b truth maybe", "c truth maybe"]),
        ("{% if a.b == c.d %}{% endif %}", ["a.b operand", "c.d operand"]),
        ("{% if a in b.all %}{% endif %}", ["a operand", "b.all loop"]),
        ("{% if a not in b %}{% endif %}", ["a operand", "b loop"]),
        ("{% if a is not b %}{% endif %}", ["a operand", "b operand"]),
        ("{% if a|length > 3 %}{% endif %}", ["a length"]),
        ("{% if a|default:b %}{% endif %}", ["a truth", "b truth"]),
        ("{% firstof a.b c.d 'x' %}", ["a.b output", "c.d output maybe"]),
        ("{% firstof a as b %}{{ b.c }}", ["a output"]),
        (
            "{% load cache %}{% cache t frag a.b %}{{ c }}{% endcache %}",
            ["t argument", "a.b argument", "c output maybe"],
        ),
    ],
)
def test_what_a_render_may_do_without_is_conditional(source, expected):
    assert reads(source) == expected


def test_a_name_set_in_one_branch_may_be_what_it_was_before():
    source = "{% if x %}{% cycle a.b as c silent %}{% endif %}{{ c.d }}"
    assert reads(source)[-2:] == ["a.b.d output maybe", "c.d output maybe"]


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{% with a=b.c d=e %}{{ a.f }}{{ d }}{% endwith %}{{ a }}",
            ["b.c name", "e name", "b.c.f output", "e output", "a output"],
        ),
        ("{% with b.c as a %}{{ a.d }}{% endwith %}", ["b.c name", "b.c.d output"]),
        (
            "{% with a=b|default:c %}{{ a.d }}{% endwith %}",
            ["b name", "c name", "b.d output maybe", "c.d output maybe"],
        ),
        (
            "{% for x in xs %}{% cycle x.a x.b as c silent %}{{ c.d }}{% endfor %}",
            [
                "xs loop",
                "xs[].a name",
                "xs[].b name maybe",
                "xs[].a.d output maybe",
                "xs[].b.d output maybe",
            ],
        ),
    ],
)
def test_names(source, expected):
    found = reads(source)
    assert [each for each in expected if each in found] == expected


@pytest.mark.parametrize(
    "source",
    [
        "{% url 'x' a.b k=c.d %}",
        "{% url a.b c.d as link %}{{ link.x }}",
        "{% load static %}{% static a.b %}{% static c.d as e %}{{ e.x }}",
        "{% widthratio a.b c.d 100 as w %}{{ w.x }}",
        "{% load i18n %}{% get_language_info for a.b as l %}{{ l.x }}"
        "{% language c.d %}{% endlanguage %}",
        "{% load tz %}{% timezone a.b %}{% lorem c.d %}{% endtimezone %}",
        "{% load i18n %}{% translate 'x' context a.b as t %}{{ t.x }}{% trans 'x' context c.d %}",
    ],
)
def test_arguments_of_tags(source):
    assert sorted(reads(source)) == ["a.b argument", "c.d argument"]


def test_translated_blocks():
    source = (
        "{% load i18n %}{% blocktranslate count n=a.b|length with c=d.e %}"
        "{{ c }} {{ n }} {{ f }}{% plural %}{{ g }}{% endblocktranslate %}"
    )
    assert reads(source) == ["d.e name", "a.b length", "d.e output", "f output", "g output"]


def test_regions():
    source = (
        "{% load l10n tz %}{% autoescape off %}{{ a }}{% endautoescape %}"
        "{% spaceless %}{{ b }}{% endspaceless %}{% localize on %}{{ c }}{% endlocalize %}"
        "{% localtime on %}{{ d }}{% endlocaltime %}{% comment %}{{ e }}{% endcomment %}"
        "{% verbatim %}{{ f }}{% endverbatim %}{% csrf_token %}{% now 'Y' %}{% debug %}"
    )
    assert reads(source) == ["a output", "b output", "c output", "d output"]


# -- other templates -------------------------------------------------------------------------------


def test_include_sees_the_names_around_it():
    found = analyse(
        "{% for book in books %}{% include 'card.html' with who=book.author %}{% endfor %}"
        "{{ who }}",
        card="\n{{ book.title }}{{ who.name }}",
    )
    assert [described(path) for path in found] == [
        "books loop",
        "books[].author name",
        "books[].title output",
        "books[].author.name output",
        "who output",
    ]
    assert [(path.template, path.line) for path in found[2:4]] == [("card.html", 2)] * 2


def test_include_only_sees_nothing_else():
    assert reads(
        "{% include 'card.html' with book=x.y only %}", card="{{ book.a }}{{ other.b }}"
    ) == ["x.y name", "x.y.a output"]


def test_a_dynamic_include_loses_what_is_in_scope():
    why = " lost: {% include x.name %} includes a template that is known only when it renders"
    assert reads("{% for a in b %}{% include x.name with c=a.d %}{% endfor %}") == [
        "b loop",
        "x.name argument",
        f"b[].d argument{why}",
        f" argument{why}",
        f"b[] argument{why}",
    ]


def test_a_template_that_cannot_be_loaded_is_said_and_the_rest_goes_on():
    found = analyse("{% include 'gone.html' %}{% include 'bad.html' %}{{ a }}", bad="{% if %}")
    assert [path.root for path in found] == ["", "", "a"]
    assert found[0].lost == "'gone.html' could not be loaded: TemplateDoesNotExist: gone.html"
    assert "'bad.html' could not be loaded: TemplateSyntaxError: " in found[1].lost


@pytest.mark.parametrize("cached", [True, False])
def test_recursion_ends(cached):
    found = analyse(
        "{% include 'tree.html' with node=root only %}",
        cached=cached,
        tree="{{ node.name }}{% for n in node.kids.all %}"
        "{% include 'tree.html' with node=n only %}{% endfor %}",
    )
    shown = [described(path) for path in found]
    assert "root.name output" in shown
    assert "root.kids.all[].name output" in shown
    assert shown[-1] == " argument lost: the template includes itself any number of times"


def test_recursion_with_the_same_names_ends():
    source = "{{ a }}{% if b %}{% include 'it.html' %}{% endif %}"
    assert reads(source) == ["a output", "b truth"]


def test_a_child_replaces_the_parents_blocks():
    found = analyse(
        "{% extends 'base.html' %}{{ never.x }}{% block a %}{{ child.a }}{% endblock %}"
        "{% block nowhere %}{{ never.y }}{% endblock %}",
        base="{{ top }}{% block a %}{{ base.a }}{% endblock %}"
        "{% block b %}{{ base.b }}{% endblock %}",
    )
    assert [described(path) for path in found] == [
        "top output",
        "child.a output",
        "base.b output",
    ]
    assert [path.template for path in found] == ["base.html", "it.html", "base.html"]


def test_block_super_through_three_levels():
    assert reads(
        "{% extends 'mid.html' %}{% block a %}{{ one }}{{ block.super }}{% endblock %}",
        mid="{% extends 'base.html' %}{% block a %}{{ two }}{{ block.super|upper }}{% endblock %}",
        base="{% for x in xs %}{% block a %}{{ x.y }}{% endblock %}{% endfor %}{{ block.super }}",
    ) == ["xs loop", "one output", "two output", "xs[].y output", "block.super output"]


def test_a_block_inside_a_block_can_be_replaced_alone():
    assert reads(
        "{% extends 'base.html' %}{% block inner %}{{ child }}{% endblock %}",
        base="{% block outer %}{{ a }}{% block inner %}{{ b }}{% endblock %}{% endblock %}",
    ) == ["a output", "child output"]


def test_a_dynamic_parent_may_have_the_blocks_or_not():
    why = " lost: the template that is extended is known only when it renders"
    assert reads("{% extends layout %}{% block a %}{{ b.c }}{% endblock %}") == [
        f"layout argument{why}",
        f" argument{why}",
        "b.c output maybe",
    ]


def test_a_template_may_extend_one_of_its_own_name():
    def follow(name, skip=()):
        return inner if skip else outer

    engine = engine_of({})
    outer = engine.from_string("{% extends 'x.html' %}{% block a %}{{ a }}{% endblock %}")
    inner = engine.from_string("{{ b }}{% block a %}{% endblock %}")
    inner.origin = Origin("inner")
    assert [path.root for path in access_paths(outer, follow=follow)] == ["b", "a"]


def test_a_template_that_only_extends_itself_is_said():
    engine = engine_of({})
    template = engine.from_string("{% extends 'x.html' %}")
    (path,) = access_paths(template, follow=lambda name, skip: template)
    assert path.lost == "the template extends itself"


def test_following_passes_over_the_templates_it_is_told_to():
    engine = engine_of({"a.html": ""})
    follow = following(engine)
    template = follow("a.html")
    with pytest.raises(TemplateDoesNotExist):
        follow("a.html", [template.origin])


@pytest.mark.skipif(django.VERSION < (6, 0), reason="partials came with Django 6.0")
def test_partials():
    source = (
        "{% partialdef card %}{{ x.a }}{% endpartialdef %}"
        "{% for x in xs %}{% partial card %}{% endfor %}"
        "{% partialdef here inline %}{{ b }}{% endpartialdef %}"
        "{% include 'other.html#part' %}{% partial nope %}"
    )
    other = "{{ never }}{% partialdef part %}{{ c }}{% endpartialdef %}"
    assert reads(source, other=other) == [
        "xs loop",
        "xs[].a output",
        "b output",
        "c output",
        " argument lost: no partial 'nope' is defined",
    ]


# -- tags of others --------------------------------------------------------------------------------


def test_a_simple_tag_loses_what_it_is_given_and_what_it_sets():
    assert reads("{% load access_tags %}{% show a.b k=c.d as e %}{{ e.f }}") == [
        "a.b argument lost: passed to {% show %}",
        "c.d argument lost: passed to {% show %}",
        "e.f output lost: set by {% show %}",
    ]


def test_djangos_own_simple_tags_lose_nothing():
    assert reads("{% querystring page=page.next %}") == ["page.next argument"]


def test_a_tag_that_takes_the_context_is_said():
    assert reads("{% load access_tags %}{% look %}") == [
        " argument lost: {% look %} takes the whole context"
    ]


def test_a_simple_block_tag_renders_what_stands_inside():
    assert reads("{% load access_tags %}{% boxed a.b %}{{ c.d }}{% endboxed %}") == [
        "a.b argument lost: passed to {% boxed %}",
        "c.d output",
    ]


def test_the_template_of_an_inclusion_tag_reads_what_its_function_returned():
    found = analyse(
        "{% load access_tags %}{% for b in bs %}{% results b.c %}{% endfor %}",
        results="{% for choice in choices %}{{ choice.d }}{% endfor %}",
    )
    why = " lost: in the result of {% results %}"
    assert [described(path) for path in found] == [
        "bs loop",
        "bs[].c argument lost: passed to {% results %}",
        f"choices loop{why}",
        f"choices[].d output{why}",
    ]


def test_a_foreign_tag():
    why = f" lost: passed to {{% foreign %}} ({access_tags.__name__})"
    source = (
        "{% load access_tags %}{% for a in b %}{% foreign a.c x=a.d as e %}"
        "{{ e.f }}{{ a.g }}{% endforeign %}{% endfor %}"
    )
    assert reads(source) == [
        "b loop",
        f"b[].c argument{why}",
        f"b[].d argument{why}",
        "e.f output maybe lost: set by {% foreign %}",
        "b[].g output maybe",
    ]


def test_a_foreign_tag_that_keeps_words_is_read_from_its_words():
    why = f" lost: passed to {{% wordy %}} ({access_tags.__name__})"
    source = "{% load access_tags %}{% for a in b %}{% wordy a for x.y other 3 %}{% endfor %}"
    assert reads(source) == ["b loop", f"b[] argument{why}", f"x.y argument{why}"]


def test_a_subclass_of_a_known_tag_is_foreign():
    why = f" lost: passed to {{% unless %}} ({access_tags.__name__})"
    source = "{% load access_tags %}{% unless a.b and c %}{{ d }}{% endunless %}"
    assert reads(source) == [
        f"a.b argument{why}",
        f"c argument{why}",
        "d output maybe",
    ]


def test_every_node_type_of_django_that_is_compiled_has_its_reads_here():
    from atemplates.analysis.django import NODE_HANDLERS
    from atemplates.tags import FAMILIES

    written = {kind for family in FAMILIES for kind in family.nodes}
    django_types = {kind for kind in written if kind.__module__.startswith("django.")}
    assert {kind.__name__ for kind in django_types - set(NODE_HANDLERS)} <= {"Node", "TextNode"}
    assert all(issubclass(kind, Node) for kind in NODE_HANDLERS)
