"""A real server, driven by a real client over its standard input and output."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.management.lsp.client import ROOT, Editor
from tests.management.lsp.small_site import MANAGE, small_site

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo, to be edited."""
    folder = tmp_path_factory.mktemp("demo") / "example"
    shutil.copytree(
        ROOT / "example", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3")
    )
    return folder


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def editor(demo: Path) -> AsyncIterator[Editor]:
    """An editor whose server is running."""
    made = Editor()
    await made.begin(demo, SHOP_LAZY="1")
    yield made
    await made.end()


CARD = "shop/templates/shop/_book_card.html"


def place(diagnostic: object) -> tuple[int, int, int, int]:
    found = diagnostic.range  # type: ignore[attr-defined]
    return (found.start.line, found.start.character, found.end.line, found.end.character)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_mistake_is_shown_where_it_is_typed_and_gone_when_it_is_mended(
    editor: Editor, demo: Path
) -> None:
    file = demo / CARD
    text = file.read_text(encoding="utf-8")
    uri = editor.open(file)
    assert await editor.problems(uri) == []
    editor.type(uri, text + "😀 {% inclde 'x' %}\n")
    (found,) = await editor.problems(uri)
    assert found.code == "unknown-tag"
    assert "'include'" in found.message
    assert place(found) == (12, 6, 12, 12)
    editor.type(uri, text.replace("{{ book.title }}", "😀{{ book.titel }}"))
    (found,) = await editor.problems(uri)
    assert found.code == "unknown-attribute"
    assert "did you mean 'title'" in found.message
    line = next(i for i, each in enumerate(text.splitlines()) if "{{ book.title }}" in each)
    start = text.splitlines()[line].index("{{ book.title }}") + len("{{ book.") + 2
    assert place(found) == (line, start, line, start + len("titel"))
    editor.type(uri, text)
    assert await editor.problems(uri) == []


@pytest.mark.asyncio(loop_scope="module")
async def test_hovering_tells_the_type_and_the_queries(editor: Editor, demo: Path) -> None:
    uri = editor.open(demo / CARD)
    lines = (demo / CARD).read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines) if "book.publisher.name" in line)
    column = lines[number].index("book.publisher.name")
    shown = await editor.hover(uri, number, column + len("book.pub"))
    assert "book.publisher: Publisher | None (shop.models)" in shown
    assert "`books[].publisher`" in shown
    assert "2 per row; 2 in batch" in shown
    assert "shop:book_list" in shown


@pytest.mark.asyncio(loop_scope="module")
async def test_hovering_over_filters_and_tags_tells_what_they_do(
    editor: Editor, demo: Path
) -> None:
    text = "{{ name|truncatechars:3 }}\n{% include 'shop/_cover.html' %}\n"
    uri = editor.open(demo / "shop/templates/shop/_pagination.html", text)
    assert "Truncate a string after" in await editor.hover(uri, 0, 12)
    assert "Load a template and render it" in await editor.hover(uri, 1, 5)
    assert await editor.hover(uri, 0, 0) == ""


@pytest.mark.asyncio(loop_scope="module")
async def test_names_are_completed(editor: Editor, demo: Path) -> None:
    file = demo / CARD
    lines = file.read_text(encoding="utf-8").splitlines()
    uri = editor.open(file)
    lines[3] = lines[3].replace("{{ book.title }}", "{{ book. }}")
    editor.type(uri, "\n".join(lines))
    names = await editor.completions(uri, 3, lines[3].index("{{ book. }}") + len("{{ book."))
    assert {"title", "author", "century", "reviews"} <= names
    assert "delete" not in names
    lines[3] = "{{  }}"
    editor.type(uri, "\n".join(lines))
    assert {"books", "page_obj"} <= await editor.completions(uri, 3, 3)


@pytest.mark.asyncio(loop_scope="module")
async def test_definitions_are_found(editor: Editor, demo: Path) -> None:
    file = demo / CARD
    lines = file.read_text(encoding="utf-8").splitlines()
    uri = editor.open(file)
    column = lines[1].index("_cover.html")
    assert await editor.definition(uri, 1, column) == (file.with_name("_cover.html"), 0)
    column = lines[3].index("book.title") + len("book.t")
    found, line = await editor.definition(uri, 3, column)
    assert found == demo / "shop/models.py"
    assert "title = models.CharField" in found.read_text(encoding="utf-8").splitlines()[line]


