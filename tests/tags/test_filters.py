"""Filters: Django's own in and out of loops, and what a filter may be: async, safe, querying."""

import datetime
import decimal

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import SynchronousOnlyOperation
from django.template import Context, Library
from django.utils import timezone
from django.utils.safestring import mark_safe

from atemplates.engines.django import arender_template, render_template
from atemplates.runtime.policy import Policy
from tests.rendering import SETUPS, parse, precompiled, run_async
from tests.tags import places
from tests.tags.places import NOTES

register = Library()

LIBRARIES = {"lib": "tests.tags.library_tags"}
L = "{% load lib %}"
MOMENT = datetime.datetime(2024, 3, 5, 14, 7, 9, tzinfo=datetime.UTC)

CONTEXT = {
    "text": "It's <b>bold</b> & more",
    "safe": mark_safe("<i>safe</i>"),
    "words": "the quick brown fox jumps",
    "lines": "one\n\ntwo\nthree",
    "list": [3, 1, 2],
    "names": ["b", "<a>", "c"],
    "dicts": [{"n": 2, "s": "b"}, {"n": 1, "s": "a"}],
    "nested": ["a", ["b", ["c"]]],
    "number": 12345.678,
    "decimal": decimal.Decimal("0.5"),
    "zero": 0,
    "none": None,
    "empty": "",
    "moment": MOMENT,
    "day": datetime.date(2024, 3, 5),
    "hour": datetime.time(14, 7),
    "missing_arg": "x",
    "url": "https://example.com/?a=b&c=d e",
    "data": {"k": "</script><b>"},
}
# Each is rendered in a loop and outside, autoescaped and not; the oracle is stock. ~ is a space.
TABLE = """
text|addslashes text|capfirst words|center:"30" text|cut:"~" text|cut:empty day|date:"Y-m-d"
day|date moment|date:"r" moment|date:"c" moment|time:"H:i" hour|time:"P" none|default:"d"
empty|default:text none|default_if_none:"d" zero|default_if_none:"d" dicts|dictsort:"n"
dicts|dictsortreversed:"n" list|dictsort:0 number|divisibleby:3 zero|divisibleby:"2" text|escape
text|escapejs data|json_script:"i" text|force_escape text|filesizeformat number|filesizeformat
list|first empty|first none|first number|floatformat number|floatformat:2
number|floatformat:"-3" number|floatformat:"2g" decimal|floatformat:0 text|floatformat
zero|get_digit:1 list|get_digit:1 1234|get_digit:2 text|iriencode list|join:",~"
names|join:"<br>" names|join:text none|join:"," list|last text|length list|length none|length
lines|linebreaks lines|linebreaksbr lines|linenumbers words|ljust:"30" text|lower
number|make_list text|make_list moment|phone2numeric "1-800-COLLECT"|phone2numeric
list|pluralize 1|pluralize zero|pluralize:"y,ies" text|pprint list|pprint names|safeseq
text|safe words|slice:":5" list|slice:"1:" list|slice:"::-1" none|slice:":1" text|slugify
number|stringformat:"08.2f" text|stringformat:"s" number|stringformat:"nonsense" text|striptags
safe|striptags moment|timesince:day day|timesince moment|timeuntil:moment words|title text|title
words|truncatechars:7 text|truncatechars_html:7 words|truncatewords:2 text|truncatewords_html:2
words|truncatewords:"x" nested|unordered_list safe|upper text|upper url|urlencode
url|urlencode:"" url|urlize url|urlizetrunc:10 words|wordcount words|wordwrap:10 zero|yesno
none|yesno none|yesno:"a,b,c" 1|yesno:"a,b" text|add:"x" 1|add:2 list|add:list number|add:text
zero|add:none words|rjust:"30" text|escape|force_escape missing|upper missing|default:"d"
missing|length text|upper|lower|title words|default:missing_arg list|random|add:0|divisibleby:1
names|escapeseq|join:"," text.upper|lower dicts.0.s|upper dicts|last
"""
EXPRESSIONS = [expression.replace("~", " ") for expression in TABLE.split()]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_django_filters(render, expression):
    source = (
        f"{{{{ {expression} }}}}|{{% for x in 'ab' %}}{{{{ {expression} }}}}{{% endfor %}}|"
        f"{{% autoescape off %}}{{{{ {expression} }}}}{{% endautoescape %}}|"
        f"{{% if {expression} %}}true{{% endif %}}|"
        f"{{% with v={expression} %}}{{{{ v }}}}{{% endwith %}}"
    )
    outcome = render.outcome(source, CONTEXT)
    assert outcome.error is not None or outcome.output.count("|") >= 4


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("{{ text|cut:'b' }}", "It&#x27;s &lt;&gt;old&lt;/&gt; &amp; more"),
        ("{{ list|join:', ' }}", "3, 1, 2"),
        ("{{ number|floatformat:1 }}", "12345.7"),
        ("{{ none|default:'<' }}{{ none|default:text|length }}", "<23"),
        ("{% for d in dicts|dictsort:'n' %}{{ d.s|upper }}{% endfor %}", "AB"),
        ("{% filter upper|cut:'E' %}one two{{ safe }}{% endfilter %}", "ON TWO<I>SAF</I>"),
        ("{{ list|first|add:list.1 }}", "4"),
        ("{{ words|truncatewords:list.2 }}", "the quick …"),
    ],
)
def test_some_by_heart(render, source, output):
    assert render(source, CONTEXT) == output


