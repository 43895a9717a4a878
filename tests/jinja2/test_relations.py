"""The policy for relations in Jinja2 templates: batches, errors with the template's line, events."""

import pytest
from asgiref.sync import sync_to_async
from django import VERSION

from atemplates.relations.policy import (
    LazyAccessError,
    LazyAccessWarning,
    relations,
    reset_warnings,
)
from atemplates.runtime import types
from atemplates.testing import record
from tests.testapp.models import Animal, Note, Passport, Visit, Visitor

from .conftest import make_backend, queries

pytestmark = pytest.mark.django_db(databases=["default", "other"])


@pytest.fixture(autouse=True)
def filled(zoo):
    reset_warnings()
    return zoo


def animals():
    return Animal.objects.exclude(species__hidden=True).order_by("pk")


CASES = {
    "forward": ("{% for a in animals %}{{ a.species.name }},{% endfor %}", 2),
    "two steps": ("{% for a in animals %}{{ a.species.region.name }},{% endfor %}", 3),
    "null": ("{% for a in animals %}{{ a.mother.name }},{% endfor %}", 2),
    "one-to-one": ("{% for a in animals %}{{ a.chip.code }},{% endfor %}", 2),
    "reverse one-to-one": ("{% for a in owners %}{{ a.passport.number }},{% endfor %}", 2),
    "many": (
        "{% for a in animals %}{% for f in a.foods.all() %}{{ f.name }}{% endfor %};{% endfor %}",
        2,
    ),
    "reverse": (
        "{% for a in animals %}{% for c in a.children.all() %}{{ c.name }}{% endfor %};{% endfor %}",
        2,
    ),
    "nested": (
        "{% for a in animals %}{% for v in a.visits.all() %}{{ v.visitor.region.name }}{% endfor %}"
        "{% endfor %}",
        4,
    ),
    "count": ("{% for a in animals %}{{ a.foods.count() }}{% endfor %}", 2),
    "exists": ("{% for a in animals %}{% if a.foods.exists() %}y{% endif %}{% endfor %}", 2),
    "length": ("{% for a in animals %}{{ a.foods.all()|length }}{% endfor %}", 2),
    "truth": ("{% for a in animals %}{% if a.foods.all() %}y{% endif %}{% endfor %}", 2),
    "generic relation": (
        "{% for a in animals %}{% for n in a.notes.all() %}{{ n.text }}{% endfor %}{% endfor %}",
        3,
    ),
    "deferred": ("{% for a in short %}{{ a.story }}{% endfor %}", 2),
    "condition": ("{% for a in animals %}{% if a.mother.weight %}m{% endif %}{% endfor %}", 2),
    "loop condition": ("{% for a in animals if a.mother.weight %}{{ a.name }}{% endfor %}", 2),
    "call argument": ("{% for a in animals %}{{ f(a.species) }}{% endfor %}", 2),
    "item": ("{% for a in animals %}{{ a['species']['name'] }}{% endfor %}", 2),
    "operator": ("{% for a in animals %}{{ a.species.name ~ a.mother.name }}{% endfor %}", 3),
    "set": ("{% for a in animals %}{% set s = a.species %}{{ s.region.name }}{% endfor %}", 3),
    "with": (
        "{% for a in animals %}{% with s = a.species %}{{ s.region.name }}{% endwith %}{% endfor %}",
        3,
    ),
    "macro": (
        "{% macro m(x) %}{{ x.species.name }}{% endmacro %}"
        "{% for a in animals %}{{ m(a) }}{% endfor %}",
        2,
    ),
    "include": ("{% for a in animals %}{% include 'row' %}{% endfor %}", 2),
    "block": (
        "{% for a in animals %}{% block b scoped %}{{ a.species }}{% endblock %}{% endfor %}",
        2,
    ),
    "list": ("{% for a in animals|list %}{{ a.species.name }}{% endfor %}", 2),
    "sort": ("{% for a in animals|sort(attribute='species.name') %}{{ a.pk }}{% endfor %}", 2),
    "map": ("{{ animals|map(attribute='species.name')|join(',') }}", None),
    "groupby": (
        "{% for s, group in animals|groupby('species.name') %}{{ s }}"
        "{% for a in group %}{{ a.mother.name }}{% endfor %}{% endfor %}",
        4,
    ),
    "tuples": ("{% for n, a in pairs %}{{ a.species.name }}{% endfor %}", 2),
    "recursive": (
        "{% for a in roots recursive %}{{ a.name }}{{ loop(a.children.all()) }}{% endfor %}",
        None,
    ),
    "text": ("{% for p in passports %}{{ p }}{% endfor %}", None),
    "property": ("{% for a in animals %}{{ a.label }}{% endfor %}", None),
    "method": ("{% for a in animals %}{{ a.food_names() }}{% endfor %}", None),
    "generic key": ("{% for n in notes %}{{ n.about.name }}{% endfor %}", None),
}
TEMPLATES = {"row": "{{ a.species.name }}"}


