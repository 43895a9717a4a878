"""Blocks that are not there: stock shows nothing of them, or fails."""

import pytest
from django.template import Context
from jinja2 import TemplateError, TemplateRuntimeError, UndefinedError

from atemplates.lint.blocks import block_problems
from atemplates.lint.jinja2_blocks import jinja2_block_problems
from tests.lint.sites import django_site, jinja2_site, said

BASE = "a{% block title %}{% endblock %}{% if x %}{% block side %}{% endblock %}{% endif %}"
MIDDLE = "{% extends 'base.html' %}{% block title %}{% block inner %}{% endblock %}{% endblock %}"
OTHERS = {
    "base.html": BASE,
    "middle.html": MIDDLE,
    "part.html": "{% block of_part %}{% endblock %}",
    "includes.html": "{% include 'part.html' %}{% block own %}{% endblock %}",
    "dynamic.html": "{% extends parent %}",
    "loop.html": "{% extends 'loop2.html' %}",
    "loop2.html": "{% extends 'loop.html' %}",
    "missing.html": "{% extends 'none.html' %}",
}


def found_in(source):
    site, engine = django_site({"it.html": source, **OTHERS})
    return [said(each) for each in block_problems(site, "it.html", engine)]


def shown(source):
    _, engine = django_site({"it.html": source, **OTHERS})
    return "SHOWN" in engine.get_template("it.html").render(Context({"x": True}))


WRONG = {
    "{% extends 'base.html' %}\n {% block titel %}SHOWN{% endblock %}": (
        "it.html:2:11: no-such-block: the block 'titel' is never shown: 'base.html' has none of "
        "this name (did you mean 'title'?)"
    ),
    "{% extends 'middle.html' %}\n{% block zzz %}SHOWN{% block in_it %}{% endblock %}{% endblock %}": (
        "it.html:2:10: no-such-block: the block 'zzz' is never shown: 'middle.html' has none of "
        "this name"
    ),
    "{% extends 'includes.html' %}\n{% block of_part %}SHOWN{% endblock %}": (
        "it.html:2:10: no-such-block: the block 'of_part' is never shown: 'includes.html' has none "
        "of this name"
    ),
    "{% extends 'base.html' %}\n{% if x %}{% block zzz %}SHOWN{% endblock %}{% endif %}": (
        "it.html:2:20: no-such-block: the block 'zzz' is never shown: 'base.html' has none of this "
        "name"
    ),
}


@pytest.mark.parametrize("source", WRONG)
def test_a_block_that_no_template_further_up_has(source):
    assert found_in(source) == [WRONG[source]]
    assert not shown(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% extends 'base.html' %}{% block title %}SHOWN{% endblock %}",
        "{% extends 'base.html' %}{% block side %}SHOWN{% endblock %}",
        "{% extends 'base.html' %}{% block side %}{% block new %}SHOWN{% endblock %}{% endblock %}",
        "{% extends 'middle.html' %}{% block inner %}SHOWN{% endblock %}",
        "{% extends 'middle.html' %}{% block title %}SHOWN{% endblock %}",
        "{% extends 'includes.html' %}{% block own %}SHOWN{% endblock %}",
        "{% block any %}SHOWN{% endblock %}",
        "text only SHOWN",
    ],
)
def test_a_block_that_is_shown_is_left_alone(source):
    assert found_in(source) == []
    assert shown(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% extends parent %}{% block any %}{% endblock %}",
        "{% extends 'bas'|add:'e.html' %}{% block any %}{% endblock %}",
        "{% extends 'dynamic.html' %}{% block any %}{% endblock %}",
        "{% extends 'loop.html' %}{% block any %}{% endblock %}",
        "{% extends 'missing.html' %}{% block any %}{% endblock %}",
    ],
)
def test_what_is_known_only_when_it_renders_is_left_alone(source):
    assert found_in(source) == []


def test_a_template_that_extends_one_of_its_own_name(tmp_path):
    from django.template import Engine

    from atemplates.analysis.site.templates import read_site

    for folder, text in [
        ("first", "{% extends 'it.html' %}{% block a %}{% endblock %}{% block b %}{% endblock %}"),
        ("second", "{% block a %}{% endblock %}"),
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "it.html").write_text(text)
    engine = Engine(dirs=[tmp_path / "first", tmp_path / "second"])
    site = read_site(engine)
    assert site.problems == []
    (problem,) = block_problems(site, "it.html", engine)
    assert "the block 'b' is never shown" in problem.message


def test_blocks_of_a_package_may_be_for_another_base_template(tmp_path):
    from django.template import Engine

    from atemplates.analysis.site.templates import read_site

    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "base.html").write_text("")
    (folder / "it.html").write_text("{% extends 'base.html' %}{% block a %}{% endblock %}")
    engine = Engine(dirs=[folder])
    (problem,) = block_problems(read_site(engine), "it.html", engine)
    assert problem.is_possible


# -- Jinja2 ----------------------------------------------------------------------------------------