class TestArguments:
    def test_one_that_does_not_exist(self, render):
        outcome = render.outcome("a\n{{ words|cut:nothing }}", CONTEXT)
        assert type(outcome.error).__name__ == "VariableDoesNotExist"
        outcome = render.outcome(
            "{% for x in 'a' %}\n{{ words|cut:d.nothing }}{% endfor %}", CONTEXT
        )
        assert type(outcome.error).__name__ == "VariableDoesNotExist"

    def test_they_are_safe_when_literal(self, render):
        assert render("{{ none|default:'<' }}{{ none|default:text }}", CONTEXT).startswith(
            "<It&#x27;"
        )

    def test_they_may_be_loop_variables(self, render):
        source = (
            "{% for n in list %}{{ words|truncatewords:n }}{{ n|add:forloop.counter }},{% endfor %}"
        )
        assert render(source, CONTEXT) == "the quick brown …4,the …3,the quick …5,"

    def test_they_may_be_called(self, render):
        context = {"d": {"call": lambda: "x"}, "text": "axb"}
        assert (
            render(
                "{{ text|cut:d.call }}{% for y in 'a' %}{{ text|cut:d.call }}{% endfor %}", context
            )
            == "abab"
        )


class TestKinds:
    @pytest.mark.parametrize("a", ["", "a"])
    def test_plain(self, render, a):
        source = L + (
            "{{ text|%sexclaim }}{{ 1|%sexclaim:'?' }}{%% for x in 'x' %%}"
            "{{ x|%sexclaim:x }}{%% endfor %%}"
        )
        output = "It&#x27;s &lt;b&gt;bold&lt;/b&gt; &amp; more!1?xx"
        self.both(render, source.replace("%s", a).replace("%%", "%"), output, a)

    @pytest.mark.parametrize("a", ["", "a"])
    def test_is_safe(self, render, a):
        source = L + "{{ safe|%skeeps }}{{ text|cut:'b'|%skeeps }}"
        output = "<i>safe</i>.It&#x27;s &lt;&gt;old&lt;/&gt; &amp; more."
        self.both(render, source.replace("%s", a), output, a)

    @pytest.mark.parametrize("a", ["", "a"])
    def test_needs_autoescape(self, render, a):
        source = L + "{{ 1|%sescapes }}{% autoescape off %}{{ 1|%sescapes }}{% endautoescape %}"
        self.both(render, source.replace("%s", a), "1True1False", a)

    @pytest.mark.parametrize("a", ["", "a"])
    def test_expects_localtime(self, render, a):
        source = L + (
            "{% load tz %}{{ moment|%shour }}{% localtime off %}"
            "{{ moment|%shour }}{% endlocaltime %}"
        )
        with timezone.override("Asia/Tokyo"):
            self.both(render, source.replace("%s", a), "2314", a)

    @pytest.mark.parametrize("a", ["", "a"])
    def test_chained(self, render, a):
        source = L + (
            "{{ 'x'|%sexclaim|upper|%sexclaim:'?'|length }}"
            "{% if 'x'|%sexclaim == 'x!' %}y{% endif %}"
        )
        self.both(render, source.replace("%s", a), "3y", a)

    @pytest.mark.parametrize("a", ["", "a"])
    def test_in_the_filter_tag(self, render, a):
        source = L + "{% filter upper|%sexclaim %}x{% endfilter %}"
        self.both(render, source.replace("%s", a), "X!", a)

    def both(self, render, source, output, a):
        if not a:
            assert render(source, CONTEXT, libraries=LIBRARIES) == output
            return
        # A coroutine function is what stock cannot render.
        template = parse(source, libraries=LIBRARIES)
        assert run_async(arender_template, template, Context(dict(CONTEXT))) == output
        assert render_template(template, Context(dict(CONTEXT))) == output

    def test_that_fail(self, render):
        for source in ("a\n{{ 1|broken }}", "{% for x in 'a' %}\n{{ x|broken }}{% endfor %}"):
            with pytest.raises(ZeroDivisionError, match="in a filter"):
                render(L + source, libraries=LIBRARIES)

    async def test_that_fail_asynchronously(self):
        setup = SETUPS[0]._replace(debug=True)
        template = parse(L + "a\n{{ 1|abroken }}", libraries=LIBRARIES, setup=setup)
        with pytest.raises(ZeroDivisionError, match="in a filter") as caught:
            await arender_template(template, Context())
        assert caught.value.template_debug["line"] == 2

    def test_that_cannot_decode(self, render):
        """Stock writes nothing for a variable whose value raises a UnicodeDecodeError."""
        source = L + "[{{ 1|undecodable }}]{% for x in 'a' %}[{{ x|undecodable }}]{% endfor %}"
        assert render(source, libraries=LIBRARIES) == "[][]"

    def test_a_chain_that_cannot_decode(self, render):
        """Outside loops a variable with its filters is one call, in loops it is several."""
        source = (
            "[{{ text|lower|undecodable|upper }}{{ list.0|undecodable }}{{ missing|undecodable }}]"
        )
        source = L + source + "{% for x in 'a' %}" + source + "{% endfor %}"
        assert render(source, CONTEXT, libraries=LIBRARIES) == "[][]"

    def test_a_property_that_cannot_decode(self, render):
        class Broken:
            @property
            def text(self):
                return b"\xff".decode()

        source = "[{{ b.text }}]{% for x in 'a' %}[{{ b.text }}{{ b.text|upper }}]{% endfor %}"
        assert render(source, {"b": Broken()}) == "[][]"
        outcome = render.outcome("{% if b.text %}{% endif %}", {"b": Broken()})
        assert isinstance(outcome.error, UnicodeDecodeError)


