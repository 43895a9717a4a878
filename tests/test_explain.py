"""``manage.py atemplates explain``: what it prints, and what it says when it cannot."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.template import Library, engines
from django.template.base import Node, NodeList, Parser, Template, Token
from django.template.context import Context

from atemplates.compiler.explain import explain_template, node_lists
from atemplates.engines.django import DjangoTemplates
from atemplates.placement import records
from atemplates.runtime.policy import Policy

register = Library()


class BoxNode(Node):
    """A foreign block tag."""

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        return f"[{self.nodelist.render(context)}]"


@register.tag
def box(parser: Parser, token: Token) -> BoxNode:
    """{% box %}…{% endbox %}"""
    nodelist = parser.parse(("endbox",))
    parser.delete_first_token()
    return BoxNode(nodelist)


@register.simple_tag
def weather(place: str) -> str:
    """A foreign simple tag."""
    return f"rain in {place}"


OURS = "atemplates.engines.django.DjangoTemplates"
UNTIL = "in the request's thread until it has been quick three times"
BLOCK = "in the request's thread, with all that stands inside"
BASE = "<html>\n{% block content %}{% endblock %}\n</html>\n"
PAGE = """{% extends "base.html" %}{% load boxes %}
{% block content %}
<h1>{{ book.title }}</h1>
{% for tag in book.tags %}{{ tag.name|upper }}{% endfor %}
{% box %}<i>{{ inside }}</i>{% endbox %}
{% weather "York" %}
{% endblock %}
"""


@pytest.fixture
def site(tmp_path: Path, settings: Any) -> Path:
    """A folder of templates, and an engine for it."""
    settings.TEMPLATES = [
        engine("django.template.backends.django.DjangoTemplates", tmp_path, "stock"),
        engine("atemplates.engines.django.DjangoTemplates", tmp_path, "ours"),
        engine(
            "atemplates.engines.django.DjangoTemplates", tmp_path, "inline", inline_tags=["boxes"]
        ),
    ]
    (tmp_path / "base.html").write_text(BASE)
    (tmp_path / "page.html").write_text(PAGE)
    return tmp_path


def engine(backend: str, folder: Path, name: str, **options: Any) -> dict[str, Any]:
    """Return an entry of TEMPLATES."""
    libraries = {"boxes": "tests.test_explain"}
    return {
        "BACKEND": backend,
        "NAME": name,
        "DIRS": [folder],
        "OPTIONS": {"libraries": libraries, **options},
    }


def run(*arguments: str) -> str:
    """Run ``manage.py atemplates explain`` and return what it prints."""
    output = StringIO()
    call_command("atemplates", "explain", *arguments, stdout=output)
    return output.getvalue()


def row(output: str, text: str) -> str:
    """Return the only line of the output that holds a text."""
    (found,) = [line for line in output.splitlines() if text in line]
    return found


def said(output: str) -> dict[str, str]:
    """Return where foreign tags are said to run, by name."""
    found = re.findall(
        r"^Foreign: {% (\w+).*%}, line \d+ \(tests.test_explain\): (.*)\.$", output, re.M
    )
    return dict(found)


@pytest.mark.usefixtures("site")
def test_code_stands_beside_the_template_line():
    output = run("page.html")
    assert "   3  <h1>{{ book.title }}</h1>" in output
    after = output.partition("   3  <h1>")[2].partition("\n   4  ")[0]
    assert "render_variable(state, context" in after
    assert "== block content " in output


@pytest.mark.usefixtures("site")
def test_places_where_it_may_wait_are_marked():
    lines = run("page.html").splitlines()
    code = [line for line in lines if "|" in line]
    assert any("yield from" in line for line in code)
    for line in code:
        marks, _, source = line.partition("|")[2].partition("|")
        assert (marks[0] in "WS") == ("yield from" in source or "yield Wait" in source), line


STREAMED = """{% extends "base.html" %}{% load boxes cache %}
{% block content %}
{{ a }}
{% filter cut:b %}
{{ a }}
{% for x in rows %}
{{ x }}{% endfor %}{% endfilter %}
{% for x in rows %}{% ifchanged %}
{{ x }}{% else %}
{{ a }}{% endifchanged %}{% endfor %}
{{ block.super }}
{% cache seconds key %}
{{ a }}{% block inner %}
{{ a }}{% endblock %}{% endcache %}
{% box %}
{{ a }}{% endbox %}
{% if a %}
{{ a }}{% endif %}
{% endblock %}
"""
HOLDING = {
    "{% filter cut:b %}, line 4": {5, 6, 7},
    "{% ifchanged %}, line 8": {9},
    "{% cache seconds key %}, line 12": {13, 14},
    "{% box %}, line 15": {16},
}


def test_where_a_streamed_page_is_sent(site):
    """A wait is marked with S where what stands before it is sent, with W where it is held back."""
    (site / "page.html").write_text(STREAMED)
    output = run("page.html")
    template = engines["ours"].get_template("page.html").template
    waits = [
        line
        for section in explain_template(template, Policy())
        for line in section.lines
        if line.waits
    ]
    sent = {line.line for line in waits if not line.held}
    assert sent == {1, 3, 4, 8, 10, 11, 12, 15, 17, 18}
    for holder, lines in HOLDING.items():
        assert {line.line for line in waits if line.held == holder} == lines, holder
    assert {line.held for line in waits} == {"", *HOLDING}
    assert output.count(" |S") == sum(not line.held for line in waits)
    assert output.count(" |W") == sum(bool(line.held) for line in waits)
    assert f"\nStreamed, it is sent at {output.count(' |S')} of them.\n" in output
    holding = list(HOLDING)
    holding.insert(2, "{{ block.super }}, line 11")
    assert f"\nHeld back until it is whole: {'; '.join(holding)}.\n" in output


def test_a_page_that_is_sent_at_each_of_them_says_nothing_more(site):
    output = run("base.html")
    assert " |S" in output
    assert " |W" not in output
    assert "Held back" not in output
    assert "Streamed" not in output


@pytest.mark.usefixtures("site")
def test_foreign_nodes_are_marked_and_named():
    output = run("page.html")
    assert "| T|" in row(output, "render_foreign(")
    assert "| T|" in row(output, "simple_text(")
    assert "T|" not in row(output, "apply_stock(")
    assert said(output) == {"box": BLOCK, "weather": UNTIL}
    assert "A page that has to go to the thread goes there once, however many" in output
    assert "inline_tags" not in output
    assert "What was learned" not in output
    assert "== inside {% box %}, line 5 " in output


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("options", "weather_runs"),
    [
        ({"inline_tags": ["boxes"]}, "on the loop, as OPTIONS say"),
        ({"sync_tags": "inline"}, "on the loop, as OPTIONS say"),
        ({"sync_tags": "thread"}, "in the request's thread, as OPTIONS say"),
        ({"sync_tags": "thread", "inline_tags": ["boxes"]}, "on the loop, as OPTIONS say"),
        ({"inline_tags": ["i18n"]}, UNTIL),
    ],
)
def test_what_options_say_of_the_place(options, weather_runs, settings, site):
    settings.TEMPLATES = [engine(OURS, site, "ours", **options)]
    output = run("page.html")
    assert said(output) == {"box": BLOCK, "weather": weather_runs}
    mark = "| L|" if "on the loop" in weather_runs else "| T|"
    assert mark in row(output, "simple_text(")


RUNS = {
    "quick": ([(0.00008, False)] * 12, "learned: on the loop (12 runs, slowest 0.08 ms)"),
    "begun": ([(0.00008, False)], f"{UNTIL} (1 so far)"),
    "asks": ([(0.00008, True)], "learned: in the thread, because it asks the database"),
    "slow": (
        [(0.02, False)] * 3,
        "learned: in the thread, because it took long (slowest 20.00 ms)",
    ),
}


@pytest.mark.parametrize("runs", RUNS)
@pytest.mark.parametrize("options", [{}, {"inline_tags": ["boxes"]}], ids=["auto", "inline"])
def test_what_was_learned_in_another_process(runs, options, settings, site, monkeypatch):
    monkeypatch.setattr(records, "QUICK", 0.0005)
    file = site / "learned.json"
    noted, expected = RUNS[runs]
    for seconds, asked in noted:
        records.function_record(weather).note(seconds, asked)
    records.save(file)
    records.RECORDS.clear()
    before = file.read_bytes()
    settings.TEMPLATES = [engine(OURS, site, "ours", learned=file, **options)]
    output = run("page.html")
    records.save_all()
    assert file.read_bytes() == before
    if options and runs in ("quick", "begun"):
        expected = "on the loop, as OPTIONS say"
    assert said(output) == {"box": BLOCK, "weather": expected}
    listed = output.partition("What was learned of code of others, in all templates:\n")[2]
    if runs == "begun":
        assert listed == ""
    else:
        learned = RUNS[runs][1].removeprefix("learned: ")
        assert listed == f"  tests.test_explain.weather: {learned}\n"


def test_code_that_needs_a_loop(settings, site, monkeypatch):
    monkeypatch.setattr(records, "names_loop", lambda code: code is weather)
    assert said(run("page.html"))["weather"] == (
        "learned: on the loop, because it needs one that is running"
    )


def test_no_more_functions_are_listed_than_people_read(site):
    for number in range(60):
        records.function_record(f"function {number}").note(0.0, True)
    lines = run("base.html").splitlines()
    assert sum("because it asks the database" in line for line in lines) == 50
    assert lines[-1] == "  and 10 more functions"


@pytest.mark.usefixtures("site")
def test_a_template_without_foreign_nodes_says_so():
    output = run("base.html")
    assert "No foreign nodes." in output
    assert "1 place where it may wait, in 1 plan." in output


def test_parents_are_named(site):
    (site / "third.html").write_text('{% extends "page.html" %}')
    assert "extends page.html\nextends base.html\n" in run("third.html")
    assert "extends base.html\n" in run("page.html")


def test_a_parent_chosen_at_render_time_is_said_to_be(site):
    (site / "third.html").write_text("{% extends layout %}")
    assert "extends what layout holds when it is rendered" in run("third.html")


def test_a_template_may_extend_another_of_its_own_name(site, settings):
    other = site / "other"
    other.mkdir()
    (other / "base.html").write_text('{% extends "base.html" %}')
    settings.TEMPLATES = [
        {**settings.TEMPLATES[1], "DIRS": [other, site]},
    ]
    output = run("base.html")
    assert f"base.html  ({other / 'base.html'})\nextends base.html\nS, W  " in output


def test_a_template_that_does_not_exist(site):
    with pytest.raises(CommandError) as caught:
        run("missing.html")
    assert "The template 'missing.html' does not exist (engine 'ours'). Tried:" in str(caught.value)
    assert str(site / "missing.html") in str(caught.value)


def test_a_parent_that_does_not_exist(site):
    (site / "orphan.html").write_text('{% extends "missing.html" %}')
    with pytest.raises(CommandError, match=r"The template 'missing\.html' does not exist"):
        run("orphan.html")


def test_a_template_that_does_not_parse(site):
    (site / "broken.html").write_text("<p>\n\n{% if %}{% endif %}")
    with pytest.raises(CommandError) as caught:
        run("broken.html")
    assert str(caught.value).startswith(f"{site / 'broken.html'}, line 3: ")


@pytest.mark.usefixtures("site")
def test_engines_that_cannot_be_explained():
    with pytest.raises(CommandError, match=r"no template engine 'none' in TEMPLATES\. Known: st"):
        run("page.html", "--engine", "none")
    with pytest.raises(CommandError, match=r"expected an atemplates\.engines\.django"):
        run("page.html", "--engine", "stock")


def test_no_engine_of_ours(settings, tmp_path):
    settings.TEMPLATES = [engine("django.template.backends.django.DjangoTemplates", tmp_path, "s")]
    with pytest.raises(CommandError, match="No TEMPLATES entry has the BACKEND"):
        run("page.html")


def test_a_subcommand_is_required():
    with pytest.raises(CommandError, match="SUBCOMMAND"):
        call_command("atemplates")


def test_every_plan_of_a_template_is_found(site):
    backend = DjangoTemplates(
        {
            "NAME": "x",
            "DIRS": [site],
            "APP_DIRS": False,
            "OPTIONS": {"libraries": {"boxes": "tests.test_explain"}},
        }
    )
    template = backend.engine.get_template("page.html")
    assert [title for title, _ in node_lists(template)] == [
        "template",
        "block content",
        "inside {% box %}, line 5",
    ]


def test_the_shown_code_is_the_code_that_runs():
    """Every constant that the code refers to is listed, and the code compiles."""
    template = Template("{% for a in b %}{{ a.c|upper }}{% if a %}x{% endif %}{% endfor %}")
    (section,) = explain_template(template, Policy())
    source = "\n".join(line.code for line in section.lines)
    code = compile(source, "shown", "exec")
    names = {name for constant in code.co_consts for name in getattr(constant, "co_names", ())}
    assert set(section.constants) <= names
    assert all(line.line in (None, 1) for line in section.lines)


CERTAIN = """{% extends "base.html" %}
{% block content %}
{% for book in books %}{{ book.title }}{% endfor %}
{% if authors and others %}{% include "part.html" with rows=pages.last only %}{% endif %}
{% include "part.html" with rows=pages %}{% include "absent.html" %}{{ never|length }}
{% endblock %}
"""
STARTS = "books (line 3), authors (line 4), pages (line 1 of part.html)"


@pytest.mark.parametrize(
    ("parallel", "said"),
    [
        (4, f"Starts together at the beginning, where it is a queryset: {STARTS}."),
        (1, f"would start together at the beginning, where they are querysets: {STARTS}."),
    ],
)
def test_what_starts_together(parallel, said, settings, site):
    settings.TEMPLATES = [engine(OURS, site, "ours", parallel=parallel)]
    (site / "page.html").write_text(CERTAIN)
    (site / "part.html").write_text("{{ rows|length }}")
    assert row(run("page.html"), "together at the").endswith(said)


@pytest.mark.parametrize("source", ["{{ a.count }}", "{% load boxes %}{{ a|first }}", ""])
def test_where_nothing_starts_together(source, settings, site):
    settings.TEMPLATES = [engine(OURS, site, "ours", parallel=4)]
    (site / "page.html").write_text(source)
    assert "together at the" not in run("page.html")


def test_what_others_load_is_not_said_to_start(settings, site):
    settings.TEMPLATES = [engine(OURS, site, "ours", parallel=4)]
    source = "{% load boxes %}{% weather a %}{{ a|length }}{{ a.b|length }}{{ b|length }}"
    (site / "page.html").write_text(source)
    assert row(run("page.html"), "together at the").endswith("queryset: b (line 1).")
