"""The small tags: debug, csrf_token, querystring, lorem, now, widthratio, firstof, spaceless ..."""

import datetime
import re

import pytest
from django.template import Context, RequestContext
from django.test import RequestFactory
from django.utils import timezone

from atemplates.engines.django import arender_template, render_template
from tests.rendering import parse

CONTEXT = {
    "a": 1,
    "b": 2,
    "zero": 0,
    "empty": "",
    "text": "<t>",
    "none": None,
    "big": 200,
    "half": 0.5,
    "d": {"key": "<k>"},
    "call": lambda: "called",
    "rows": ["p", "q"],
}


@pytest.mark.parametrize(
    ("source", "output"),
    [
        # firstof
        ("{% firstof zero a b %}", "1"),
        ("{% firstof zero empty missing %}", ""),
        ("{% firstof missing 'x<' %}", "x<"),
        ("{% firstof text %}{% firstof zero text|upper %}", "&lt;t&gt;&lt;T&gt;"),
        ("{% firstof zero a as f %}[{{ f }}]", "[1]"),
        ("{% firstof text as f %}{{ f }}", "&lt;t&gt;"),
        ("{% firstof zero as f %}[{{ f }}]", "[]"),
        ("{% autoescape off %}{% firstof text %}{% endautoescape %}", "<t>"),
        ("{% for r in rows %}{% firstof zero r %}{% endfor %}", "pq"),
        (
            "{% firstof call %}{% firstof d.key %}{% firstof d.nothing d.key|upper %}",
            "called&lt;k&gt;&lt;K&gt;",
        ),
        ("{% firstof half %}{% firstof zero|add:5 %}", "0.55"),
        # widthratio
        ("{% widthratio a b 100 %}", "50"),
        ("{% widthratio a zero 100 %}", "0"),
        ("{% widthratio zero b 100 %}", "0"),
        ("{% widthratio text b 100 %}[{% widthratio a text 100 %}]", "[]"),
        ("{% widthratio missing b 100 %}", ""),
        ("{% widthratio a b big %}", "100"),
        ("{% widthratio a b 100 as w %}[{{ w }}]", "[50]"),
        ("{% widthratio a|add:1 b 100 %}", "100"),
        ("{% widthratio half 1 10 %}", "5"),
        ("{% for r in rows %}{% widthratio forloop.counter 2 100 %},{% endfor %}", "50,100,"),
        # spaceless, verbatim, templatetag, comment
        ("{% spaceless %} <p> <b>x</b> </p> {% endspaceless %}", "<p><b>x</b></p>"),
        (
            ("{% spaceless %}<p>\n{{ text }} </p> <i></i>{% endspaceless %}"),
            "<p>\n&lt;t&gt; </p><i></i>",
        ),
        (
            "{% for r in rows %}{% spaceless %}<p> <b>{{ r }}</b> "
            "</p>{% endspaceless %} {% endfor %}",
            "<p><b>p</b></p> <p><b>q</b></p> ",
        ),
        ("{% spaceless %}{% firstof 'v' as v %}{% endspaceless %}{{ v }}", "v"),
        ("{% verbatim %}{{ a }}{% if %}{# x #}{% endverbatim %}", "{{ a }}{% if %}{# x #}"),
        (
            "{% verbatim x %}{% verbatim %}{% endverbatim %}{% endverbatim x %}",
            "{% verbatim %}{% endverbatim %}",
        ),
        (
            "{% templatetag openblock %}{% templatetag closeblock %}{% templatetag openvariable %}"
            "{% templatetag closevariable %}{% templatetag openbrace %}{% templatetag closebrace %}"
            "{% templatetag opencomment %}{% templatetag closecomment %}",
            "{%%}{{}}{}{##}",
        ),
        (
            (
                "a{# x #}b{% comment %}{{ a }}{% nonsense %}{% endcomment %}"
                "c{% comment 'why' %}{% endcomment %}"
            ),
            "abc",
        ),
        # filter
        ("{% filter upper %}x{{ text }}{% endfilter %}", "X&LT;T&GT;"),
        ("{% filter upper|lower|cut:'x' %}xY{% endfilter %}", "y"),
        ("{% filter cut:d.key %}<k>x{% endfilter %}", "x"),
        (
            ("{% filter force_escape %}{% filter upper %}<x>{% endfilter %}{% endfilter %}"),
            "&lt;X&gt;",
        ),
        ("{% for r in rows %}{% filter upper|add:r %}{{ r }}{% endfilter %}{% endfor %}", "PpQq"),
        ("{% filter upper %}{% firstof 'v' as v %}{% endfilter %}{{ v }}", "v"),
        ("{% with var='x' %}{% filter cut:var %}xyz{% endfilter %}{{ var }}{% endwith %}", "x"),
        # load
        ("{% load i18n %}{% load static tz %}x", "x"),
        ("{% load translate from i18n %}{% translate 'x' %}", "x"),
        # numbers and literals
        (
            ("{{ 1 }}{{ 1.5 }}{{ -1 }}{{ '' }}{{ 'a\"b' }}{{ \"a'b\" }}{{ 1e3 }}"),
            "11.5-1a\"ba'b1000.0",
        ),
        ("{{ True }}{{ False }}{{ None }}", "TrueFalseNone"),
        ("{{ 'a\\'b' }}{{ \"\\\\\" }}", "a'b\\"),
    ],
)
def test_output(render, source, output):
    assert render(source, CONTEXT) == output


