"""The environment that Django users get without configuring one."""

import datetime

import jinja2
import pytest
from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.cache import caches
from django.core.cache.utils import make_template_fragment_key
from django.core.exceptions import ImproperlyConfigured
from django.template import engines
from django.test import RequestFactory
from django.urls import NoReverseMatch, path
from django.utils import timezone, translation

from .conftest import make_backend

HERE = __name__
urlpatterns = [path("thing/<int:pk>/", lambda request, pk: None, name="thing")]
WHEN = datetime.datetime(2024, 2, 3, 14, 5, tzinfo=datetime.UTC)


def backend(templates=None, **options):
    return make_backend(templates, environment=None, **{"extensions": (), **options})


async def both(source, context=None, request=None, **options):
    template = backend(**options).from_string(source)
    output = await template.render_async(context, request)
    assert await sync_to_async(template.render)(context, request) == output
    return output


# Each as a Django template writes it, and as a Jinja2 template does.
FILTERS = [
    ("{{ d|date:'Y-m-d H:i' }}", "{{ d|date('Y-m-d H:i') }}"),
    ("{{ d|date }}", "{{ d|date }}"),
    ("{{ d|time:'H:i' }}", "{{ d|time('H:i') }}"),
    ("{{ old|timesince:d }}", "{{ old|timesince(d) }}"),
    ("{{ d|timeuntil:old }}", "{{ d|timeuntil(old) }}"),
    ("{{ n|floatformat:2 }}", "{{ n|floatformat(2) }}"),
    ("{{ big|filesizeformat }}", "{{ big|filesizeformat }}"),
    (
        "s{{ one|pluralize }}{{ big|pluralize:'y,ies' }}",
        "s{{ one|pluralize }}{{ big|pluralize('y,ies') }}",
    ),
    ("{{ text|linebreaks }}", "{{ text|linebreaks }}"),
    ("{{ text|linebreaksbr }}", "{{ text|linebreaksbr }}"),
    ("{{ safe|linebreaks }}", "{{ safe|linebreaks }}"),
    ("{{ text|truncatewords:2 }}", "{{ text|truncatewords(2) }}"),
    ("{{ text|truncatechars:7 }}", "{{ text|truncatechars(7) }}"),
    ("{{ safe|truncatewords_html:1 }}", "{{ safe|truncatewords_html(1) }}"),
    (
        "{{ text|slugify }}{{ text|capfirst }}{{ text|cut:'a' }}",
        "{{ text|slugify }}{{ text|capfirst }}{{ text|cut('a') }}",
    ),
    ("{{ text|addslashes }}{{ text|escapejs }}", "{{ text|addslashes }}{{ text|escapejs }}"),
    (
        "{{ text|urlizetrunc:5 }}{{ text|linenumbers }}",
        "{{ text|urlizetrunc(5) }}{{ text|linenumbers }}",
    ),
    (
        "{{ none|default_if_none:'x' }}{{ yes|yesno:'a,b' }}{{ none|yesno }}",
        "{{ nothing|default_if_none('x') }}{{ yes|yesno('a,b') }}{{ nothing|yesno }}",
    ),
    (
        "{{ one|add:2 }}{{ one|divisibleby:1 }}{{ big|get_digit:2 }}",
        "{{ one|add(2) }}{{ one|divisibleby(1) }}{{ big|get_digit(2) }}",
    ),
    (
        "{{ text|ljust:30 }}{{ text|rjust:30 }}{{ n|stringformat:'.1f' }}",
        "{{ text|ljust(30) }}{{ text|rjust(30) }}{{ n|stringformat('.1f') }}",
    ),
    ("{{ tree|unordered_list }}", "{{ tree|unordered_list }}"),
    ("{{ tree|json_script:'id' }}", "{{ tree|json_script('id') }}"),
    (
        "{{ text|phone2numeric }}{{ text|make_list }}",
        "{{ text|phone2numeric }}{{ text|make_list }}",
    ),
    ("{% load l10n %}{{ n|localize }}{{ n|unlocalize }}", "{{ n|localize }}{{ n|unlocalize }}"),
    (
        "{% load tz %}{{ d|utc|date:'H' }}{{ d|localtime|date:'H' }}"
        "{{ d|timezone:'Asia/Tokyo'|date:'H' }}",
        "{{ d|utc|date('H') }}{{ d|localtime|date('H') }}{{ d|timezone('Asia/Tokyo')|date('H') }}",
    ),
    (
        "{% load humanize %}{{ big|intcomma }}{{ one|ordinal }}{{ d|naturalday }}",
        "{{ big|intcomma }}{{ one|ordinal }}{{ d|naturalday }}",
    ),
    (
        "{% load i18n %}{{ 'de'|language_name }}{{ 'de'|language_name_local }}",
        "{{ 'de'|language_name }}{{ 'de'|language_name_local }}",
    ),
    ("{{ safe|capfirst }}{{ safe|cut:'i' }}", "{{ safe|capfirst }}{{ safe|cut('i') }}"),
]


