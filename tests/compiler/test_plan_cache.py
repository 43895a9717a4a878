"""Compiled code that is kept for other processes: found again, never believed when it is not ours."""

import logging
import os
import stat
import tempfile
import threading
from functools import partial, wraps
from pathlib import Path

import pytest
from django.template import Context, Library, base, engine
from django.template.defaultfilters import upper
from django.utils.safestring import SafeString

from atemplates.compiler import plan_cache
from atemplates.compiler.module import CACHE_ATTRIBUTE, Module
from atemplates.compiler.plan import plan_of
from atemplates.compiler.plan_cache import PlanCache
from atemplates.compiler.runtime_names import RUNTIME
from atemplates.compiler.stored_constants import Describer, Undescribable, restore
from atemplates.compiler.texts import template_text
from atemplates.engines.django import render_template
from atemplates.runtime.waits import Kind
from benchmarks.matrix.catalogue import installed_constructs
from tests.rendering import MAIN, PlansInMemory, new_engine

SOURCE = (
    "{% load i18n %}{{ a }}{{ a.b|upper|default:'x' }}{% for x in rows %}{{ x.y }}"
    "{{ x|default:_('No') }}{% endfor %}{% if a == 'q' and not b %}1{% endif %}{% cycle 'a' 'b' %}"
    "{% block one %}{{ a }}{% translate 'Yes' %}{% endblock %}"
)
VALUES = {"a": "<q>", "rows": [{"y": 1}, "", "<"]}
LIBRARIES = {
    "lib": "tests.compiler.foreign_tags",
    "matrix_tags": "benchmarks.templatetags.matrix_tags",
}


def load(source, cache=None, **options):
    """Parse a template whose engine keeps code in a cache."""
    made = new_engine({MAIN: source}, **options)
    setattr(made, CACHE_ATTRIBUTE, cache)
    return made.get_template(MAIN)


def rendered_by(cache, source=SOURCE, **options):
    return render_template(load(source, cache, **options), Context(dict(VALUES)))


@pytest.fixture
def compilings(monkeypatch):
    """The titles of what is compiled while the test runs."""
    found = []
    real = Module._compiled

    def noting(self, *args):
        found.append(self.name)
        return real(self, *args)

    monkeypatch.setattr(Module, "_compiled", noting)
    return found


def test_another_process_compiles_nothing(tmp_path, compilings):
    wanted = rendered_by(None)
    first = rendered_by(PlanCache(tmp_path))
    assert first == wanted
    compilings.clear()
    assert rendered_by(PlanCache(tmp_path)) == wanted
    assert compilings == []


def test_a_template_without_a_loader_is_not_kept(tmp_path):
    made = new_engine({})
    setattr(made, CACHE_ATTRIBUTE, PlanCache(tmp_path))
    render_template(made.from_string("{{ a }}"), Context())
    assert list(tmp_path.iterdir()) == []


UNKEPT = set()
"""The constructs whose code cannot be kept."""


def test_the_code_of_every_construct_is_kept():
    unkept = set()
    for construct in installed_constructs():
        cache = PlansInMemory()
        template = load(construct.django_source, cache, libraries=LIBRARIES)
        plan_of(template.nodelist, template)
        if not cache.stored:
            unkept.add(construct.label)
    assert unkept == UNKEPT


@pytest.mark.parametrize(
    "other",
    [
        "{{ a }} ",
        "\n{{ a }}",
        "{{ b }}",
        "{{ a.a }}",
        "{{ a|upper }}",
        "{{ a|default:'1' }}",
        "{{ a|default:1 }}",
        "{{ 'a' }}",
        "{% firstof a %}",
        "{% if a %}{{ a }}{% endif %}",
        "{% block a %}{{ a }}{% endblock %}",
    ],
)
def test_other_sources_have_other_keys(other):
    keys = {cache_key(load(source)) for source in ("{{ a }}", other)}
    assert len(keys) == 2


def cache_key(template, *names):
    return PlanCache(Path("x")).key(template.nodelist, *names).digest


def test_the_same_source_has_the_same_key():
    assert cache_key(load(SOURCE)) == cache_key(load(SOURCE))
    assert cache_key(load(SOURCE)) != cache_key(load(SOURCE), "another title")


def filters_like_upper():
    """Filters that go by the name of Django's, and each of which needs other code."""

    def localised(value):
        return value

    localised.expects_localtime = True

    def escaping(value, autoescape=True):
        return value

    escaping.needs_autoescape = True
    return [upper, wraps(upper)(lambda value: value), localised, escaping, lambda value: value * 2]


def test_a_filter_of_the_same_name_is_another_one():
    keys = set()
    for function in filters_like_upper():
        library = Library()
        library.filter("upper", function)
        made = new_engine({MAIN: "{{ a|upper }}"})
        made.template_builtins.append(library)
        keys.add(cache_key(made.get_template(MAIN)))
    assert len(keys) == 5


def test_what_cannot_be_told_of_is_compiled():
    """A filter that is an object may be anything."""
    library = Library()
    library.filters["odd"] = partial(str.__add__)
    cache = PlansInMemory()
    made = new_engine({MAIN: "{{ a|odd:'b' }}"})
    made.template_builtins.append(library)
    setattr(made, CACHE_ATTRIBUTE, cache)
    assert render_template(made.get_template(MAIN), Context({"a": "x"})) == "xb"
    assert (cache.stored, cache.refused) == (0, 1)