@register.filter
def group_count(name):
    return Group.objects.filter(name=name).count()


@register.filter
def guarded(value):
    """Raise as Django's guard does, after it has looked at the value."""
    places.note("guarded")
    text = "".join(value)
    if places.on_loop():
        raise SynchronousOnlyOperation("on the loop")
    return f"{text} in a thread"


@register.filter
def takes(value, rows):
    """Go through the argument; the value is not looked at."""
    return list(rows)


@register.filter
def drains(value):
    """Empty a list and meet the guard on the way."""
    places.note("drains")
    taken = [value.pop()]
    if places.on_loop():
        raise SynchronousOnlyOperation("on the loop")
    while value:
        taken.append(value.pop())
    return "".join(taken)


@register.filter
def always(value):
    raise SynchronousOnlyOperation("always")


class TestWhatNeedsTheDatabase:
    """A filter of others belongs in the request's thread, before it meets Django's guard or after."""

    def setup_method(self):
        NOTES.clear()

    async def test_a_filter_that_queries(self, transactional_db):
        await Group.objects.acreate(name="g")
        template = parse(
            "{% load querying %}{{ 'g'|group_count }}", libraries={"querying": __name__}
        )
        assert await arender_template(template, Context()) == "1"

    async def places(self, source, values, policy, times=1):
        """Render some times; return the last output, and where the filter ran each time."""
        template = precompiled(
            parse(f"{{% load querying %}}{source}", libraries={"querying": __name__}, policy=policy)
        )
        places = []
        for _ in range(times):
            NOTES.clear()
            output = await arender_template(template, Context(values()))
            places.append([on_loop for _, on_loop, _ in NOTES])
        return output, places

    async def test_it_is_met_in_the_thread(self):
        ran = await self.places("{{ 'g'|guarded }}", dict, Policy())
        assert ran == ("g in a thread", [[False]])

    @pytest.mark.parametrize("policy", [Policy(trusted_after=0), Policy(sync_tags="inline")])
    async def test_on_the_loop_it_is_repeated_once(self, policy):
        """In the process, and not in each render."""
        ran = await self.places("{{ 'g'|guarded }}", dict, policy, times=3)
        assert ran == ("g in a thread", [[True, False], [False], [False]])

    @pytest.mark.parametrize(
        "policy", [Policy(), Policy(trusted_after=0), Policy(sync_tags="inline")]
    )
    @pytest.mark.parametrize("source", ["{{ rows|guarded }}", "{{ 'ab'|takes:rows|guarded }}"])
    async def test_what_goes_through_an_iterator_runs_once(self, source, policy):
        """An iterator cannot be put back, so that it is never on trial."""
        ran = await self.places(source, lambda: {"rows": iter("ab")}, policy)
        assert ran == ("ab in a thread", [[False]])

    async def test_a_list_is_put_back(self):
        ran = await self.places(
            "{{ rows|drains }},{{ rows|length }}",
            lambda: {"rows": ["a", "b"]},
            Policy(trusted_after=0),
        )
        assert ran == ("ba,0", [[True, False]])

    async def test_a_generator_is_gone_through_in_the_thread(self, transactional_db):
        await Group.objects.acreate(name="g")

        def names():
            for group in Group.objects.all():
                yield group.name

        context = Context({"names": names()})
        assert await arender_template(parse("{{ names|join:',' }}"), context) == "g"

    async def test_elsewhere_the_guards_error_is_raised(self):
        template = parse("{% load querying %}a\n{{ 'g'|always }}", libraries={"querying": __name__})
        with pytest.raises(SynchronousOnlyOperation, match="always"):
            await arender_template(template, Context())

    def test_by_blocking_it_just_runs(self, db):
        Group.objects.create(name="g")
        template = parse(
            "{% load querying %}{{ 'g'|group_count }}", libraries={"querying": __name__}
        )
        assert render_template(template, Context()) == "1"