def quotes(text):
    return text.replace("&#39;", "&#x27;").replace("&#34;", "&quot;")


@pytest.mark.parametrize(("django", "ours"), FILTERS)
@pytest.mark.parametrize("language", ["en", "de"])
async def test_filters_give_what_djangos_give(django, ours, language, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    from django.utils.safestring import mark_safe

    values = {
        "d": WHEN,
        "old": WHEN - datetime.timedelta(days=40),
        "n": 1234.567,
        "one": 1,
        "big": 12345678,
        "text": "a <b>'s\n\nhttp://example.org/ & more",
        "safe": mark_safe("<i>one two</i>"),
        "yes": True,
        "nothing": None,
        "tree": ["<a>", ["b"]],
    }
    with translation.override(language), timezone.override("Europe/Berlin"):
        stock = engines["django"].from_string(django)
        expected = await sync_to_async(stock.render)({**values, "none": None})
        # The two engines write an escaped quote in different ways.
        assert quotes(await both(ours, values)) == quotes(expected)


DJANGO_JINJA = (
    "add addslashes capfirst cut date default_if_none divisibleby escapejs floatformat iriencode "
    "json_script linebreaks linebreaksbr linenumbers ljust localtime make_list pluralize rjust "
    "slugify stringformat striptags time timesince timeuntil timezone truncatechars "
    "truncatechars_html truncatewords truncatewords_html urlizetrunc utc yesno"
)
"""What its DjangoFiltersExtension registers, but for those that are functions here."""


def test_names_that_users_of_django_jinja_know():
    env = backend().env
    assert set(DJANGO_JINJA.split()) <= env.filters.keys()
    assert {"static", "url", "localtime", "utc", "timezone", "_", "gettext"} <= env.globals.keys()
    assert {"csrf_token", "cache", "trans", "do", "break"} <= {
        tag for extension in env.extensions.values() for tag in extension.tags
    }


async def test_jinja2s_own_filters_keep_their_names():
    source = "{{ 'abcdefgh'|truncate(5, true, '', 0) }}{{ [1, 2]|join('-') }}{{ x|default('d') }}"
    assert await both(source) == "abcde1-2d"


async def test_constants_are_written_in_the_language_of_the_render():
    template = backend().from_string("{{ 1.5|floatformat(1) }}{{ 5000|filesizeformat }}")
    assert await template.render_async() == "1.54.9\xa0KB"
    with translation.override("de"):
        assert await template.render_async() == "1,54,9\xa0KB"
        assert await sync_to_async(template.render)() == "1,54,9\xa0KB"


async def test_filesizeformat_is_djangos_unless_it_gets_jinja2s_argument():
    assert await both("{{ 5000|filesizeformat }}") == "4.9\xa0KB"
    assert await both("{{ 5000|filesizeformat(true) }}") == "4.9 KiB"
    assert await both("{{ 5000|filesizeformat(false) }}") == "5.0 kB"


class TestGlobals:
    async def test_url_and_static(self, settings):
        settings.ROOT_URLCONF = HERE
        assert await both("{{ url('thing', pk=5) }}{{ url('thing', 6) }}") == "/thing/5//thing/6/"
        assert await both("{{ static('a.css') }}") == "/static/a.css"
        assert await both("{{ get_static_prefix() }}") == "/static/"
        with pytest.raises(NoReverseMatch):
            await both("{{ url('gone') }}")

    async def test_url_of_the_current_app(self, settings):
        request = RequestFactory().get("/")
        request.current_app = "second"
        settings.ROOT_URLCONF = "tests.property.urls"
        assert await both("{{ url('admin:index') if false else 'x' }}", {}, request) == "x"

    async def test_csrf(self):
        request = RequestFactory().get("/")
        output = await backend().from_string("{{ csrf_input }}").render_async({}, request)
        assert output.startswith('<input type="hidden" name="csrfmiddlewaretoken"')
        tag = await backend().from_string("{% csrf_token %}").render_async({}, request)
        assert tag.startswith('<input type="hidden" name="csrfmiddlewaretoken"')
        assert await both("{% csrf_token %}") == ""

    async def test_messages(self):
        request = RequestFactory().get("/")
        request._messages = CookieStorage(request)
        messages.info(request, "hello <you>")
        template = backend().from_string(
            "{% for m in get_messages() %}{{ m.tags }}: {{ m }}{% endfor %}"
        )
        assert await template.render_async({}, request) == "info: hello &lt;you&gt;"
        assert await both("{{ get_messages()|list }}") == "[]"

    async def test_time_and_language(self):
        assert await both("{{ now('Y') }}") == str(timezone.localtime().year)
        with translation.override("de"):
            assert await both("{{ get_current_language() }}") == "de"
            assert await both("{{ get_current_timezone() }}") == "UTC"
            assert await both("{{ localtime(d).hour }}{{ utc(d).hour }}", {"d": WHEN}) == "1414"


class TestTranslations:
    async def test_underscore_and_gettext(self):
        with translation.override("de"):
            assert await both("{{ _('Yes') }} {{ gettext('No') }}") == "Ja Nein"
            assert await both("{% trans %}Yes{% endtrans %}") == "Ja"

    async def test_plurals_and_variables(self):
        source = "{% trans n=xs|length, who=who %}{{ who }}: one{% pluralize %}{{ who }}: {{ n }}"
        source += "{% endtrans %}"
        assert await both(source, {"xs": [1], "who": "<a>"}) == "&lt;a&gt;: one"
        assert await both(source, {"xs": [1, 2], "who": "<a>"}) == "&lt;a&gt;: 2"

    async def test_an_awaitable_in_a_translation(self):
        async def who():
            return "you"

        template = backend().from_string("{% trans who=f() %}hello {{ who }}{% endtrans %}")
        assert await template.render_async({"f": who}) == "hello you"

    async def test_contexts(self):
        assert (
            await both("{{ pgettext('month', 'May') }}{{ npgettext('c', 'a', 'b', 2) }}") == "Mayb"
        )


class TestCache:
    @pytest.fixture(autouse=True)
    def caches(self, settings):
        settings.CACHES = {
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
            "other": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "o"},
        }
        yield
        for cache in caches.all():
            cache.clear()

    async def test_the_body_is_rendered_once(self):
        calls = []

        async def body():
            calls.append(1)
            return f"<{len(calls)}>"

        template = backend().from_string("{% cache 60, 'name', x %}{{ f() }}{% endcache %}")
        assert await template.render_async({"f": body, "x": 1}) == "&lt;1&gt;"
        assert await template.render_async({"f": body, "x": 1}) == "&lt;1&gt;"
        assert await template.render_async({"f": body, "x": 2}) == "&lt;2&gt;"
        assert await sync_to_async(template.render)({"f": body, "x": 1}) == "&lt;1&gt;"
        key = make_template_fragment_key("name", [1])
        assert await caches["default"].aget(key) == "&lt;1&gt;"

    async def test_using_another_cache_and_no_commas(self):
        template = backend().from_string("{% cache none 'n' 1 using='other' %}x{% endcache %}")
        assert await template.render_async() == "x"
        assert await caches["other"].aget(make_template_fragment_key("n", [1])) == "x"

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("{% cache 'soon', 'x' %}{% endcache %}", "number of seconds"),
            ("{% cache 1, 'x', using='gone' %}{% endcache %}", "no 'gone'"),
        ],
    )
    async def test_nonsense(self, source, message):
        with pytest.raises(jinja2.TemplateRuntimeError, match=message):
            await both(source)