JINJA2_OTHERS = {
    **OTHERS,
    "requires.html": "{% block needed required %}{% endblock %}{% block other %}{% endblock %}",
    "gives.html": "{% extends 'requires.html' %}{% block needed %}{% endblock %}",
    "calls.html": "{% block a %}{% endblock %}{{ self.called() }}",
    "child_of_calls.html": "{% extends 'calls.html' %}{% block called %}SHOWN{% endblock %}",
    "maybe.html": "{% if x %}{% extends 'base.html' %}{% endif %}",
}


def jinja2_found(source, but="none.html"):
    others = {name: text for name, text in JINJA2_OTHERS.items() if name != but}
    site, environment = jinja2_site({"it.html": source, **others})
    return [said(each) for each in jinja2_block_problems(site, "it.html", environment)]


def jinja2_shown(source):
    _, environment = jinja2_site({"it.html": source, **JINJA2_OTHERS})
    return "SHOWN" in environment.get_template("it.html").render(x=True)


@pytest.mark.parametrize("source", WRONG)
def test_a_block_of_jinja2_that_no_template_further_up_has(source):
    assert jinja2_found(source) == [WRONG[source]]
    assert not jinja2_shown(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% extends 'base.html' %}{% block title %}SHOWN{% endblock %}",
        "{% extends 'base.html' %}{% block side scoped %}SHOWN{% endblock %}",
        "{% extends 'base.html' %}{% block side %}{% block new %}SHOWN{% endblock %}{% endblock %}",
        "{% extends 'middle.html' %}{% block inner %}SHOWN{% endblock %}",
        "{% extends 'middle.html' %}{% block title %}{{ super() }}SHOWN{% endblock %}",
        "{% extends 'calls.html' %}{% block called %}SHOWN{% endblock %}",
        "{% extends 'gives.html' %}{% block needed %}SHOWN{% endblock %}",
        "{% extends 'gives.html' %}{% block other %}SHOWN{% endblock %}",
        "{% extends 'base.html' %}{% block title %}{{ self.new() }}{% endblock %}"
        "{% block new %}SHOWN{% endblock %}",
        "{% block any %}SHOWN{% endblock %}{{ self.any() }}",
    ],
)
def test_a_block_of_jinja2_that_is_shown_is_left_alone(source):
    assert jinja2_found(source) == []
    assert jinja2_shown(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% extends parent %}{% block any %}{{ super() }}{% endblock %}",
        "{% extends ['none.html', 'base.html'] %}{% block any %}{% endblock %}",
        "{% extends 'maybe.html' %}{% block any %}{% endblock %}",
        "{% if x %}{% extends 'base.html' %}{% endif %}{% block any %}{{ super() }}{% endblock %}",
        "{% extends 'missing.html' %}{% block any %}{% endblock %}",
        "{% extends 'loop.html' %}{% block any %}{% endblock %}",
    ],
)
def test_what_jinja2_knows_only_when_it_renders_is_left_alone(source):
    assert jinja2_found(source) == []


JINJA2_FAILING = {
    "{% block a %}\n{{ super() }}{% endblock %}": (
        "it.html:2:4: no-such-block: super() of the block 'a' fails: no template further up has it"
    ),
    "{% extends 'base.html' %}{% block title %}{% block a %}\n{{ super() }}{% endblock %}{% endblock %}": (
        "it.html:2:4: no-such-block: super() of the block 'a' fails: no template further up has it"
    ),
    "{% block title %}{% endblock %}\n{{ self.titel() }}": (
        "it.html:2:9: no-such-block: self.titel() fails: no template has a block of this name "
        "(did you mean 'title'?)"
    ),
    "{% extends 'requires.html' %}": (
        "it.html:1:4: no-such-block: the block 'needed' is missing, which 'requires.html' requires"
    ),
}


@pytest.mark.parametrize("source", JINJA2_FAILING)
def test_what_fails_in_jinja2_for_want_of_a_block(source):
    # One whose parent is known only when it renders may extend this one.
    assert jinja2_found(source, but="dynamic.html") == [JINJA2_FAILING[source]]
    with pytest.raises((UndefinedError, TemplateRuntimeError)):
        jinja2_shown(source)


def test_a_template_that_others_may_extend_may_leave_a_required_block_to_them():
    templates = {
        "it.html": "{% extends 'requires.html' %}",
        "child.html": "{% extends 'it.html' %}{% block needed %}{% endblock %}",
    }
    for others in (JINJA2_OTHERS, {"requires.html": JINJA2_OTHERS["requires.html"]}):
        site, environment = jinja2_site({**templates, **others})
        assert list(jinja2_block_problems(site, "it.html", environment)) == []


def test_a_block_that_only_a_child_has_may_be_called():
    site, environment = jinja2_site(JINJA2_OTHERS)
    assert list(jinja2_block_problems(site, "calls.html", environment)) == []
    assert "SHOWN" in environment.get_template("child_of_calls.html").render()
    with pytest.raises(TemplateError):
        environment.get_template("calls.html").render()
