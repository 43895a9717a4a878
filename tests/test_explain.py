"""``manage.py atemplates explain``: what it prints, and what it says when it cannot."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.template import Library
from django.template.base import Node, NodeList, Parser, Template, Token
from django.template.context import Context

from atemplates.compiler.explain import explain, node_lists
from atemplates.engines.django import DjangoTemplates
from atemplates.state import Policy

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


@pytest.mark.usefixtures("site")
def test_code_stands_beside_the_template_line():
    output = run("page.html")
    assert "   3  <h1>{{ book.title }}</h1>" in output
    after = output.partition("   3  <h1>")[2].partition("\n   4  ")[0]
    assert "show(state, context" in after
    assert "== block content " in output


@pytest.mark.usefixtures("site")
def test_places_where_it_may_wait_are_marked():
    lines = run("page.html").splitlines()
    code = [line for line in lines if "|" in line]
    assert any("yield from" in line for line in code)
    for line in code:
        marks, _, source = line.partition("|")[2].partition("|")
        assert ("W" in marks) == ("yield from" in source or "yield Wait" in source), line


@pytest.mark.usefixtures("site")
def test_foreign_nodes_are_marked_and_named():
    output = run("page.html")
    assert "| T|" in row(output, "render_foreign(")
    assert "| T|" in row(output, "call_tag(")
    assert "T|" not in row(output, "apply_stock(")
    assert "Foreign: {% box %}, line 5 (tests.test_explain) runs in the request's thread" in output
    assert 'Foreign: {% weather "York" %}, line 6 (tests.test_explain) runs in the' in output
    assert "== inside {% box %}, line 5 " in output


@pytest.mark.usefixtures("site")
def test_inline_tags_are_said_to_run_on_the_loop():
    output = run("page.html", "--engine", "inline")
    assert "Foreign: {% box %}, line 5 (tests.test_explain) runs on the event loop" in output


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
    assert f"base.html  ({other / 'base.html'})\nextends base.html\nW  " in output


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
    (section,) = explain(template, Policy())
    source = "\n".join(line.code for line in section.lines)
    code = compile(source, "shown", "exec")
    names = {name for constant in code.co_consts for name in getattr(constant, "co_names", ())}
    assert set(section.constants) <= names
    assert all(line.line in (None, 1) for line in section.lines)