def test_the_filter_tag_must_give_a_text(render):
    """Stock fails when it joins what the nodes gave; so do we, with the same type."""
    template = parse("a{% filter length %}abc{% endfilter %}")
    for render_it in (lambda t, c: t.render(c), render_template):
        with pytest.raises(TypeError, match="expected str instance, int found"):
            render_it(parse(template.source), Context())


class TestCsrfToken:
    @pytest.mark.parametrize(
        ("context", "output"),
        [
            (
                {"csrf_token": "T<"},
                ('<input type="hidden" name="csrfmiddlewaretoken" value="T&lt;">'),
            ),
            ({}, ""),
        ],
    )
    def test_output(self, render, context, output):
        assert render("{% csrf_token %}", context) == output
        assert render("{% for x in 'ab' %}{% csrf_token %}{% endfor %}", context) == output * 2
        assert (
            render("{% include 'part' %}", context, templates={"part": "{% csrf_token %}"})
            == output
        )

    def test_without_a_token_in_debug_mode(self, render, settings):
        settings.DEBUG = True
        with pytest.warns(UserWarning, match="A {% csrf_token %} was used in a template"):
            parse("{% csrf_token %}").render(Context())
        with pytest.warns(UserWarning, match="A {% csrf_token %} was used in a template"):
            render_template(parse("{% csrf_token %}"), Context())

    def test_without_one_provided(self, render):
        """Stock fails here: its own format_html() no longer formats without arguments."""
        outcome = render.outcome("{% csrf_token %}", {"csrf_token": "NOTPROVIDED"})
        assert "format_html" in str(outcome.error) or isinstance(outcome.error, TypeError)

    def test_of_a_request(self):
        request = RequestFactory().get("/")
        request.META["CSRF_COOKIE"] = "a" * 32
        output = parse("{% csrf_token %}")
        html = render_template(output, RequestContext(request))
        assert re.fullmatch(
            r'<input type="hidden" name="csrfmiddlewaretoken" value="\w{64}">', html
        )

    def test_as_a_loop_variable(self, render):
        source = "{% for csrf_token in 'ab' %}{% csrf_token %}{% endfor %}"
        assert re.findall('value="(.)"', render(source)) == ["a", "b"]


