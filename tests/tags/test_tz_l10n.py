"""``{% load tz %}``, ``{% load l10n %}``, and how values are written in a place."""

import datetime
import decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

MOMENT = datetime.datetime(2024, 3, 5, 14, 7, tzinfo=datetime.UTC)
CONTEXT = {
    "moment": MOMENT,
    "naive": datetime.datetime(2024, 3, 5, 14, 7),
    "day": datetime.date(2024, 3, 5),
    "hour": datetime.time(14, 7),
    "float": 1234567.891,
    "decimal": decimal.Decimal("1234567.891"),
    "int": 1234567,
    "negative": -1234567,
    "big": 10**30,
    "true": True,
    "zone": "Asia/Tokyo",
    "zone_object": ZoneInfo("Asia/Tokyo"),
}


class TestTimezone:
    @pytest.mark.parametrize(
        ("source", "output"),
        [
            ("{{ moment|date:'H:i' }}", "15:07"),
            ("{% timezone 'Asia/Tokyo' %}{{ moment|date:'H:i' }}{% endtimezone %}", "23:07"),
            (
                "{% timezone zone %}{{ moment|time:'H:i' }}{% endtimezone %}"
                "{{ moment|time:'H:i' }}",
                "23:0715:07",
            ),
            ("{% timezone zone_object %}{{ moment|date:'H:i' }}{% endtimezone %}", "23:07"),
            ("{% timezone None %}{{ moment|date:'H:i' }}{% endtimezone %}", "14:07"),
            (
                "{% timezone zone %}{% timezone None %}{{ moment|date:'H' }}{% endtimezone %}"
                "{{ moment|date:'H' }}{% endtimezone %}",
                "1423",
            ),
            (
                "{% timezone zone %}{% get_current_timezone as tz %}{{ tz }}{% endtimezone %}",
                "Asia/Tokyo",
            ),
            ("{% get_current_timezone as tz %}{{ tz }}", "Europe/Berlin"),
            ("{% localtime off %}{{ moment|date:'H:i' }}{% endlocaltime %}", "14:07"),
            (
                "{% localtime off %}{% localtime on %}{{ moment|date:'H' }}{% endlocaltime %}"
                "{{ moment|date:'H' }}{% endlocaltime %}{{ moment|date:'H' }}",
                "151415",
            ),
            ("{% localtime %}{{ moment|date:'H' }}{% endlocaltime %}", "15"),
            (
                "{{ moment|utc|date:'H' }}{{ moment|localtime|date:'H' }}"
                "{{ moment|timezone:zone|date:'H' }}",
                "141523",
            ),
            ("{{ moment|timezone:'Asia/Tokyo' }}", "March 5, 2024, 11:07 p.m."),
            ("{{ moment }}", "March 5, 2024, 3:07 p.m."),
            ("{{ naive }}{{ naive|date:'H' }}", "March 5, 2024, 2:07 p.m.14"),
            ("{% localtime off %}{{ moment }}{% endlocaltime %}", "March 5, 2024, 2:07 p.m."),
            ("{% for x in 'ab' %}{{ moment|date:'H' }}{{ x }}{% endfor %}", "15a15b"),
            ("{% for x in 'ab' %}{{ moment }};{% endfor %}", "March 5, 2024, 3:07 p.m.;" * 2),
            (
                "{% timezone zone %}{% include 'part' %}{% endtimezone %}{% include 'part' %}",
                "2315",
            ),
            ("{% localtime off %}{% include 'part' %}{% endlocaltime %}", "14"),
            ("{% localtime off %}{% include 'part' only %}{% endlocaltime %}", ""),
            (
                "{% localtime off %}{% include 'part' with moment=moment only %}{% endlocaltime %}",
                "14",
            ),
            ("{% timezone zone %}{% firstof 'x' as v %}{% endtimezone %}{{ v }}", "x"),
            ("{{ moment|date:'H'|add:1 }}", "16"),
            ("{{ day|date:'D' }}{{ hour|time:'P' }}", "Tue2:07 p.m."),
            ("{{ moment|timesince:moment }}", "0\xa0minutes"),
        ],
    )
    def test_times(self, render, source, output):
        with timezone.override("Europe/Berlin"):
            templates = {"part": "{{ moment|date:'H' }}"}
            assert render("{% load tz %}" + source, CONTEXT, templates=templates) == output
            assert timezone.get_current_timezone_name() == "Europe/Berlin"

    def test_without_time_zones(self, render, settings):
        settings.USE_TZ = False
        assert render("{{ moment|date:'H' }}{{ moment }}", CONTEXT) == "14March 5, 2024, 2:07 p.m."
        assert (
            render(
                "{% load tz %}{% localtime on %}{{ moment|date:'H' }}{% endlocaltime %}", CONTEXT
            )
            == "14"
        )

    def test_an_unknown_time_zone(self, render):
        outcome = render.outcome("{% load tz %}{% timezone 'Nowhere/X' %}{% endtimezone %}")
        assert outcome.error is not None

    def test_after_an_error(self, render):
        def fail():
            raise ZeroDivisionError("in a zone")

        source = "{% load tz %}{% timezone 'Asia/Tokyo' %}{{ fail }}{% endtimezone %}"
        with pytest.raises(ZeroDivisionError, match="in a zone"):
            render(source, {"fail": fail})
        assert timezone.get_current_timezone_name() == "UTC"

    def test_an_awaitable(self, render):
        async def value(result):
            return result

        source = "{% load tz %}{% timezone zone %}{{ moment|date:'H' }}{{ x }}{% endtimezone %}"
        output = render(
            source,
            lambda: {"zone": value("Asia/Tokyo"), "moment": value(MOMENT), "x": value(1)},
            stock={"zone": "Asia/Tokyo", "moment": MOMENT, "x": 1},
            waits=3,
        )
        assert output == "231"


