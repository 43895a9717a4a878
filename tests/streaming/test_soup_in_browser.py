"""What positions and parts say of a page, against what a browser makes of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atemplates.streaming.fills import fill_part, placeholder
from atemplates.streaming.positions import Position
from tests.browser import browsers, require_browser
from tests.streaming.html_soup import PIECES, SOUPS

require_browser()
# What a browser makes of a page does not depend on Python or Django.
pytestmark = pytest.mark.exhaustive

HEAD = "<!doctype html><html><head></head><body>"
# Documents are written into frames, by the parser that pages have and with scripts switched on.
TREES = """pages => pages.map(page => {
  const walk = node => [...node.childNodes].map(child =>
    child.nodeType == 3 ? child.data :
    child.nodeType == 8 ? (child.data && `<!--${child.data}-->`) :
    child.nodeType == 7 ? `<?${child.target} ${child.data}>` :
    child.nodeType == 10 ? "" :
    `<${child.namespaceURI.includes("xhtml") ? "" : "x:"}${child.localName}` +
    [...child.attributes].map(a => " " + a.name).join("") + ">" +
    walk(child.content || child) + `</${child.localName}>`).join("");
  const frame = document.body.appendChild(document.createElement("iframe"));
  const inner = frame.contentDocument;
  inner.open(); inner.write(page); inner.close();
  const tree = walk(inner);
  frame.remove();
  return tree.replace(/\\s+/g, "");
})"""
few = settings(max_examples=200)
lists = st.lists(PIECES, max_size=10)


@pytest.fixture(scope="module")
def trees():
    """What gives the trees of some documents, in a browser that knows the standard."""
    with browsers() as start:
        tab = start().new_page()
        if not tab.evaluate("'htmlFor' in HTMLTemplateElement.prototype"):
            pytest.skip("browser tests: this Chromium does not know <template for> (150 does)")
        yield lambda *pages: tab.evaluate(TREES, pages)


@few
@given(pieces=lists)
def test_where_it_takes_elements_a_template_changes_no_other(trees, pieces):
    page = HEAD + "".join(pieces)
    marked = []
    position = Position()
    at = 0
    for piece in (HEAD, *pieces):
        position.feed(piece)
        at += len(piece)
        if position.takes_elements:
            marked.append(f"{page[:at]}<template for=none></template>{page[at:]}")
    plain, *found = trees(page, *marked)
    for tree in found:
        assert tree.replace("<templatefor></template>", "", 1) == plain
        assert "<templatefor></template>" in tree


@few
@given(pieces=lists, first=SOUPS, data=st.data())
def test_what_it_reaches_the_parser_places(trees, pieces, first, data):
    texts = [HEAD, *pieces]
    cut = data.draw(st.integers(1, len(texts)))
    before, after = texts[:cut], texts[cut:]
    position = Position()
    position.feed("".join(before))
    markup = placeholder("d1", first)
    if not position.takes_placeholder(markup):
        return
    position.feed(markup)
    begin = "".join(before)
    page = begin + markup
    cases = []
    for index in range(len(after) + 1):
        if position.reaches("d1"):
            rest = "".join(after[index:])
            cases.append(f"{page}{fill_part('d1', '<!--here-->')}{rest}")
        if index < len(after):
            position.feed(after[index])
            page += after[index]
    plain, *found = trees(f"{begin}<!--here-->{''.join(after)}", *cases)
    for tree in found:
        assert tree == plain


@few
@given(part=SOUPS)
def test_a_part_stays_in_its_template(trees, part):
    page = f"{HEAD}<main>{placeholder('d1', 'wait')}</main>{fill_part('d1', part)}<p>after</p>"
    [tree] = trees(page)
    assert tree.startswith("<html><head></head><body><main>")
    assert tree.endswith("</main><p>after</p></body></html>")


@few
@given(first=SOUPS)
def test_a_placeholder_stays_between_its_marks(trees, first):
    position = Position()
    position.feed(f"{HEAD}<main>")
    markup = placeholder("d1", first)
    if not position.takes_placeholder(markup):
        return
    page = f"{HEAD}<main>a{markup}b</main><p>after</p>"
    waiting, filled = trees(page, page + fill_part("d1", "here"))
    assert waiting.startswith('<html><head></head><body><main>a<?startname="d1">')
    assert waiting.endswith("<?end>b</main><p>after</p></body></html>")
    assert filled == "<html><head></head><body><main>ahereb</main><p>after</p></body></html>"
