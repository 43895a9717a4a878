"""Semantics 15: what each policy does, for a backend, for one render, and for a part of a page."""

import warnings
from types import SimpleNamespace

import pytest
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.template import TemplateSyntaxError

from atemplates.relations.policy import relations_everywhere
from atemplates.testing import LazyAccessError, LazyAccessWarning, relations, reset_warnings
from tests.testapp.models import Animal, Note, Place

from .pages import WAYS, backend, compare, render

pytestmark = [
    pytest.mark.django_db(databases=["default", "other"]),
    pytest.mark.usefixtures("zoo"),
]


@pytest.fixture(autouse=True)
def no_line_was_warned_about():
    reset_warnings()


def animals():
    return {"rows": Animal.objects.all()}


def loop(body):
    return f"{{% for r in rows %}}{body};{{% endfor %}}"


HOMES = loop("{{ r.home.name }}")
COUNT = 7


# -- where a policy comes from ---------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
class TestWhere:
    def test_the_option_of_the_backend(self, way):
        assert len(render(HOMES, animals, way).queries) == 2
        assert len(render(HOMES, animals, way, relations="batch").queries) == 2
        assert len(render(HOMES, animals, way, relations="fetch").queries) > 2
        with pytest.raises(LazyAccessError):
            render(HOMES, animals, way, relations="raise").result()

    def test_one_render_overrides_the_option(self, way):
        assert len(render(HOMES, animals, way, "fetch", relations="raise").queries) > 2
        assert len(render(HOMES, animals, way, "batch", relations="raise").queries) == 2
        with pytest.raises(LazyAccessError):
            render(HOMES, animals, way, "raise", relations="fetch").result()

    def test_a_block_of_python_overrides_the_option(self, way):
        with relations("raise"), pytest.raises(LazyAccessError):
            render(HOMES, animals, way).result()
        with relations("raise"), relations("fetch"):
            assert len(render(HOMES, animals, way).queries) > 2
        assert len(render(HOMES, animals, way).queries) == 2

    def test_a_render_of_its_own_overrides_the_block_of_python(self, way):
        with relations("raise"):
            assert len(render(HOMES, animals, way, "batch").queries) == 2

    def test_everywhere(self, way):
        with relations_everywhere("raise"):
            with pytest.raises(LazyAccessError):
                render(HOMES, animals, way).result()
            with relations("batch"):
                assert len(render(HOMES, animals, way).queries) == 2
        assert len(render(HOMES, animals, way).queries) == 2

    def test_a_part_of_a_template(self, way):
        part = "{% load atemplates %}{% relations 'fetch' %}%s{% endrelations %}"
        fetched = render(part.replace("%s", HOMES), animals, way)
        assert len(fetched.queries) == len(render(HOMES, animals).queries)
        strict = HOMES.replace("home", "mother") + part.replace("'fetch'", "p").replace("%s", HOMES)
        with pytest.raises(LazyAccessError, match=r"Animal\.home"):
            render(strict, lambda: {**animals(), "p": "raise"}, way).result()
        after = part.replace("fetch", "raise").replace("%s", "{{ rows|length }}") + HOMES
        assert len(render(after, animals, way).queries) == 2

    def test_a_part_within_a_part_and_in_an_include(self, way):
        source = (
            "{% load atemplates %}{% relations 'raise' %}{% relations 'batch' %}{% include 'i' %}"
            "{% endrelations %}{% include 'i' %}{% endrelations %}"
        )
        run = render(source, animals, way, others={"i": HOMES + HOMES.replace("home", "mother")})
        assert not run.error  # what the first include loaded is there for the second
        with pytest.raises(LazyAccessError):
            render(source.replace("batch", "raise"), animals, way, others={"i": HOMES}).result()

    def test_a_part_ends_when_its_contents_raise(self, way):
        source = "{% load atemplates %}{% relations 'raise' %}{{ boom }}{% endrelations %}" + HOMES

        class Boom:
            def __str__(self):
                raise ValueError("boom")

        with pytest.raises(ValueError, match="boom"):
            render(source, lambda: {**animals(), "boom": Boom()}, way).result()
        assert len(render(source, animals, way).queries) == 2

    def test_a_part_whose_policy_does_not_exist(self, way):
        source = "{% load atemplates %}{% relations p %}x{% endrelations %}"
        with pytest.raises(TemplateSyntaxError, match="expected one of 'batch', 'fetch'"):
            render(source, {"p": "batches"}, way).result()