class TestQuerystring:
    @pytest.mark.parametrize(
        ("source", "output"),
        [
            ("{% querystring %}", "?x=y&amp;a=b"),
            ("{% querystring page=2 %}", "?x=y&amp;a=b&amp;page=2"),
            ("{% querystring a=None %}", "?x=y"),
            ("{% querystring a=rows %}", "?x=y&amp;a=p&amp;a=q"),
            ("{% querystring a=text %}", "?x=y&amp;a=%3Ct%3E"),
            ("{% querystring page=2 as q %}[{{ q }}]", "[?x=y&amp;a=b&amp;page=2]"),
            ("{% for r in rows %}{% querystring a=r %},{% endfor %}", "?x=y&amp;a=p,?x=y&amp;a=q,"),
        ],
    )
    def test_output(self, render, source, output):
        request = RequestFactory().get("/?x=y&a=b")
        assert render(source, CONTEXT, request=request) == output

    def test_without_a_request(self, render):
        outcome = render.outcome("{% querystring a=1 %}")
        assert outcome.error is not None


class TestNow:
    FIXED = datetime.datetime(2024, 3, 5, 14, 7, tzinfo=datetime.UTC)

    @pytest.mark.parametrize(
        ("source", "pattern"),
        [
            ("{% now 'Y' %}", r"20\d\d"),
            ("{% now 'Y-m-d' as n %}[{{ n }}]", r"\[20\d\d-\d\d-\d\d\]"),
            ('{% now "DATE_FORMAT" %}', r"\w+\.? \d+, 20\d\d"),
            (
                ("{% for x in 'ab' %}{% now 'Y' as y %}{{ y }}{% endfor %}[{{ y }}]"),
                r"(20\d\d)\1\[\]",
            ),
            ('{% now "e" %}', "Asia/Tokyo|JST"),
        ],
    )
    def test_output(self, render, source, pattern):
        with timezone.override("Asia/Tokyo"):
            assert re.fullmatch(pattern, render(source))


class TestLorem:
    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ("{% lorem 3 w %}", 3),
            ("{% lorem count w %}", 5),
            ("{% lorem text w %}", 1),
            ("{% for x in 'ab' %}{% lorem 2 w %} {% endfor %}", 4),
        ],
    )
    def test_words(self, render, source, words):
        assert len(render(source, {"count": 5, "text": "x"}).split()) == words

    def test_paragraphs(self, render):
        assert render("{% lorem %}").startswith("Lorem ipsum dolor sit amet")
        assert render("{% lorem 1 p %}").startswith("<p>Lorem ipsum")

    async def test_random_ones(self):
        """Stock and ours draw other words; the shape is the same."""
        html = await arender_template(parse("{% lorem 3 p random %}"), Context())
        assert html.count("<p>") == 3


class TestDebug:
    def test_not_in_debug_mode(self, render, settings):
        settings.DEBUG = False
        assert render("{% debug %}", {"a": 1}) == ""

    def test_it_prints_the_whole_context(self, render, settings):
        settings.DEBUG = True
        source = "{% with w=1 %}{% for x in 'a' %}{% debug %}{% endfor %}{% endwith %}"
        stock = parse(source).render(Context({"a": "<"}))
        ours = render_template(parse(source), Context({"a": "<"}))
        # After the context comes the list of loaded modules, which may grow.
        assert ours.partition("}{")[0] == stock.partition("}{")[0]
        assert "{&#x27;w&#x27;: 1}" in ours
        assert "&#x27;forloop&#x27;" in ours
        assert "&#x27;x&#x27;: &#x27;a&#x27;" in ours
        assert "_atemplates" not in ours


class TestAwaitables:
    def test_all_of_them(self, render):
        async def value(result):
            return result

        def context():
            return {"a": value(0), "b": value("<b>"), "n": value(2), "x": value("x")}

        source = (
            "{% firstof a b %}{% widthratio n 4 100 %}{% filter cut:x %}xy{% endfilter %}"
            "{% lorem n w %}{% firstof b as f %}{{ f }}"
        )
        stock = {"a": 0, "b": "<b>", "n": 2, "x": "x"}
        output = render(source, context, stock=stock, waits=4)
        assert output == "&lt;b&gt;50ylorem ipsum&lt;b&gt;"
