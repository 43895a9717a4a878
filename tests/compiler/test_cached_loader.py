"""What is found of an engine's loaded templates without asking the engine."""

import pytest
from django.template import Context, Engine, TemplateDoesNotExist
from django.utils.safestring import SafeString

from atemplates.compiler.cached_loader import template_at_hand
from atemplates.engines.django import arender_template, render_template
from tests.rendering import SETUPS, new_engine

TEMPLATES = {"a": "A{{ x }}", "dir/b": "{% include './c' %}{% include '../a' %}", "dir/c": "C"}


class OwnEngine(Engine):
    pass


@pytest.mark.parametrize("name", ["a", SafeString("a"), "dir/b"])
def test_a_loaded_template_is_what_the_engine_gives(name):
    engine = new_engine(TEMPLATES)
    assert template_at_hand(engine, name) is None
    loaded = engine.get_template(name)
    assert template_at_hand(engine, name) is loaded
    for loader in engine.template_loaders:
        loader.reset()
    assert template_at_hand(engine, name) is None


def test_what_is_left_to_the_engine():
    engine = new_engine(TEMPLATES, SETUPS[1])  # nothing is cached
    engine.get_template("a")
    assert template_at_hand(engine, "a") is None
    engine = new_engine(TEMPLATES)
    with pytest.raises(TemplateDoesNotExist):
        engine.get_template("absent")
    for name in ("absent", "a#part", "", None, 7, ("a",)):
        assert template_at_hand(engine, name) is None
    own = OwnEngine(loaders=engine.loaders)
    own.get_template("a")
    assert template_at_hand(own, "a") is None


@pytest.mark.parametrize("source", ["{% include 'a' %}{% include name %}", "{% include 'dir/b' %}"])
async def test_includes_after_a_reset(source):
    """A template that was loaded anew is the one that is included."""
    templates = dict(TEMPLATES)
    engine = new_engine({**templates, "main": source})
    loader = engine.template_loaders[0]
    main = engine.get_template("main")
    values = {"x": 1, "name": "dir/c"}
    for text in ("A{{ x }}", "new {{ x }}"):
        loader.loaders[0].templates_dict["a"] = text
        loader.reset()
        expected = main.render(Context(values))
        assert text[:1] in expected
        for _ in range(2):
            assert render_template(main, Context(values)) == expected
            assert await arender_template(main, Context(values)) == expected