VALUES = ("float", "decimal", "int", "negative", "big", "true", "day", "moment", "hour")


class TestLocalisation:
    @pytest.mark.parametrize("language", ["en", "de", "fr", "ar", "hi"])
    @pytest.mark.parametrize("grouping", [False, True])
    @pytest.mark.parametrize("name", VALUES)
    def test_every_way_to_write_a_value(self, render, settings, language, grouping, name):
        """The oracle is stock: in and out of loops, of regions, and through filters."""
        settings.USE_THOUSAND_SEPARATOR = grouping
        source = (
            f"{{% load l10n %}}{{{{ {name} }}}}|{{% for x in 'a' %}}{{{{ {name} }}}}{{% endfor %}}|"
            f"{{% localize off %}}{{{{ {name} }}}}{{% endlocalize %}}|"
            f"{{% localize on %}}{{{{ {name} }}}}{{% endlocalize %}}|"
            f"{{{{ {name}|localize }}}}|{{{{ {name}|unlocalize }}}}|{{{{ {name}|default:1 }}}}|"
            f"{{% firstof {name} %}}|{{% cycle {name} 1 %}}|{{{{ {name}|stringformat:'s' }}}}"
        )
        with translation.override(language):
            output = render(source, CONTEXT)
        assert output.count("|") == 9

    @pytest.mark.parametrize("grouping", [False, True])
    def test_what_a_loop_says(self, render, settings, grouping):
        """The numbers are localised like others; the oracle is stock."""
        settings.USE_THOUSAND_SEPARATOR = grouping
        names = ("counter", "counter0", "revcounter", "revcounter0", "first", "last", "length")
        shown = ",".join(f"{{{{ forloop.{name} }}}}" for name in names)
        outer = "{{ forloop.parentloop.revcounter }}{{ forloop.parentloop.first }}"
        source = (
            f"{{% load l10n %}}{{% for x in rows %}}{shown}{{% for y in 'a' %}}{outer}{shown}"
            "{% localize off %}{{ forloop.parentloop.counter }}{% endlocalize %}{% endfor %};"
            "{% endfor %}"
        )
        with translation.override("de"):
            output = render(source, {"rows": range(1002)})
        assert ("1.002" in output) is grouping

    def test_some_by_heart(self, render, settings):
        source = "{% load l10n %}{{ float }} {{ int }} {% localize off %}{{ int }}{% endlocalize %}"
        with translation.override("de"):
            assert render(source, CONTEXT) == "1234567,891 1234567 1234567"
            settings.USE_THOUSAND_SEPARATOR = True
            assert render(source, CONTEXT) == "1.234.567,891 1.234.567 1234567"

    def test_regions(self, render):
        source = (
            "{% load l10n %}{% localize off %}{% include 'part' %}{% localize on %}{{ float }}"
            "{% endlocalize %}{{ float }}{% endlocalize %}{{ float }}"
        )
        with translation.override("de"):
            output = render(source, CONTEXT, templates={"part": "({{ float }})"})
        assert output == "(1234567.891)1234567,8911234567.8911234567,891"

    def test_a_context_that_is_not_localised(self, render):
        from django.template import Context

        from atemplates.engines.django import render_template
        from tests.rendering import parse

        with translation.override("de"):
            for use_l10n, output in ((True, "1,5"), (False, "1.5"), (None, "1,5")):
                context = Context({"x": 1.5}, use_l10n=use_l10n)
                assert render_template(parse("{{ x }}"), context) == output

    def test_humanize(self, render):
        source = (
            "{% load humanize %}{{ int|intcomma }} {{ int|intword }} "
            "{{ 5|apnumber }} {{ 3|ordinal }}"
            "{% for x in 'a' %} {{ int|intcomma }}{% endfor %} {{ day|naturalday }}"
        )
        assert render(source, CONTEXT) == ("1,234,567 1.2 million five 3rd 1,234,567 March 5, 2024")