class TestAwaitables:
    def test_values_and_arguments(self, render):
        async def value(result):
            return result

        def context():
            return {"text": value("a<b"), "n": value(2), "d": {"x": value("b")}}

        stock = {"text": "a<b", "n": 2, "d": {"x": "b"}}
        source = (
            "{{ text|cut:d.x }}{{ text|truncatechars:n }}{{ text|upper }}"
            "{% for x in 'a' %}{{ text|cut:d.x|cut:x }}{% endfor %}"
            "{% if text|length > n %}!{% endif %}"
        )
        assert render(source, context, stock=stock, waits=3) == "a&lt;a…A&lt;B&lt;!"

    async def test_chains(self):
        """In the midst of a chain, at its ends, of an awaitable, with text in the way."""

        async def value(result):
            return result

        class Thing:
            async def name(self):
                return "<n>"

        chains = {
            "{{ v|upper|aexclaim|lower }}": "&lt;v&gt;!",
            "{{ v|aexclaim|aexclaim:'?'|keeps }}": "&lt;v&gt;!?.",
            "{{ thing.name|akeeps|upper }}": "&lt;N&gt;.",
            "{{ thing.name|escapes|aescapes|upper }}": "&lt;N&gt;TRUETRUE",
            "{{ missing|aexclaim|upper }}": "!",
            "{{ moment|ahour|aexclaim }}": "14!",
            "{{ v|aundecodable|upper }}{{ v|aexclaim|undecodable }}": "",
        }
        for source, expected in chains.items():
            for text in (source, "{% for x in 'a' %}" + source + "{% endfor %}"):
                template = parse(L + text, libraries=LIBRARIES)
                coroutine = value("<v>")
                values = {"v": coroutine, "thing": Thing(), "moment": MOMENT}
                with timezone.override(datetime.UTC):
                    assert await arender_template(template, Context(values)) == expected, text
                coroutine.close()  # where it was not mentioned
