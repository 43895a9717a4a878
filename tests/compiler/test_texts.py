"""The text of a template in tracebacks: the right one, and none that stays for good."""

import gc
import linecache
import traceback

import pytest
from django.template import Context, Origin, Template
from django.template.engine import Engine
from django.template.loaders.base import Loader

from atemplates.compiler.texts import KEPT
from atemplates.engines.django import arender_template, render_template
from tests.rendering import run_async

SOURCE = "one\n{{ broken.value }}"


class Broken:
    @property
    def value(self):
        raise ZeroDivisionError


@pytest.fixture(params=["render", "arender"])
def how(request):
    if request.param == "render":
        return render_template
    return lambda template, context: run_async(arender_template, template, context)


def formatted(how, template):
    """The traceback of an error in a template, as Python formats it."""
    with pytest.raises(ZeroDivisionError) as caught:
        how(template, Context({"broken": Broken()}))
    return "".join(traceback.format_exception(caught.value))


class FromMemory(Loader):
    """As a loader that asks a database: a name, and a text."""

    templates: dict[str, str] = {}

    def get_template_sources(self, template_name):
        yield Origin(template_name, template_name, self)

    def get_contents(self, origin):
        return self.templates[origin.name]


class FromFiles(Loader):
    """Reads files by itself, and changes some."""

    folder = None

    def get_template_sources(self, template_name):
        yield Origin(str(self.folder / template_name), template_name, self)

    def get_contents(self, origin):
        with open(origin.name) as file:
            return file.read().replace("<html>", "<html>\n")


def engine(loader, **values):
    made = Engine(loaders=[f"{__name__}.{loader.__name__}"])
    for name, value in values.items():
        setattr(made.template_loaders[0], name, value)
    return made


@pytest.mark.parametrize("name", ["template string", "page.html"])
def test_nothing_of_a_template_stays_in_linecache(how, name):
    gc.collect()
    linecache.clearcache()
    for number in range(3 * KEPT):
        source = f"{number}\n{{{{ broken.value }}}}"
        if name == "page.html":
            template = engine(FromMemory, templates={name: source}).get_template(name)
        else:
            template = Engine().from_string(source)
        assert "{{ broken.value }}" in formatted(how, template)
    del template
    gc.collect()
    left = [each for each in linecache.cache if "template string" in each or "page.html" in each]
    assert left == []


def test_while_templates_live_linecache_keeps_the_newest():
    gc.collect()
    linecache.clearcache()
    templates = [Engine().from_string(SOURCE) for _ in range(KEPT + 20)]
    for template in templates:
        assert "{{ broken.value }}" in formatted(render_template, template)
    assert sum("template string" in name for name in linecache.cache) == KEPT
    assert "{{ broken.value }}" in formatted(render_template, templates[0]), "asked for again"


def test_a_stack_whose_lines_nobody_read_keeps_nothing_either():
    """``linecache`` is told of each frame's loader before a line is needed."""
    linecache.clearcache()
    template = Engine().from_string(SOURCE)
    with pytest.raises(ZeroDivisionError) as caught:
        render_template(template, Context({"broken": Broken()}))
    traceback.StackSummary.extract(traceback.walk_tb(caught.tb), lookup_lines=False)
    assert any("template string" in name for name in linecache.cache)
    del caught, template
    gc.collect()
    assert not any("template string" in name for name in linecache.cache)


@pytest.mark.parametrize("block", [False, True])
@pytest.mark.parametrize("where", ["current folder", "sys.path", "absolute"])
def test_a_template_named_like_a_file_does_not_show_the_file(
    how, tmp_path, monkeypatch, where, block
):
    (tmp_path / "page.html").write_text("secret 1\nsecret 2\n")
    name = "page.html"
    if where == "current folder":
        monkeypatch.chdir(tmp_path)
    elif where == "sys.path":
        monkeypatch.syspath_prepend(tmp_path)
    else:
        name = str(tmp_path / name)
    linecache.clearcache()
    source = "{% block b %}" + SOURCE + "{% endblock %}" if block else SOURCE
    text = formatted(how, engine(FromMemory, templates={name: source}).get_template(name))
    assert "secret" not in text
    assert "{{ broken.value }}" in text
    assert f'{name}", line 2' in text


def test_a_template_that_goes_leaves_the_text_of_another_one(how):
    """Two templates of one name and text share what ``linecache`` has of it."""
    gc.collect()
    linecache.clearcache()
    first, second = (
        engine(FromMemory, templates={"page.html": SOURCE}).get_template("page.html")
        for _ in range(2)
    )
    for template in (first, second):
        assert "{{ broken.value }}" in formatted(how, template)
    del first, template
    gc.collect()
    assert any("page.html" in name for name in linecache.cache)
    del second
    gc.collect()
    assert not any("page.html" in name for name in linecache.cache)


def test_two_texts_of_one_name(how):
    """A template in a database is edited: each version shows its own lines."""
    linecache.clearcache()
    for number in (1, 2, 3):
        source = "\n" * number + f"{{{{ broken.value }}}} {number}"
        template = engine(FromMemory, templates={"page.html": source}).get_template("page.html")
        text = formatted(how, template)
        assert f"{{{{ broken.value }}}} {number}" in text
        assert f'page.html", line {number + 1}' in text


def test_a_name_with_the_end_of_a_line(how):
    name = "page\n::error::\x1b[2J"
    text = formatted(how, engine(FromMemory, templates={name: SOURCE}).get_template(name))
    assert "\n::error::" not in text
    assert "\x1b" not in text
    assert "{{ broken.value }}" in text


@pytest.mark.parametrize(("source", "is_file"), [(SOURCE, True), ("<html>" + SOURCE, False)])
def test_a_loader_of_the_site_that_reads_files(how, tmp_path, source, is_file):
    (tmp_path / "page.html").write_text(source)
    linecache.clearcache()
    template = engine(FromFiles, folder=tmp_path).get_template("page.html")
    text = formatted(how, template)
    assert (f'File "{tmp_path / "page.html"}"' in text) is is_file
    assert "{{ broken.value }}" in text


def test_a_block_of_a_string_shows_its_lines(how):
    linecache.clearcache()
    template = Template("{% block b %}" + SOURCE + "{% endblock %}", engine=Engine())
    assert "{{ broken.value }}" in formatted(how, template)