def context():
    return {
        "animals": animals(),
        "short": animals().defer("story"),
        "owners": Animal.objects.filter(passport__isnull=False, species__hidden=False),
        "pairs": list(enumerate(animals())),
        "roots": Animal.objects.filter(mother=None).order_by("pk"),
        "passports": Passport.objects.order_by("pk"),
        "notes": Note.objects.order_by("pk"),
        "f": str,
    }


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("policy", ["batch", "fetch", "warn"])
async def test_output_of_stock_and_bounded_queries(name, policy, recwarn):
    source, bound = CASES[name]
    backend = make_backend(TEMPLATES, relations=policy)
    template = backend.from_string(source)
    stock = backend.env.from_string(source)
    async with queries() as by_stock:
        expected = await sync_to_async(lambda: stock.render(context()))()
    values = await sync_to_async(context)()
    async with queries() as on_loop:
        assert await template.render_async(values) == expected
    values = await sync_to_async(context)()
    async with queries() as in_thread:
        assert await sync_to_async(template.render)(values) == expected
    for made in (on_loop, in_thread):
        assert len(made) <= len(by_stock)
        if policy != "fetch" and bound is not None:
            extra = 1 if name == "tuples" else 0
            assert len(made) <= bound - extra, made
    if policy == "fetch":
        assert len(on_loop) == len(in_thread)


IN_PYTHON = {"property", "text"}
"""What the template cannot see. It runs in the thread, where nothing can below Django 6.1."""
SEEN = [name for name in CASES if name != "method" and (name not in IN_PYTHON or VERSION >= (6, 1))]


@pytest.mark.parametrize("name", SEEN)
async def test_raise_where_stock_queries_lazily(name):
    source, _ = CASES[name]
    template = make_backend(TEMPLATES, relations="raise").from_string("\n" + source)
    for render in (template.render_async, sync_to_async(template.render)):
        with pytest.raises(LazyAccessError) as caught:
            await render(await sync_to_async(context)())
        error = caught.value
        assert error.model.startswith("testapp."), error
        if name not in ("include",):
            assert error.location.line == 2
        assert str(error.location.line) in str(error)


async def test_the_error_names_everything():
    source = "one\n\n{% for a in animals %}{{ a.species.region.name }}{% endfor %}"
    backend = make_backend({"page.html": source}, relations="raise")
    template = await backend.aget_template("page.html")
    with pytest.raises(LazyAccessError) as caught:
        await template.render_async({"animals": animals()})
    error = caught.value
    assert error.location.template == "page.html"
    assert error.location.line == 3
    assert error.expression == "a.species.region.name"
    assert error.model == "testapp.Animal"
    assert error.root == "animals"
    assert error.path == ("[]", "species")
    # Not select_related(): a join would show the species that their manager hides.
    assert error.suggestion == """Add .prefetch_related("species") to the queryset of 'animals'."""
    assert error.suggestion in str(error)


@pytest.mark.parametrize(
    "source",
    [
        "{% if animals[0].species %}{% endif %}",
        "{{ 1 if animals[0].species.name == 'x' }}",
        "{{ animals[0].species or 1 }}",
        "{{ animals[0].species is defined }}",
        "{{ animals[0].species|default('x') }}",
    ],
)
async def test_the_error_is_not_swallowed(source):
    template = make_backend(relations="raise").from_string(source)
    rows = await sync_to_async(list)(animals())
    for render in (template.render_async, sync_to_async(template.render)):
        with pytest.raises(LazyAccessError):
            await render({"animals": rows})


async def test_absent_is_not_missing(zoo):
    source = "{{ a.mother }}{{ a.home }}{{ a.mother_id }}"
    template = make_backend(relations="raise").from_string(source)
    assert await template.render_async({"a": zoo.stray}) == "NoneNoneNone"


async def test_loaded_relations_raise_nothing():
    rows = animals().select_related("species__region", "mother").prefetch_related("foods")
    source = (
        "{% for a in rows %}{{ a.species.region.name }}{{ a.mother.name }}{{ a.foods.count() }}"
        "{% for f in a.foods.all() %}{{ f.name }}{% endfor %}{% endfor %}"
    )
    template = make_backend(relations="raise").from_string(source)
    async with queries() as made:
        await template.render_async({"rows": rows})
    assert len(made) == 2


