"""``manage.py atemplates compile``: fills the folder of OPTIONS["plan_cache"], and checks it."""

import asyncio
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.template import engines
from django.test import override_settings

from atemplates.compiler.module import CACHE_ATTRIBUTE, Module

TEXTS = {
    "base.html": "{% load i18n %}<b>{% block body %}{% endblock %}</b>{{ a|upper }}",
    "page.html": "{% extends 'base.html' %}{% block body %}{% include 'part.html' %}{% endblock %}",
    "part.html": "{% for x in rows %}{{ x }}{% endfor %}",
}
DJANGO = "atemplates.engines.django.DjangoTemplates"


@pytest.fixture
def site(tmp_path):
    """A folder of templates, and a site that keeps their code in another."""
    folder = tmp_path / "templates"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    entry = {
        "BACKEND": DJANGO,
        "DIRS": [folder],
        "OPTIONS": {"plan_cache": tmp_path / "plans"},
    }
    with override_settings(TEMPLATES=[entry, {"BACKEND": DJANGO, "NAME": "other"}]):
        yield tmp_path


def run(*arguments):
    """Return the exit code and what was printed."""
    out = StringIO()
    try:
        call_command("atemplates", "compile", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + f"\n{error}"
    return 0, out.getvalue()


def again():
    """Begin as another process does: nothing is parsed yet."""
    engines["django"].engine.template_loaders[0].reset()


def test_compiling_and_checking(site):
    code, text = run("--check")
    assert code == 1
    assert f"{site / 'templates' / 'page.html'}: its code is missing or stale." in text
    assert "3 templates is missing or stale" in text.replace("the code of ", "")
    assert not (site / "plans").exists()
    assert run() == (
        0,
        f"'django': 3 templates, {site / 'plans'}: 0 node lists up to date, 4 compiled.\n",
    )
    again()
    code, text = run("--check")
    assert (code, "4 node lists up to date, 0 missing." in text) == (0, True)


def test_a_render_afterwards_compiles_nothing(site, monkeypatch):
    run()
    again()
    monkeypatch.setattr(Module, "source", None)
    template = engines["django"].get_template("page.html")
    assert template.render({"rows": [1, 2], "a": "x"}) == "<b>12</b>X"


async def streamed(name, values):
    template = engines["django"].get_template(name)
    return "".join([chunk async for chunk in template.stream_async(values)])


@pytest.mark.parametrize("rendered_first", [False, True])
def test_a_stream_afterwards_compiles_nothing(site, monkeypatch, rendered_first):
    assert "8 compiled" in run("--streamed")[1]
    assert run("--check", "--streamed")[0] == 0
    again()
    monkeypatch.setattr(Module, "source", None)
    values = {"rows": [1, 2], "a": "x"}
    if rendered_first:
        assert engines["django"].get_template("page.html").render(values) == "<b>12</b>X"
    assert asyncio.run(streamed("page.html", values)) == "<b>12</b>X"


def test_what_is_streamed_is_compiled_where_it_is_asked_for(site):
    run()
    again()
    code, text = run("--check", "--streamed")
    assert code == 1
    assert "Run: manage.py atemplates compile --streamed" in text
    run("--streamed")
    again()
    assert "4 node lists up to date, 0 missing." in run("--check")[1]
    again()
    assert "unused files removed" in run("--prune")[1]
    again()
    assert run("--check", "--streamed")[0] == 1


def test_a_changed_template_is_stale_until_it_is_compiled(site):
    run()
    (site / "templates" / "part.html").write_text("{{ rows }}")
    again()
    code, text = run("--check")
    assert code == 1
    assert f"{site / 'templates' / 'part.html'}: its code is missing or stale." in text
    assert "page.html: its" not in text
    assert "1 compiled" in run()[1]
    assert run("--check")[0] == 0


def test_pruning(site):
    run()
    (site / "templates" / "part.html").write_text("{{ rows }}")
    (site / "plans" / "notes.txt").write_text("not ours")
    again()
    code, text = run("--prune")
    assert (code, "1 unused file removed." in text) == (0, True)
    assert len(list((site / "plans").iterdir())) == 5
    assert run("--check", "--prune")[0] == 0


@pytest.mark.parametrize("arguments", [[], ["--check"], ["--prune"]])
def test_a_template_that_does_not_parse_is_named_with_its_line(site, arguments):
    run()
    (site / "templates" / "part.html").write_text("\n\n{% for %}")
    again()
    code, text = run(*arguments)
    assert code == 1
    assert f"{site / 'templates' / 'part.html'}:3: " in text
    assert "1 problem" in text
    assert len(list((site / "plans").iterdir())) == 4


def test_a_template_that_does_not_compile_is_named(site, monkeypatch):
    def refuse(self, *args):
        raise ValueError("no code")

    monkeypatch.setattr(Module, "_compiled", refuse)
    code, text = run()
    assert code == 1
    assert f"{site / 'templates' / 'part.html'}: does not compile: ValueError: no code" in text


def test_the_engine_keeps_its_own_cache(site):
    before = getattr(engines["django"].engine, CACHE_ATTRIBUTE)
    run()
    assert getattr(engines["django"].engine, CACHE_ATTRIBUTE) is before
    assert before.stored == 0


def test_an_engine_without_a_folder(site):
    assert run("--engine", "django")[0] == 0
    code, text = run("--engine", "other")
    assert (code, text) == (1, "\nNo TEMPLATES entry of ours has OPTIONS['plan_cache'].")
