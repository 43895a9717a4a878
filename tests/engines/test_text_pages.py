"""Pages that are nothing but text: no plan runs, and nobody can tell."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template.backends.django import DjangoTemplates as StockTemplates
from django.test import RequestFactory
from django.utils.safestring import SafeString

from atemplates.compiler import templates
from atemplates.engines import native
from atemplates.engines.django import DjangoTemplates
from atemplates.runtime.state import STATE_ATTRIBUTE
from tests.rendering import run_async

TEXT = "<p>text</p>{# a comment #} & more\n"


def engine(kind=DjangoTemplates, **options):
    return kind({"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})


@pytest.fixture
def shipped(monkeypatch):
    """Django's methods as they are outside tests, which replace one to send a signal."""
    monkeypatch.setattr(
        templates, "SHIPPED", (templates.Template.render, templates.Template._render)
    )


@pytest.fixture
def no_states(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("no render should begin")

    monkeypatch.setattr(native, "new_state", refuse)


@pytest.fixture
def page():
    template = engine().from_string(TEXT)
    template.render({})
    return template


@pytest.mark.parametrize("context", [None, {}, {"a": 1}])
def test_text(shipped, page, no_states, context):
    expected = engine(StockTemplates).from_string(TEXT).render(context)
    for text in (page.render(context), run_async(page.render_async, context)):
        assert (text, type(text)) == (expected, SafeString)


def test_coroutines_are_closed(shipped, page, no_states):
    async def value():
        raise AssertionError("nobody awaits it")

    coroutines = [value(), value()]
    page.render({"a": coroutines[0]})
    run_async(page.render_async, {"a": coroutines[1]})
    assert [each.cr_frame for each in coroutines] == [None, None]


def test_a_context_that_is_no_dict(shipped, page):
    with pytest.raises(TypeError, match="context must be a dict"):
        page.render([1])


def test_a_wrong_policy(shipped, page):
    with pytest.raises(ValueError, match="relations"):
        page.render({}, relations="wrong")
    assert page.render({}, relations="fetch") == page.render({})


def test_context_processors_run(shipped):
    seen = []

    def processor(request):
        seen.append(request)
        return {}

    page = engine().from_string(TEXT)
    page.template.engine.__dict__["template_context_processors"] = (processor,)
    request = RequestFactory().get("/")
    for _ in range(2):
        page.render({}, request)
    assert seen == [request, request]


def test_the_signal_of_tests_is_sent(page):
    from django.test.signals import template_rendered

    seen = []

    def note(sender, template, context, **kwargs):
        seen.append(template)

    template_rendered.connect(note)
    try:
        page.render({})
    finally:
        template_rendered.disconnect(note)
    assert seen == [page.template]


def test_other_pages_are_rendered(shipped, monkeypatch):
    page = engine().from_string("text{{ x }}")
    assert [page.render({"x": each}) for each in "ab"] == ["texta", "textb"]
    assert run_async(page.render_async, {"x": "<"}) == "text&lt;"


def test_a_bound_context_is_refused(shipped):
    page = engine().from_string("text{{ x }}")
    page.render({})
    context = native.Context({"x": 1})
    with context.bind_template(page.template):
        assert native.render_natively(page.template, context) == "text1"
    assert native.render_natively(page.template, context) == "text1"
    assert context.template is None
    assert len(context.render_context.dicts) == 1


@pytest.mark.parametrize("fails", [True, False])
def test_a_context_is_as_before_after_an_error(shipped, fails):
    class Value:
        def __str__(self):
            if fails:
                raise ImproperlyConfigured
            return "x"

    page = engine().from_string("text{{ x }}")
    context = native.Context({"x": Value()})
    for _ in range(2):
        try:
            native.render_natively(page.template, context)
        except ImproperlyConfigured:
            assert fails
        assert context.template is None
        assert STATE_ATTRIBUTE not in vars(context)
        assert len(context.render_context.dicts) == 1
