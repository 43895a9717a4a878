"""Failures: the template's file and line in Python's traceback, Django's debug "
"information, ours."""

import linecache
import sys
import traceback

import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.template import Context, TemplateSyntaxError
from django.template.engine import Engine
from django.test import AsyncClient, Client
from django.urls import path

from atemplates import arender
from atemplates.engines.django import arender_template, render_template
from atemplates.errors import LocatedError, Location, NotRepeatable, RenderBlocked
from tests.rendering import SETUPS, parse, run_async

DEBUG = SETUPS[1]


class Broken:
    """Each way in which a value fails."""

    @property
    def value(self):
        raise ZeroDivisionError("in a property")

    def method(self):
        raise ZeroDivisionError("in a method")

    def __iter__(self):
        raise ZeroDivisionError("in an iteration")

    def __bool__(self):
        raise ZeroDivisionError("in a truth")

    def __str__(self):
        raise ZeroDivisionError("in a text")


CONTEXT = {"broken": Broken(), "rows": [1, 2], "text": "t"}

SOURCES = [
    "{{ broken.value }}",
    "{{ broken.method }}",
    "{{ broken }}",
    "{{ text|cut:broken.value }}",
    "{{ text|divisibleby:'x' }}",
    "{% if broken.value %}{% endif %}",
    "{% if broken %}{% endif %}",
    "{% if 1 %}\n{{ broken.value }}{% endif %}",
    "{% if 0 %}{% elif broken.value %}{% endif %}",
    "{% for x in broken %}{% endfor %}",
    "{% for x in broken.value %}{% endfor %}",
    "{% for x in rows %}\n{{ broken.value }}{% endfor %}",
    "{% for x in rows %}\n{% for y in rows %}\n{{ broken.method }}\n{% endfor %}{% endfor %}",
    "{% for x, y in rows %}{% endfor %}",
    "{% for x in none %}{% empty %}\n{{ broken.value }}{% endfor %}",
    "{% with x=broken.value %}{% endwith %}",
    "{% with x=1 %}\n{{ broken.value }}{% endwith %}",
    "{% ifchanged broken.value %}{% endifchanged %}",
    "{% ifchanged %}\n{{ broken.value }}{% endifchanged %}",
    "{% cycle broken.value 1 %}",
    "{% firstof broken.value %}",
    "{% firstof broken %}",
    "{% filter upper %}\n{{ broken.value }}{% endfilter %}",
    "{% filter divisibleby:'x' %}x{% endfilter %}",
    "{% spaceless %}\n{{ broken.value }}{% endspaceless %}",
    "{% autoescape off %}\n{{ broken.value }}{% endautoescape %}",
    "{% regroup broken.value by x as y %}",
    "{% url 'nowhere' %}",
    "{% url broken.value %}",
    "{% widthratio broken.value 1 1 %}",
    "{% include broken.value %}",
    "{% include 'nowhere' %}",
    "{% include 'part' %}",
    "{% include 'part' with x=broken.value %}",
    "{% for x in rows %}\n{% include 'part' %}{% endfor %}",
    "{% include 'deep' %}",
    "{% include 'syntax' %}",
    "{% block b %}\n{{ broken.value }}{% endblock %}",
    "{% load i18n %}{% translate broken.value %}",
    "{% load i18n %}{% blocktranslate with x=broken.value %}{{ x }}{% endblocktranslate %}",
    "{% load i18n %}{% blocktranslate %}{{ broken }}{% endblocktranslate %}",
    "{% load i18n %}{% language broken.value %}{% endlanguage %}",
    "{% load i18n %}{% language 'de' %}\n{{ broken.value }}{% endlanguage %}",
    "{% load cache %}{% cache broken.value x %}{% endcache %}",
    "{% load cache %}{% cache 0 x %}\n{{ broken.value }}{% endcache %}",
    "{% load static %}{% static broken.value %}",
    "{% load tz %}{% timezone broken.value %}{% endtimezone %}",
]
TEMPLATES = {
    "part": "p\n\n{{ broken.value }}\np",
    "deep": "d\n{% include 'part' %}",
    "syntax": "s\n\n{% nonsense %}",
    "base": "b\n{% block b %}{% endblock %}\n{% block c %}{{ broken.value }}{% endblock %}",
}