def test_a_wrong_policy_is_named_where_it_stands():
    with pytest.raises(ImproperlyConfigured, match="'batch', 'fetch', 'warn', 'raise'"):
        backend("", relations="eager")
    with pytest.raises(ValueError, match="relations='eager': expected one of"), relations("eager"):
        pass
    template = backend("x").get_template("page.html")
    with pytest.raises(ValueError, match="relations='eager': expected one of"):
        template.render({}, relations="eager")
    for source in (
        "{% relations 'eager' %}{% endrelations %}",
        "{% relations %}{% endrelations %}",
    ):
        with pytest.raises(TemplateSyntaxError, match="batch"):
            backend("{% load atemplates %}" + source).get_template("page.html")


@pytest.mark.parametrize("way", WAYS)
def test_stock_django_renders_the_contents_of_the_tag(way):
    source = "{% load atemplates %}{% relations 'batch' %}{{ rows|length }}{% endrelations %}"
    compare(source, animals)


# -- raise -----------------------------------------------------------------------------------------


ERRORS = {
    "foreign key": (
        "\n{% for r in rows %}\n  {{ r.home.region.name|upper }}{% endfor %}",
        Animal.objects.select_related("home"),
        (3, "r.home.region.name|upper", ("[]", "home", "region"), "testapp.Place"),
        """Add .select_related("home__region") to the queryset of 'rows'.""",
    ),
    "reverse": (
        loop("{% for c in r.children.all %}{{ c.name }}{% endfor %}"),
        Animal.objects,
        (1, "r.children.all", ("[]", "children"), "testapp.Animal"),
        """Add .prefetch_related("children") to the queryset of 'rows'.""",
    ),
    "a row of a relation": (
        loop("{% for c in r.children.all %}{{ c.home.name }}{% endfor %}"),
        Animal.objects.prefetch_related("children"),
        (1, "c.home.name", ("[]", "children", "all", "[]", "home"), "testapp.Animal"),
        "prefetch_related(",
    ),
    "deferred": (
        loop("{{ r.story }}"),
        Animal.objects.only("name"),
        (1, "r.story", ("[]", "story"), "testapp.Animal"),
        "Add 'story' to only(), or take it out of defer().",
    ),
    "count": (
        loop("{{ r.children.count }}"),
        Animal.objects,
        (1, "r.children.count", ("[]", "children"), "testapp.Animal"),
        'annotate(children_count=Count("children", distinct=True))',
    ),
    "generic key": (
        loop("{{ r.about.name }}"),
        Note.objects.all(),
        (1, "r.about.name", ("[]", "about"), "testapp.Note"),
        """Add .prefetch_related("about") to the queryset of 'rows'.""",
    ),
    "one-to-one, back": (
        loop("{{ r.passport.number }}"),
        Animal.objects,
        (1, "r.passport.number", ("[]", "passport"), "testapp.Animal"),
        """Add .select_related("passport") to the queryset of 'rows'.""",
    ),
    "renamed": (
        loop("{% with h=r.home %}{{ h.region.name }}{% endwith %}"),
        Animal.objects.select_related("home"),
        (1, "h.region.name", ("[]", "home", "region"), "testapp.Place"),
        """Add .select_related("home__region") to the queryset of 'rows'.""",
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ERRORS)
def test_the_error_names_everything(name, way):
    source, queryset, (line, expression, path, model), suggestion = ERRORS[name]
    with pytest.raises(LazyAccessError) as raised:
        render(source, lambda: {"rows": queryset.all()}, way, "raise").result()
    error = raised.value
    assert (error.location.template, error.location.line) == ("page.html", line)
    assert (error.root, error.path, error.model) == ("rows", path, model)
    assert error.expression == expression
    assert suggestion in error.suggestion
    for part in ("page.html", f"line {line}", expression, model, error.suggestion):
        assert part in str(error)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("{% for r in holder.page.object_list %}{{ r.home.name }}{% endfor %}", "holder.page"),
        ("{% for r in holder.rows %}{{ r.home.name }}{% endfor %}", "holder.rows"),
    ],
)
def test_the_suggestion_names_what_holds_the_rows(source, named, way):
    """The variable of the view may be no rows at all."""

    def make():
        rows = Animal.objects.order_by("pk")
        page = SimpleNamespace(object_list=list(rows))
        return {"holder": SimpleNamespace(rows=list(rows), page=page)}

    with pytest.raises(LazyAccessError) as raised:
        render(source, make, way, "raise").result()
    assert f"to the queryset of {named!r}." in raised.value.suggestion


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [name for name in ERRORS if name not in ("count", "deferred")])
def test_what_the_error_says_is_what_helps(name, way):
    """Do what the error says, as often as it takes; it takes one query for each relation."""
    source, queryset, _, _ = ERRORS[name]
    queryset = queryset.all()
    for _ in range(4):
        run = render(source, lambda queryset=queryset: {"rows": queryset.all()}, way, "raise")
        if run.error is None:
            break
        call = run.error.suggestion.removeprefix("Add ").partition(" to the queryset")[0]
        from django.db.models import Prefetch

        queryset = eval(f"queryset{call}", {"queryset": queryset, "Prefetch": Prefetch})
    stock = render(source, lambda: {"rows": queryset.all()})
    assert run.result() == stock.text
    assert len(run.queries) == len(stock.queries)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("queryset", "expression", "key"),
    [
        (Animal.objects.only("name"), "r.mother.name", "mother"),
        (Animal.objects.defer("home"), "r.home.region.name", "home"),
        (
            Animal.objects.select_related("home").defer("home__region"),
            "r.home.region",
            "home__region",
        ),
    ],
)
def test_the_error_names_a_deferred_key_that_no_join_can_start_from(queryset, expression, key, way):
    run = render(loop(f"{{{{ {expression} }}}}"), lambda: {"rows": queryset.all()}, way, "raise")
    with pytest.raises(LazyAccessError) as raised:
        run.result()
    joined = raised.value.suggestion.partition('"')[2].partition('"')[0]
    with pytest.raises(FieldError):
        list(queryset.select_related(joined))
    assert (
        f"Name {key!r} in its only() as well, or take it out of defer()." in raised.value.suggestion
    )


