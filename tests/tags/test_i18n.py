"""``{% load i18n %}``: translate, blocktranslate, language and the tags that tell languages."""

import pytest
from django.utils import translation

from tests.rendering import agree

T = "{% load i18n %}"


@pytest.fixture(params=["en", "de", "fr"])
def language(request):
    with translation.override(request.param):
        yield request.param


def of(language, en, de, fr):
    return {"en": en, "de": de, "fr": fr}[language]


class TestTranslate:
    @pytest.mark.parametrize(
        ("source", "output"),
        [
            ("{% translate 'Yes' %}", ("Yes", "Ja", "Oui")),
            ("{% trans 'Yes' %}", ("Yes", "Ja", "Oui")),
            ("{% translate 'Yes' noop %}", ("Yes", "Yes", "Yes")),
            ("{% translate 'Yes' as y %}[{{ y }}]", ("[Yes]", "[Ja]", "[Oui]")),
            ("{% translate name %}", ("Yes", "Ja", "Oui")),
            ("{% translate name noop %}", ("Yes", "Yes", "Yes")),
            ("{% translate name|lower %}", ("yes", "ja", "oui")),
            ("{% translate 'Yes'|upper %}", ("YES", "JA", "OUI")),
            ("{% translate d.key %}", ("Yes", "Ja", "Oui")),
            ("{% translate 'a%b' %}{% translate '100%' %}", ("a%b100%",) * 3),
            ("{% translate '<b>' %}{% translate unsafe %}", ("<b>&lt;u&gt;",) * 3),
            ("{% translate missing %}", ("",) * 3),
            ("{% translate 'May' context 'abbrev. month' %}", ("May", "Mai", "mai")),
            ("{% translate 'May' context kind %}", ("May", "Mai", "mai")),
            ("{% translate 'May' context 'abbrev. month' as m %}{{ m }}", ("May", "Mai", "mai")),
            (
                "{% for x in 'ab' %}{% translate 'Yes' %}{{ x }}{% endfor %}",
                ("YesaYesb", "JaaJab", "OuiaOuib"),
            ),
            (
                "{% for n in names %}{% translate n %},{% endfor %}",
                ("Yes,No,", "Ja,Nein,", "Oui,Non,"),
            ),
            ("{{ _('Yes') }}", ("Yes", "Ja", "Oui")),
            ("{{ _('Yes')|lower }}", ("yes", "ja", "oui")),
            ("{{ 'x'|default:_('Yes') }}{{ ''|default:_('Yes') }}", ("xYes", "xJa", "xOui")),
            ("{% for x in 'ab' %}{{ _('Yes') }}{% endfor %}", ("YesYes", "JaJa", "OuiOui")),
            ("{{ lazy }}{% for x in 'a' %}{{ lazy }}{% endfor %}", ("YesYes", "JaJa", "OuiOui")),
            ("{% if lazy == _('Yes') %}same{% endif %}", ("same",) * 3),
        ],
    )
    def test_translate(self, render, language, source, output):
        context = {
            "name": "Yes",
            "d": {"key": "Yes"},
            "unsafe": "<u>",
            "kind": "abbrev. month",
            "names": ["Yes", "No"],
            "lazy": translation.gettext_lazy("Yes"),
        }
        assert render(T + source, context) == of(language, *output)

    def test_the_parsed_node_stays_as_it_is(self, render):
        """Stock sets the context on the parsed variable; two renders must not "
        "disturb each other."""
        with translation.override("de"):
            source = "{% translate 'May' context kind %}{% translate 'May' %}"
            assert render(T + source, {"kind": "abbrev. month"}) == "MaiMai"
            assert render(T + source, {"kind": "nothing"}) == "MayMai"

    def test_what_is_no_text(self, render):
        outcome = render.outcome(T + "{% translate number %}", {"number": 5})
        assert isinstance(outcome.error, AttributeError)

    def test_an_awaitable(self, render):
        async def value(text):
            return text

        def context():
            return {"name": value("Yes"), "kind": value("abbrev. month")}

        stock = {"name": "Yes", "kind": "abbrev. month"}
        source = T + (
            "{% translate name %}{% translate 'May' context kind %}{% translate name as n %}{{ n }}"
        )
        with translation.override("de"):
            assert render(source, context, stock=stock, waits=2) == "JaMaiJa"