@pytest.mark.asyncio(loop_scope="module")
async def test_jinja2_templates(editor: Editor, demo: Path) -> None:
    file = demo / "shop/jinja2/shop/book_detail.html"
    text = file.read_text(encoding="utf-8")
    uri = editor.open(file)
    assert await editor.problems(uri) == []
    editor.type(uri, text + "{% if %}\n")
    (found,) = await editor.problems(uri)
    assert found.code == "does-not-parse"
    assert found.range.start.line == text.count("\n")
    editor.type(uri, text.replace("book.original_title", "book.orginal_title"))
    found, *_ = await editor.problems(uri)
    assert found.code == "unknown-attribute"
    line = found.range.start.line
    start = text.splitlines()[line].index("original_title")
    assert place(found) == (line, start, line, start + len("orginal_title"))
    editor.type(uri, text)
    line = next(i for i, each in enumerate(text.splitlines()) if "book.notes.all()" in each)
    column = text.splitlines()[line].index("book.notes.all()") + len("book.n")
    shown = await editor.hover(uri, line, column)
    assert "[Note]" in shown
    assert "1 query" in shown


@pytest.mark.asyncio(loop_scope="module")
async def test_a_file_that_no_loader_finds_has_no_diagnostics(editor: Editor, demo: Path) -> None:
    stray = demo / "stray.html"
    stray.write_text("{% nonsense %}")
    uri = editor.open(stray)
    assert await editor.problems(uri) == []
    await editor.until(lambda: any(str(stray) in each for each in editor.logged))


async def test_a_change_of_python_is_seen(tmp_path: Path) -> None:
    """The worker is replaced; what does not import is shown, and the server lives."""
    page = small_site(tmp_path)
    views = tmp_path / "site_views.py"
    python = views.read_text(encoding="utf-8")
    editor = Editor()
    await editor.begin(tmp_path)
    try:
        uri = editor.open(page, "{{ shelf.mark }}")
        (found,) = await editor.problems(uri)
        assert found.code == "unknown-attribute"
        views.write_text(python.replace("def row(", "def mark("))
        editor.type(uri, "{{ shelf.mark }} ")
        assert await editor.problems(uri) == []
        settings = tmp_path / "site_settings.py"
        right = settings.read_text(encoding="utf-8")
        settings.write_text("this is no Python\n")
        editor.type(uri, "{{ shelf.mark }}")
        await editor.until(lambda: any("SyntaxError" in each for each in editor.shown))
        # Mended at once, and typed once: the question waits until the site is tried again.
        settings.write_text(right)
        views.write_text(python)
        editor.type(uri, "{{ shelf.mark }} ")
        (found,) = await editor.problems(uri)
        assert found.code == "unknown-attribute"
    finally:
        await editor.end()


async def test_hovering_over_plain_values_and_what_context_processors_give(tmp_path: Path) -> None:
    page = small_site(tmp_path)
    editor = Editor()
    await editor.begin(tmp_path)
    try:
        uri = editor.open(page, "{{ foot }}{{ debug }}")
        assert "foot: int" in await editor.hover(uri, 0, 4)
        assert "debug: bool" in await editor.hover(uri, 0, 15)
        editor.type(uri, "{{  }}")
        assert {"foot", "shelf", "debug"} <= await editor.completions(uri, 0, 3)
    finally:
        await editor.end()


async def test_what_the_site_prints_does_not_disturb_the_protocol(tmp_path: Path) -> None:
    """Neither in its settings nor in its URLconf; and a site without an engine of ours is told."""
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "site_settings.py").write_text(
        "print('settings')\nSECRET_KEY = 'x'\nINSTALLED_APPS = ['atemplates']\n"
        "ROOT_URLCONF = 'site_urls'\n"
        "TEMPLATES = [{'BACKEND': 'atemplates.engines.django.DjangoTemplates', 'DIRS': ['pages']}]\n"
    )
    (tmp_path / "site_urls.py").write_text("print('urls')\nurlpatterns = [nonsense]\n")
    (tmp_path / "pages").mkdir()
    page = tmp_path / "pages/page.html"
    page.write_text("{% for a in b %}")
    editor = Editor()
    await editor.begin(tmp_path)
    try:
        (found,) = await editor.problems(editor.open(page))
        assert found.code == "does-not-parse"
        await editor.until(lambda: any("NameError" in each for each in editor.logged))
    finally:
        await editor.end()
