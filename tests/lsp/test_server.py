"""A real server, driven by a real client over its standard input and output."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.lsp.client import ROOT, Editor

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the demo, to be edited."""
    folder = tmp_path_factory.mktemp("demo") / "example"
    shutil.copytree(ROOT / "example", folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
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