class TestBlocktranslate:
    @pytest.mark.parametrize(
        ("source", "output"),
        [
            ("{% blocktranslate %}Yes{% endblocktranslate %}", ("Yes", "Ja", "Oui")),
            ("{% blocktrans %}Yes{% endblocktrans %}", ("Yes", "Ja", "Oui")),
            ("{% blocktranslate %}x {{ a }} y{% endblocktranslate %}", ("x 1 y",) * 3),
            (
                "{% blocktranslate %}{{ unsafe }}{{ missing }}|{% endblocktranslate %}",
                ("&lt;u&gt;|",) * 3,
            ),
            (
                "{% blocktranslate with b=a|add:1 c=unsafe %}{{ b }}{{ c }}"
                "{% endblocktranslate %}[{{ b }}]",
                ("2&lt;u&gt;[]",) * 3,
            ),
            ("{% blocktranslate with a as b %}{{ b }}{% endblocktranslate %}", ("1",) * 3),
            (
                "{% blocktranslate asvar v %}Yes{% endblocktranslate %}[{{ v }}]",
                ("[Yes]", "[Ja]", "[Oui]"),
            ),
            (
                "{% blocktranslate trimmed %}\n  Yes\n  {% endblocktranslate %}",
                ("Yes", "Ja", "Oui"),
            ),
            (
                "{% blocktranslate context 'abbrev. month' %}May{% endblocktranslate %}",
                ("May", "Mai", "mai"),
            ),
            (
                "{% blocktranslate count n=one %}{{ n }} thing{% plural %}{{ n }} things"
                "{% endblocktranslate %}",
                ("1 thing",) * 3,
            ),
            (
                "{% blocktranslate count n=two %}{{ n }} thing{% plural %}{{ n }} things"
                "{% endblocktranslate %}[{{ n }}]",
                ("2 things[]",) * 3,
            ),
            (
                "{% blocktranslate with x=unsafe count n=two|add:1 %}{{ x }}{{ n }}"
                " thing{% plural %}"
                "{{ x }}{{ n }} things{% endblocktranslate %}",
                ("&lt;u&gt;3 things",) * 3,
            ),
            # The counter is resolved after the names of `with` are set.
            (
                "{% blocktranslate with total=two count n=total %}{{ n }} "
                "thing{% plural %}{{ n }} things"
                "{% endblocktranslate %}",
                ("2 things",) * 3,
            ),
            (
                "{% blocktranslate count n=two %}one{% plural %}{{ n }}{{ a }}{{ missing }}"
                "{% endblocktranslate %}",
                ("21",) * 3,
            ),
            (
                "{% blocktranslate %}100% {{ a }} %%(a)s %(a)s{% endblocktranslate %}",
                ("100% 1 %%(a)s %(a)s",) * 3,
            ),
            (
                "{% for x in 'ab' %}{% blocktranslate %}{{ x }}{{ a }}"
                "{% endblocktranslate %}{% endfor %}",
                ("a1b1",) * 3,
            ),
            (
                "{% for x in 'ab' %}{% blocktranslate with y=x|upper %}{{ x }}"
                "{{ y }}{% endblocktranslate %}"
                "{% endfor %}",
                ("aAbB",) * 3,
            ),
            (
                "{% with q='<' %}{% blocktranslate %}{{ q }}{% endblocktranslate %}{% endwith %}",
                ("<",) * 3,
            ),
            (
                "{% for x in 'ab' %}{% blocktranslate count n=forloop.counter %}"
                "{{ n }} one{% plural %}"
                "{{ n }} many{% endblocktranslate %},{% endfor %}",
                ("1 one,2 many,",) * 3,
            ),
            (
                "{% blocktranslate with s=number %}{{ s }}{% endblocktranslate %}",
                ("1.5", "1,5", "1,5"),
            ),
            (
                "{% autoescape off %}{% blocktranslate %}{{ unsafe }}{% endblocktranslate %}"
                "{% endautoescape %}",
                ("<u>",) * 3,
            ),
            (
                "{% filter upper %}{% blocktranslate %}Yes{% endblocktranslate %}{% endfilter %}",
                ("YES", "JA", "OUI"),
            ),
            ("{% blocktranslate %}{{ call }}{% endblocktranslate %}", None),
        ],
    )
    def test_blocktranslate(self, render, language, source, output):
        context = {
            "a": 1,
            "one": 1,
            "two": 2,
            "unsafe": "<u>",
            "number": 1.5,
            "call": lambda: "called",
        }
        text = render(T + source, context)
        if output is None:
            # Names in a blocktranslate are not called: stock prints the function.
            assert "function" in text
        else:
            assert text == of(language, *output)

    @pytest.mark.parametrize("count", ["x", None, [1]])
    def test_a_counter_that_is_no_number(self, render, count):
        source = "{% blocktranslate count n=count %}a{% plural %}b{% endblocktranslate %}"
        with pytest.raises(Exception, match="argument to 'blocktranslate' tag must be a number"):
            render(T + source, {"count": count})

    def test_a_translation_that_does_not_fit(self, render, settings, tmp_path):
        """The original text takes its place."""
        from django.utils.translation import trans_real

        class Broken:
            def gettext(self, message):
                return message.replace("%(name)s", "%(other)s")

        with translation.override("de"):
            catalog = trans_real.translation("de")
            real = catalog._catalog
            key = "Hello %(name)s, from a test"
            real._catalogs.insert(0, {key: "Hallo %(other)s"})
            try:
                source = "{% blocktranslate %}Hello {{ name }}, from a test{% endblocktranslate %}"
                assert render(T + source, {"name": "x"}) == "Hello x, from a test"
            finally:
                del real._catalogs[0]

    def test_awaitables(self, render):
        async def value(result):
            return result

        def context():
            return {"name": value("<n>"), "count": value(2), "kind": value("nothing")}

        stock = {"name": "<n>", "count": 2, "kind": "nothing"}
        source = (
            "{% blocktranslate %}{{ name }}{% endblocktranslate %}"
            "{% blocktranslate with n=name count c=count context kind %}{{ n }}{{ c }}{% plural %}"
            "{{ n }}{{ c }}s{% endblocktranslate %}"
        )
        assert render(T + source, context, stock=stock, waits=3) == "&lt;n&gt;&lt;n&gt;2s"