class TestDebugInformation:
    """All of ``template_debug`` equals stock's: lines, positions, texts, names, messages."""

    @pytest.mark.parametrize("source", SOURCES)
    def test_of_every_tag(self, render, source):
        outcome = render.outcome("one\ntwo " + source + "\nthree", CONTEXT, templates=TEMPLATES)
        assert outcome.error is not None

    @pytest.mark.parametrize(
        "source",
        [
            "{% extends 'base' %}",
            "{% extends 'base' %}\n{% block b %}\n{{ broken.value }}{% endblock %}",
            "{% extends 'base' %}\n{% block b %}\n{% include 'part' %}{% endblock %}",
            "{% extends 'base' %}\n{% block c %}\n{{ block.super }}{% endblock %}",
            "{% extends 'middle' %}\n{% block b %}\n\n{{ block.super }}{% endblock %}",
            "{% extends broken.value %}",
            "{% extends 'nowhere' %}",
        ],
    )
    def test_through_inheritance(self, render, source):
        templates = {
            **TEMPLATES,
            "middle": "{% extends 'base' %}\n{% block b %}{{ broken.value }}{% endblock %}",
        }
        outcome = render.outcome(source, CONTEXT, templates=templates)
        assert outcome.error is not None

    def test_one_by_heart(self):
        template = parse(
            "one\ntwo {% for x in rows %}\n{{ broken.value }}{% endfor %}", setup=DEBUG
        )
        with pytest.raises(ZeroDivisionError) as caught:
            render_template(template, Context(CONTEXT))
        debug = caught.value.template_debug
        assert debug["line"] == 3
        assert debug["during"] == "{{ broken.value }}"
        assert debug["name"] == "main"
        assert debug["before"] == ""
        assert debug["after"] == "{% endfor %}"
        assert debug["message"] == "in a property"

    def test_none_without_debug(self):
        with pytest.raises(ZeroDivisionError) as caught:
            render_template(parse("{{ broken.value }}"), Context(CONTEXT))
        assert not hasattr(caught.value, "template_debug")