def test_our_own_code_is_part_of_each_key(tmp_path, monkeypatch):
    one = plan_cache.environment_digest()
    assert one == plan_cache.environment_digest()
    (tmp_path / "compiler").mkdir()
    (tmp_path / "compiler" / "writer.py").write_text("changed")
    monkeypatch.setattr("atemplates.compiler.plan_keys.PACKAGE_FOLDER", tmp_path)
    assert plan_cache.environment_digest() != one


# -- the folder ------------------------------------------------------------------------------------


def only_file(folder):
    (file,) = folder.iterdir()
    return file


def test_files_are_readable_and_ours(tmp_path):
    rendered_by(PlanCache(tmp_path / "made"), "{{ a }}")
    file = only_file(tmp_path / "made")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert file.suffix == ".plan"


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_file_that_others_may_write_is_refused(tmp_path, caplog, compilings, mode):
    rendered_by(PlanCache(tmp_path), "{{ a }}")
    only_file(tmp_path).chmod(mode)
    compilings.clear()
    cache = PlanCache(tmp_path)
    with caplog.at_level(logging.WARNING, "atemplates"):
        cache.load(cache.key(load("{{ a }}").nodelist, *names_of("{{ a }}")))
    assert "others may write it" in caplog.text


def names_of(source):
    template = load(source)
    return template_text(template.origin, template).name, "template"


def test_a_file_of_another_user_is_refused(monkeypatch):
    facts = list(os.stat(__file__))
    facts[0], facts[4] = stat.S_IFREG | 0o644, 54321
    with pytest.raises(plan_cache.Unusable, match="another user"):
        plan_cache.refuse_code_of_others(os.stat_result(facts))
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    plan_cache.refuse_code_of_others(os.stat_result(facts))


def damaged(content):
    yield b""
    yield b"atemplates plan 1\n"
    yield content[:-1]
    yield content[: len(content) // 2]
    yield content + b"x"
    yield b"x" + content[1:]
    for place in (20, 60, 90, len(content) - 3):
        yield content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_damaged_file_is_told_of_once_and_written_again(tmp_path, caplog):
    wanted = rendered_by(PlanCache(tmp_path), "{{ a }}")
    file = only_file(tmp_path)
    content = file.read_bytes()
    for bad in damaged(content):
        file.write_bytes(bad)
        caplog.clear()
        cache = PlanCache(tmp_path)
        with caplog.at_level(logging.WARNING, "atemplates"):
            assert rendered_by(cache, "{{ a }}") == wanted
            assert cache.loaded == 0
        assert len(caplog.records) == 1, bad
        assert only_file(tmp_path).stat().st_size == len(content)


def test_code_for_another_key_is_not_taken(tmp_path):
    rendered_by(PlanCache(tmp_path), "{{ a }}")
    file = only_file(tmp_path)
    cache = PlanCache(tmp_path)
    other = cache.key(load("{{ b }}").nodelist, *names_of("{{ b }}"))
    file.rename(cache.path_of(other))
    assert cache.load(other) is None


@pytest.mark.parametrize("kind", ["missing", "file", "read only"])
def test_a_folder_that_cannot_be_used(tmp_path, caplog, kind, monkeypatch):
    folder = tmp_path / "a" / "b"
    if kind != "missing":
        folder.parent.mkdir()
    if kind == "file":
        folder.write_text("")
    if kind == "read only":
        folder.mkdir()

        def refused(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(tempfile, "mkstemp", refused)
    cache = PlanCache(folder)
    with caplog.at_level(logging.WARNING, "atemplates"):
        for _ in range(3):
            assert rendered_by(cache, "{{ a }}") == "&lt;q&gt;"
    assert len([each for each in caplog.records if "written" in each.message]) == 1
    assert "Templates are compiled instead" in caplog.text


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    rendered_by(PlanCache(tmp_path), "{{ a }}")
    assert list(tmp_path.iterdir()) == []


def test_several_at_a_time(tmp_path):
    wanted = rendered_by(None)
    found = []

    def work():
        for _ in range(5):
            found.append(rendered_by(PlanCache(tmp_path)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 20
    assert all(file.suffix == ".plan" for file in tmp_path.iterdir())


# -- constants -------------------------------------------------------------------------------------


class Unknown:
    """No class of ours."""


@pytest.mark.parametrize(
    "value", [Unknown(), Unknown, {1, 2}, lambda: 1, load, engine.Engine(), [Unknown()]]
)
def test_what_another_process_cannot_find(value):
    with pytest.raises(Undescribable):
        Describer(plan_cache.NodeWalk(), {}).describe(value)


@pytest.mark.parametrize(
    "value",
    [
        *(None, 1, 1.5, True, "a", b"a", (1, "a", None), frozenset({str, int}), [1], {"a": (1,)}),
        *(str, os.path.join, base.Node, SafeString("<"), Kind.CALL, type(None)),
        RUNTIME["MISSING"],
    ],
)
def test_what_it_makes_or_finds_again(value):
    made = restore(Describer(plan_cache.NodeWalk(), {}).describe(value), [])
    assert type(made) is type(value)
    assert made == value