class TestLanguage:
    @pytest.mark.parametrize(
        ("source", "output"),
        [
            (
                "{% language 'de' %}{% translate 'Yes' %}{% endlanguage %}{% translate 'Yes' %}",
                "JaYes",
            ),
            ("{% language code %}{{ _('Yes') }}{% endlanguage %}", "Oui"),
            (
                "{% language 'de' %}{% language 'fr' %}{{ lazy }}{% endlanguage %}"
                "{{ lazy }}{% endlanguage %}",
                "OuiJa",
            ),
            (
                "{% for code in codes %}{% language code %}{{ lazy }}{% endlanguage %}{% endfor %}",
                "JaOui",
            ),
            (
                "{% language 'de' %}{% include 'part' %}{% endlanguage %}{% include 'part' %}",
                "JaYes",
            ),
            (
                "{% language 'de' %}{% get_current_language as l %}{{ l }}{% endlanguage %}{{ l }}",
                "dede",
            ),
            ("{% language 'de' %}{% firstof 'x' as v %}{% endlanguage %}{{ v }}", "x"),
            ("{% language 'de' %}{{ number }}{% endlanguage %}{{ number }}", "1,51.5"),
            ("{% language 'de' %}{% with y=lazy %}{{ y }}{% endwith %}{% endlanguage %}", "Ja"),
        ],
    )
    def test_language(self, render, source, output):
        context = {
            "code": "fr",
            "codes": ["de", "fr"],
            "lazy": translation.gettext_lazy("Yes"),
            "number": 1.5,
        }
        with translation.override("en"):
            templates = {"part": "{{ lazy }}"}
            assert render(T + source, context, templates=templates) == output
            assert translation.get_language() == "en"

    def test_after_an_error(self, render):
        def fail():
            raise ZeroDivisionError("in a language")

        with translation.override("en"):
            with pytest.raises(ZeroDivisionError, match="in a language"):
                render(T + "{% language 'de' %}{{ fail }}{% endlanguage %}", {"fail": fail})
            assert translation.get_language() == "en"

    def test_an_awaitable(self, render):
        async def value(result):
            return result

        source = "{% language code %}{{ x }}{{ lazy }}{% endlanguage %}{{ lazy }}"
        lazy = translation.gettext_lazy("Yes")
        with translation.override("en"):
            output = render(
                T + source,
                lambda: {"code": value("de"), "x": value("x"), "lazy": lazy},
                stock={"code": "de", "x": "x", "lazy": lazy},
                waits=2,
            )
        assert output == "xJaYes"


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{% get_current_language as l %}{{ l }}", "de"),
        ("{% get_current_language_bidi as b %}{{ b }}", "False"),
        ("{% get_available_languages as all %}{{ all.0.0 }}{{ all.0.1 }}", "afAfrikaans"),
        (
            "{% get_language_info for 'de' as l %}{{ l.code }}{{ l.name }}"
            "{{ l.name_local }}{{ l.bidi }}",
            "deGermanDeutschFalse",
        ),
        ("{% get_language_info for code as l %}{{ l.name_translated }}", "Französisch"),
        (
            "{% get_language_info_list for codes as all %}{% for l in all %}"
            "{{ l.code }}{{ l.name_local }}"
            "{% endfor %}",
            "deDeutschfrfrançais",
        ),
        (
            "{{ 'de'|language_name }}{{ 'de'|language_name_local }}{{ 'ar'|language_bidi }}"
            "{{ 'de'|language_name_translated }}",
            "GermanDeutschTrueDeutsch",
        ),
        (
            "{% for x in 'ab' %}{% get_current_language as l %}{{ l }}{% endfor %}[{{ l }}]",
            "dede[]",
        ),
    ],
)
def test_telling_languages(render, source, output):
    with translation.override("de"):
        assert render(T + source, {"code": "fr", "codes": ["de", "fr"]}) == output