class TestTracebacks:
    """Python's own traceback names the template's file and line."""

    SOURCE = "one\n{% for x in rows %}\n  {{ broken.value }}\n{% endfor %}\n"

    def frames(self, render, template):
        with pytest.raises(ZeroDivisionError) as caught:
            render(template, Context(CONTEXT))
        return traceback.extract_tb(caught.tb)

    @pytest.fixture(params=["render", "arender"])
    def how(self, request):
        if request.param == "render":
            return render_template
        return lambda template, context: run_async(arender_template, template, context)

    def test_of_a_file(self, how, tmp_path):
        (tmp_path / "page.html").write_text(self.SOURCE)
        template = Engine(dirs=[tmp_path]).get_template("page.html")
        frames = [f for f in self.frames(how, template) if f.filename.endswith("page.html")]
        # An attribute that fails is looked up again by the rules, from the same line.
        assert {(f.filename, f.lineno, f.line, f.name) for f in frames} == {
            (str(tmp_path / "page.html"), 3, "{{ broken.value }}", "template")
        }

    def test_of_a_string(self, how):
        """The text comes from ``linecache``, which asks the code's loader."""
        linecache.clearcache()
        template = Engine().from_string(self.SOURCE)
        frames = [f for f in self.frames(how, template) if "template string" in f.filename]
        assert {(f.lineno, f.line) for f in frames} == {(3, "{{ broken.value }}")}

    def test_of_two_strings(self):
        """Each has a name of its own, so that linecache does not show one's text for the other."""
        linecache.clearcache()
        lines = []
        for source in ("{{ broken.value }}", "\n{{ broken.method }}"):
            frames = self.frames(render_template, Engine().from_string(source))
            lines += [(f.lineno, f.line) for f in frames if "template string" in f.filename]
        assert lines == [(1, "{{ broken.value }}"), (2, "{{ broken.method }}")]

    def test_of_includes_and_blocks(self, how, tmp_path):
        (tmp_path / "base.html").write_text("\n{% block b %}{% endblock %}")
        (tmp_path / "part.html").write_text("\n\n\n{{ broken.value }}")
        (tmp_path / "page.html").write_text(
            "{% extends 'base.html' %}\n\n{% block b %}\n\n{% include 'part.html' %}{% endblock %}"
        )
        template = Engine(dirs=[tmp_path]).get_template("page.html")
        found = [
            (f.filename.rpartition("/")[2], f.lineno, f.name)
            for f in self.frames(how, template)
            if f.filename.startswith(str(tmp_path))
        ]
        assert found == [
            ("page.html", 1, "template"),
            ("base.html", 2, "template"),
            ("page.html", 5, "block b"),
            ("part.html", 4, "template"),
        ]

    def test_a_loop_around_a_foreign_tag(self, how, tmp_path):
        (tmp_path / "page.html").write_text(
            "{% load lib %}\n{% for x in rows %}\n{% upper %}\n{{ broken.value }}"
            "{% endupper %}{% endfor %}"
        )
        libraries = {"lib": "tests.compiler.foreign_tags"}
        template = Engine(dirs=[tmp_path], libraries=libraries).get_template("page.html")
        lines = [f.lineno for f in self.frames(how, template) if f.filename.endswith("page.html")]
        # The template, which stands at the foreign tag in the loop, and the tag's contents.
        assert lines == [3, 4]

    def test_a_debugger_stops_in_the_template(self, tmp_path):
        """What debuggers, profilers and coverage see: line events of the template's lines."""
        (tmp_path / "page.html").write_text(
            "{{ a }}\ntext\n{% if b %}\n{{ c }}\n{% endif %}\n{{ d }}"
        )
        template = Engine(dirs=[tmp_path]).get_template("page.html")
        lines = []

        def trace(frame, event, argument):
            if frame.f_code.co_filename == str(tmp_path / "page.html"):
                if event == "line":
                    lines.append(frame.f_lineno)
                return trace
            return trace

        old = sys.gettrace()
        sys.settrace(trace)
        try:
            render_template(template, Context({"a": 1, "b": 1, "c": 1, "d": 1}))
        finally:
            sys.settrace(old)
        seen = list(dict.fromkeys(lines))
        assert seen == sorted(seen)
        assert {1, 3, 4, 6} <= set(seen)

    def test_the_name_of_the_file_is_an_exact_str(self):
        """CPython interns the names in code objects, which it refuses for subclasses of str."""
        from atemplates.compiler.plan import plan_of

        template = parse("{% include 'part' %}", {"part": "{{ x }}"})
        assert render_template(template, Context({"x": 1})) == "1"
        included = template.engine.get_template("part")
        plan = plan_of(included.nodelist, included)
        assert type(plan.__code__.co_filename) is str
        assert type(plan.__code__.co_name) is str


# -- the debug page --------------------------------------------------------------------------------


async def page(request, name):
    return await arender(request, name, dict(CONTEXT))


urlpatterns = [path("<path:name>/", page)]


class TestDebugPage:
    @pytest.fixture(autouse=True)
    def site(self, settings):
        settings.DEBUG = True
        settings.ROOT_URLCONF = __name__
        settings.MIDDLEWARE = []
        templates = {
            **TEMPLATES,
            "page": "first\n{% for x in rows %}\n<b>{{ broken.value }}</b>{% endfor %}\nlast",
            "outer": "first\n{% include 'page' %}",
        }
        loader = ("django.template.loaders.locmem.Loader", templates)
        settings.TEMPLATES = [
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "OPTIONS": {
                    "debug": True,
                    "loaders": [("django.template.loaders.cached.Loader", [loader])],
                },
            }
        ]

    @pytest.mark.parametrize("client", [Client, AsyncClient])
    @pytest.mark.parametrize("name", ["page", "outer"])
    async def test_it_shows_the_template(self, client, name):
        if client is AsyncClient:
            response = await client(raise_request_exception=False).get(f"/{name}/")
        else:
            from asgiref.sync import sync_to_async

            response = await sync_to_async(client(raise_request_exception=False).get)(f"/{name}/")
        html = response.content.decode()
        assert response.status_code == 500
        assert "In template <code>page</code>, error at line <strong>3</strong>" in html
        assert '&lt;b&gt;<span class="specific">{{ broken.value }}</span>&lt;/b&gt;' in html
        assert "in a property" in html


# -- our own errors --------------------------------------------------------------------------------