SWALLOWING = {
    "if": "{% if rows.first.home %}{% endif %}",
    "if ==": "{% if rows.first.home == 1 %}{% endif %}",
    "if or": "{% if rows.first.home.name or 1 %}{% endif %}",
    "if not": "{% if not rows.first.home.name %}{% endif %}",
    "if in": "{% if 'x' in rows.first.home.name %}{% endif %}",
    "if truth of rows": "{% if rows.first.children.all %}{% endif %}",
    "default": "{{ rows.first.home.name|default:'x' }}",
    "firstof": "{% firstof rows.first.home.name 'x' %}",
    "ifchanged": "{% ifchanged rows.first.home.name %}{% endifchanged %}",
    "with": "{% with x=rows.first.home.name %}{% endwith %}",
    "include": "{% include 'part' %}",
    "cycle": "{% for x in 'ab' %}{% cycle rows.first.home.name 'x' %}{% endfor %}",
    "url": "{% url rows.first.home.name as x %}",
    "blocktranslate": "{% load i18n %}{% blocktranslate with x=rows.first.home.name %}{{ x }}{% endblocktranslate %}",
    "dictsort": "{% for r in rows|dictsort:'home.name' %}{% endfor %}",
    "regroup": "{% regroup rows by home.name as groups %}{% for g in groups %}{% endfor %}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SWALLOWING)
def test_the_error_is_not_swallowed(name, way):
    make = {"rows": Animal.objects.all()}
    if name == "dictsort":
        # Django's filter reads the rows by itself, and takes any error for "invalid".
        make = {"rows": list(Animal.objects.all())}
    run = render(SWALLOWING[name], make, way, "raise", others={"part": SWALLOWING["if"]})
    with pytest.raises(LazyAccessError):
        run.result()


ABSENT = {
    "null": "{{ r.mother }}{{ r.mother.name }}{% if r.home %}{% endif %}",
    "missing one-to-one": "{{ r.passport.number }}",
    "an id": "{{ r.mother_id }}{{ r.home_id }}{{ r.pk }}",
    "no such name": "{{ r.nothing.name }}",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ABSENT)
def test_absent_is_not_missing(name, way):
    rows = Animal.objects.filter(name="Stray").select_related("passport")
    stock = render(loop(ABSENT[name]), {"rows": rows.all()})
    assert render(loop(ABSENT[name]), {"rows": rows.all()}, way, "raise").result() == stock.text


@pytest.mark.parametrize("way", WAYS)
def test_the_connection_is_usable_after_the_error(way):
    rows = list(Animal.objects.all())
    with pytest.raises(LazyAccessError):
        render(loop("{{ r.home.name }}"), {"rows": rows}, way, "raise").result()
    assert not any(Animal.home.is_cached(row) for row in rows)
    assert Place.objects.exists()
    assert compare(HOMES, lambda: {"rows": rows}).text == render(HOMES, animals).text


# -- warn ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
class TestWarn:
    SOURCE = (
        "{% for r in rows %}\n{{ r.home.name }}{{ r.mother.name }}\n"
        "{% for c in r.children.all %}{{ c.name }}{% endfor %}\n{{ r.foods.first }}{% endfor %}"
    )

    def test_once_for_each_line(self, way):
        def twice():
            return [render(self.SOURCE, animals, way, "warn").result() for _ in range(2)]

        with pytest.warns(LazyAccessWarning) as caught:
            texts = twice()
        assert texts[0] == texts[1]
        texts = [str(warning.message) for warning in caught]
        assert [text.partition(":")[0] for text in texts] == [
            "page.html, line 2",
            "page.html, line 3",
            "page.html, line 4",
        ]
        assert "testapp.Animal.home" in texts[0]
        assert 'select_related("home")' in texts[0]

    def test_again_after_a_reset(self, way):
        for _ in range(2):
            reset_warnings()
            with pytest.warns(LazyAccessWarning):
                render(HOMES, animals, way, "warn").result()

    def test_it_loads_in_batches(self, way):
        with pytest.warns(LazyAccessWarning):
            run = render(HOMES, animals, way, "warn")
        assert len(run.queries) == 2
        assert run.text == render(HOMES, animals).text

    def test_a_warning_that_is_an_error_is_raised_on_its_line(self, way):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(LazyAccessWarning, match="line 1"):
                render(HOMES, animals, way, "warn").result()

    def test_loaded_rows_warn_of_nothing(self, way):
        rows = Animal.objects.select_related("home")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            render(HOMES, lambda: {"rows": rows.all()}, way, "warn").result()


# -- foreign nodes ---------------------------------------------------------------------------------


FOREIGN = {"libraries": {"foreign": "tests.compiler.foreign_tags"}}


@pytest.mark.parametrize("way", WAYS)
class TestForeignNodes:
    """What stands inside a block tag of a third party behaves as elsewhere."""

    SOURCE = "{% load foreign %}{% upper %}" + HOMES + "{% endupper %}"
    INSIDE = "{% load foreign %}" + loop("{% upper %}{{ r.home.name }}{% endupper %}")

    @pytest.mark.parametrize("source", [SOURCE, INSIDE])
    def test_batch(self, way, source):
        run = render(source, animals, way, **FOREIGN)
        assert run.result() == render(source, animals, **FOREIGN).text
        assert len(run.queries) == 2

    @pytest.mark.parametrize("source", [SOURCE, INSIDE])
    def test_raise(self, way, source):
        with pytest.raises(LazyAccessError, match=r"page\.html, line 1"):
            render(source, animals, way, "raise", **FOREIGN).result()

    @pytest.mark.parametrize("source", [SOURCE, INSIDE])
    def test_events(self, way, source):
        run = render(source, animals, way, observed=True, **FOREIGN)
        assert run.kinds() == ["rows", "relation*"]
        assert run.events[1].path == ("[]", "home")