def test_an_unknown_language(render):
    outcome = render.outcome(T + "{% get_language_info for 'xx' as l %}{{ l }}")
    assert isinstance(outcome.error, KeyError)


@pytest.mark.parametrize(
    "codes",
    [["de", "fr"], ("de",), [("de", "x")], [["fr"]], "de", [], [("d", "e")], ["xx"], None, [""]],
)
def test_lists_of_languages(codes):
    source = "{% get_language_info_list for codes as all %}{{ all }}"
    agree([T + source, f"{T}{{% for x in 'ab' %}}{source}{{% endfor %}}"], lambda: {"codes": codes})


def test_what_is_told_follows_the_language_and_the_zone(render):
    telling = (
        "{% get_current_language as l %}{{ l }}{% get_current_language_bidi as b %}{{ b }}"
        "{% get_available_languages as all %}{{ all.3.1 }}{% get_current_timezone as z %}{{ z }}"
        "{% get_language_info for l as i %}{{ i.name_translated }}"
    )
    source = (
        f"{{% load i18n tz %}}{telling}{{% for l in 'ab' %}}{telling}"
        f"{{% language 'ar' %}}{telling}{{% timezone 'Asia/Tokyo' %}}{telling}{{% endtimezone %}}"
        f"{{% endlanguage %}}{telling}{{% endfor %}}"
    )
    with translation.override("de"):
        assert "arTrue" in render(source)


def test_each_list_of_languages_is_another(render):
    source = "{% get_available_languages as a %}{% get_available_languages as b %}{{ a.pop.0 }}"
    render(T + source + "{{ b.pop.0 }}{% get_available_languages as c %}{{ c.pop.0 }}", waits=None)