async def test_the_policy_holds_when_types_were_forgotten(monkeypatch):
    """A program that makes classes without end makes all sets of types be emptied at times."""
    source = "{% for a in animals %}{{ a.species.name }}{{ a.foods.count() }}{% endfor %}"
    template = make_backend().from_string(source)
    strict = make_backend(relations="raise").from_string(source)
    await sync_to_async(lambda: template.render({"animals": animals()}))()
    monkeypatch.setattr(types, "MOST_TYPES", 0)
    types.learn_type(type("New", (), {}))
    monkeypatch.undo()
    assert Animal not in types.RELATED
    with pytest.raises(LazyAccessError):
        await sync_to_async(lambda: strict.render({"animals": animals()}))()
    rows = await sync_to_async(list)(animals())
    async with queries() as made:
        await sync_to_async(template.render)({"animals": rows})
    assert len(made) == 2


async def test_warn_once_for_each_line():
    template = make_backend(relations="warn").from_string(
        "{% for a in animals %}{{ a.species.name }}{% endfor %}"
    )

    async def twice():
        await template.render_async({"animals": animals()})
        await template.render_async({"animals": animals()})

    with pytest.warns(LazyAccessWarning, match=r'prefetch_related\("species"\)') as caught:
        await twice()
    assert len(caught) == 1


async def test_a_policy_for_one_render():
    source = "{% for a in animals %}{{ a.species.name }}{% endfor %}"
    template = make_backend().from_string(source)
    with pytest.raises(LazyAccessError):
        await template.render_async({"animals": animals()}, relations="raise")
    with relations("raise"), pytest.raises(LazyAccessError):
        await template.render_async({"animals": animals()})
    with pytest.raises(LazyAccessError):
        await sync_to_async(template.render)({"animals": animals()}, relations="raise")
    with pytest.raises(ValueError, match="expected one of"):
        await template.render_async({}, relations="nonsense")
    assert await template.render_async({"animals": animals()}) != ""


def test_a_wrong_policy_in_options():
    from django.core.exceptions import ImproperlyConfigured

    with pytest.raises(ImproperlyConfigured, match="'relations'"):
        make_backend(relations="batches")


async def test_events():
    source = (
        "{% for a in animals %}\n{{ a.species.name }}\n"
        "{% for v in a.visits.all() %}{{ v.visitor.name }}{% endfor %}{{ a.foods.count() }}\n"
        "{% endfor %}"
    )
    backend = make_backend({"page": source})
    for mode in ("async", "sync"):
        template = await backend.aget_template("page")
        rows = animals()
        async with record() as log:
            if mode == "async":
                await template.render_async({"animals": rows})
            else:
                await sync_to_async(template.render)({"animals": rows})
        seen = [(e.kind, e.template, e.line, e.root, e.path, e.batch) for e in log]
        assert seen == [
            ("rows", "page", 1, "animals", (), False),
            ("relation", "page", 2, "animals", ("[]", "species"), True),
            ("rows", "page", 3, "animals", ("[]", "visits"), True),
            ("count", "page", 3, "animals", ("[]", "foods"), True),
            ("relation", "page", 3, "animals", ("[]", "visits", "all", "[]", "visitor"), True),
        ] or seen == [
            ("rows", "page", 1, "animals", (), False),
            ("relation", "page", 2, "animals", ("[]", "species"), True),
            ("rows", "page", 3, "animals", ("[]", "visits"), True),
            ("relation", "page", 3, "animals", ("[]", "visits", "all", "[]", "visitor"), True),
            ("count", "page", 3, "animals", ("[]", "foods"), True),
        ], log


@pytest.mark.skipif(VERSION < (6, 1), reason="fetch modes are new in Django 6.1")
@pytest.mark.parametrize("name", ["property", "method", "text"])
async def test_python_code_is_batched(name):
    source, _ = CASES[name]
    template = make_backend().from_string(source)
    stock = template.backend.env.from_string(source)
    async with queries() as by_stock:
        await sync_to_async(lambda: stock.render(context()))()
    values = await sync_to_async(context)()
    async with queries() as made:
        await template.render_async(values)
    assert len(made) < len(by_stock) or name == "method"


async def test_a_sandbox_does_not_open_relations():
    source = "{% for a in animals %}{{ a.species.name }}{{ a._state.db }}{% endfor %}"
    import jinja2

    backend = make_backend(environment="jinja2.sandbox.SandboxedEnvironment")
    template = backend.from_string(source)
    async with queries() as made:
        with pytest.raises(jinja2.exceptions.SecurityError, match="_state"):
            await template.render_async({"animals": animals()})
    assert len(made) == 2


async def test_chunks_and_single_access():
    """One row that reaches a relation does not load it for ten thousand."""
    visitor = await Visitor.objects.afirst()
    rows = [Visit(animal_id=1, visitor_id=visitor.pk, pk=number) for number in range(5000)]
    source = (
        "{% for v in rows %}{% if loop.index == 3 %}{{ v.visitor.name }}{% endif %}{% endfor %}"
    )
    template = make_backend().from_string(source)
    async with record() as log:
        await template.render_async({"rows": rows})
    assert [event.rows for event in log if event.kind == "relation"] == [500]