def double(value):
    return value * 2


class TestOptions:
    async def test_functions_by_path(self):
        options = {
            "filters": {"double": f"{HERE}.double"},
            "tests": {"two": lambda value: value == 2},
            "globals": {"twice": double},
            "constants": {"VERSION": "1.2"},
            "policies": {"json.dumps_kwargs": {"sort_keys": False}},
            "extensions": ["jinja2.ext.debug"],
        }
        source = (
            "{{ 2|double }}{{ 2 is two }}{{ twice(3) }}{{ VERSION }}{{ {'b': 1, 'a': 2}|tojson }}"
        )
        assert await both(source, **options) == '4True61.2{"b": 1, "a": 2}'

    async def test_extensions_that_are_always_there(self):
        source = "{% for x in xs %}{% do ys.append(x) %}{% break %}{% endfor %}{{ ys|length }}"
        template = backend().from_string(source)
        assert await template.render_async({"xs": [1, 2], "ys": []}) == "1"

    async def test_autoescape_is_on_and_can_be_turned_off(self):
        assert await both("{{ '<' }}") == "&lt;"
        assert await both("{{ x }}", {"x": "<"}, autoescape=False) == "<"

    def test_unknown_options(self):
        with pytest.raises(ImproperlyConfigured, match="Did you mean 'filters'"):
            backend(filter={})
        with pytest.raises(ImproperlyConfigured, match="Did you mean 'trim_blocks'"):
            backend(trim_block=True)

    def test_a_class_without_options_of_its_own(self):
        with pytest.raises(ImproperlyConfigured, match="'filters'"):
            make_backend(environment="jinja2.Environment", filters={})