class TestRenderBlocked:
    """A plain render() on a running loop that meets I/O."""

    @pytest.mark.parametrize(
        ("source", "line", "what"),
        [
            ("a\n{{ x }}", "main, line 2: {{ x }}", "an awaitable"),
            ("a\n\n{% if x %}{% endif %}", "main, line 3: {% if x %}", "an awaitable"),
            ("{% for y in x %}\n{% endfor %}", "main, line 1: {% for y in x %}", "an awaitable"),
            ("{% for y in 'a' %}\n{{ x }}{% endfor %}", "main, line 2: {{ x }}", "an awaitable"),
            ("{% include 'part' %}", "part, line 2: {{ x }}", "an awaitable"),
            ("{{ guard }}", "main, line 1: {{ guard }}", "something that needs the database"),
            ("{% load lib %}\n{% guarded %}", "main, line 2: {% guarded %}", "needs the database"),
        ],
    )
    async def test_it_names_the_line_and_what_to_do(self, source, line, what):
        async def value():
            raise AssertionError("never awaited")

        def guard():
            raise SynchronousOnlyOperation("no database here")

        libraries = {"lib": "tests.compiler.foreign_tags"}
        template = parse(source, {"part": "\n{{ x }}"}, libraries=libraries)
        context = {"guard": guard} if "guard" in source else {"x": value()}
        with pytest.raises(RenderBlocked) as caught:
            render_template(template, Context(context))
        text = str(caught.value)
        assert what in text
        assert "`await arender(request, template_name, context)`" in text
        assert line in text
        assert isinstance(caught.value, SynchronousOnlyOperation)
        assert caught.value.location.template in ("main", "part")

    async def test_it_is_not_false_in_a_condition(self):
        async def value():
            raise AssertionError("never awaited")

        coroutine = value()
        with pytest.raises(RenderBlocked):
            render_template(
                parse("{% if x == 1 %}{% else %}no{% endif %}"), Context({"x": coroutine})
            )
        coroutine.close()

    async def test_what_needs_no_io_renders_on_a_loop(self):
        source = "{% for x in rows %}{{ x }}{% include 'part' %}{% endfor %}"
        assert render_template(parse(source, {"part": "-"}), Context(CONTEXT)) == "1-2-"


class TestOurErrors:
    @pytest.mark.parametrize(
        ("location", "text"),
        [
            (Location("page.html", 3, "  {{ x }} "), "page.html, line 3: {{ x }}"),
            (Location("page.html", 3), "page.html, line 3"),
            (Location("page.html", None), "page.html"),
            (Location("page.html", None, "{{ x }}"), "page.html: {{ x }}"),
        ],
    )
    def test_a_location(self, location, text):
        assert str(location) == text
        assert str(LocatedError("What.", location)) == f"What.\n  in {text}"

    def test_without_a_location(self):
        error = LocatedError("What.")
        assert str(error) == "What."
        assert error.args == ("What.",)
        assert error.location is None

    def test_their_types(self):
        for kind in (RenderBlocked, NotRepeatable):
            assert issubclass(kind, LocatedError)
            assert issubclass(kind, SynchronousOnlyOperation)

    def test_a_location_is_filled_in_where_it_passes(self):
        class Own(LocatedError):
            pass

        def fail():
            raise Own("Wrong.")

        template = parse("a\n{% if 1 %}\n{{ fail }}{% endif %}")
        with pytest.raises(Own) as caught:
            render_template(template, Context({"fail": fail}))
        assert str(caught.value) == "Wrong.\n  in main, line 3: {{ fail }}"

    def test_a_location_given_is_kept(self):
        def fail():
            raise LocatedError("Wrong.", Location("elsewhere", 9))

        with pytest.raises(LocatedError, match="elsewhere, line 9"):
            render_template(parse("{{ fail }}"), Context({"fail": fail}))

    def test_no_operator_swallows_one(self):
        def fail():
            raise LocatedError("Wrong.")

        with pytest.raises(LocatedError, match=r"(?s)Wrong.*line 1: \{% if not fail %\}"):
            render_template(parse("{% if not fail %}{% endif %}"), Context({"fail": fail}))


def test_a_syntax_error_of_an_include_keeps_its_own_information(render):
    outcome = render.outcome("a\n{% include 'syntax' %}", templates=TEMPLATES)
    assert isinstance(outcome.error, TemplateSyntaxError)
