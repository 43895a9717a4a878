"""Out-of-order parts in a real browser: one that knows the standard, and one that needs the script."""

import re
from contextlib import contextmanager

import pytest

from atemplates.streaming.fills import fill_part, placeholder, polyfill
from atemplates.streaming.positions import Position
from tests.browser import STANDARD, browsers, chunk_server, require_browser

require_browser()
# What a browser makes of a page does not depend on Python or Django.
pytestmark = pytest.mark.exhaustive

HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title></head><body>'
NONCE = "r4nd0m"
STRICT = f"default-src 'none'; script-src 'nonce-{NONCE}'"
PATIENCE = 10_000  # milliseconds
MARKS = re.compile(r"<(?:!--)?\?(?:start|end) ?[^>]*>")
# The tree of the body. The empty comment behind a fill, which only the script takes away, is left out.
TREE = """() => {
  const walk = node => [...node.childNodes].map(child =>
    child.nodeType == 3 ? child.data :
    child.nodeType == 8 ? (child.data && `<!--${child.data}-->`) :
    child.nodeType == 7 ? `<?${child.target} ${child.data}>` :
    `<${child.localName}>` + walk(child.content || child) + `</${child.localName}>`).join("");
  return document.body ? walk(document.body) : "";
}"""


@pytest.fixture(scope="module")
def start():
    with browsers() as start:
        yield start


@pytest.fixture(scope="module", params=["standard", "polyfill"])
def started(request, start):
    """A browser that knows the standard, and one that needs the script."""
    running = start(*(STANDARD if request.param == "polyfill" else ()))
    yield running
    running.close()


@pytest.fixture(scope="module")
def server():
    with chunk_server() as running:
        yield running


@pytest.fixture(scope="module")
def tab(started):
    """A tab for one page after another."""
    return started.new_page()


class Visit:
    """A page that is being loaded, with what the browser's console says."""

    def __init__(self, tab, page):
        self.tab, self.page = tab, page
        self.console = []
        tab.on("console", lambda message: self.console.append(message.text))
        tab.on("pageerror", lambda error: self.console.append(str(error)))

    def send(self, *pieces):
        for piece in pieces:
            self.page.send(piece)

    def shows(self, text, selector="body"):
        """Wait until an element's visible text is this."""
        try:
            self.tab.wait_for_function(
                "([selector, text]) => document.querySelector(selector)?.innerText.replace(/\\s+/g, ' ').trim() === text",
                arg=[selector, text],
                timeout=PATIENCE,
            )
        except Exception:
            seen = self.tab.evaluate("s => document.querySelector(s)?.innerText", selector)
            raise AssertionError(f"{seen!r}, not {text!r}, in {self.tree()}") from None

    def has(self, tree, marks=True):
        """Wait until the body's nodes are these; without marks: but for those of placeholders."""

        def found():
            return self.tree() if marks else MARKS.sub("", self.tree())

        for _ in range(PATIENCE // 20):
            if found() == tree:
                return
            self.tab.wait_for_timeout(20)
        assert found() == tree

    def shows_soon(self):
        """Give the browser the time to parse what was sent."""
        self.tab.wait_for_timeout(20)

    def tree(self):
        """The body's nodes, also while it arrives."""
        return self.tab.evaluate(TREE)

    def finish(self):
        """End the page and return the tree of its body."""
        self.page.end()
        self.tab.wait_for_load_state("load", timeout=PATIENCE)
        return self.tree()


@contextmanager
def visit(started, server, *pieces, **headers):
    page = server.page(**headers)
    context = started.new_context()
    try:
        tab = context.new_page()
        seen = Visit(tab, page)
        seen.send(HEAD, *pieces)
        tab.goto(page.url, wait_until="commit")
        yield seen
        assert seen.console == []
    finally:
        page.end()
        context.close()


def knows_the_standard(tab):
    return tab.evaluate("'htmlFor' in HTMLTemplateElement.prototype")


def rendered(tab, body):
    """The tree of a body that arrives in one piece and in order."""
    tab.set_content(f"{HEAD}{body}</body></html>")
    return tab.evaluate(TREE)


def arrived(tab, server, body, **headers):
    """Load a page that arrives in one piece, and return the tree of its body."""
    page = server.page(**headers)
    page.send(HEAD + body)
    page.end()
    tab.goto(page.url)
    return tab.evaluate(TREE)


IN_CONTEXT = [
    # before, what is shown first, the part, after
    ("<main>before ", "loading", "<b>here</b> and", " after</main>"),
    ("<ul><li>a</li>", "<li>loading</li>", "<li>b<li>c", "<li>d</li></ul>"),
    (
        "<table><tbody><tr><td>a</td></tr>",
        "<tr><td>loading",
        "<tr><td>b<tr><td>c",
        "<tr><td>d</table>",
    ),
    ("<table><tbody><tr><td>a", "<b>loading</b>", "<i>b</i>", "<td>d</table>"),
    ("<table><tr><td>a", "loading", "<i>b</i>", "<td>d</table>"),
    ("<table><tr><td>a</td>", "<td>loading", "<td>b<td>c", "<td>d</table>"),
    ("<table>", "<tbody><tr><td>loading", "<tbody><tr><td>b", "<tfoot><tr><td>d</table>"),
    ("<table>", "<caption>loading", "<caption>b", "<tbody><tr><td>d</table>"),
    (
        "<table>",
        "<colgroup><col></colgroup>",
        "<colgroup><col><col></colgroup>",
        "<tbody><tr><td>d</table>",
    ),
    ("<select><option>a</option>", "<option>loading", "<option>b<option>c", "<option>d</select>"),
    ("<select><optgroup label=x>", "<option>loading", "<option>b", "</optgroup></select>"),
    ("<select><option>", "loading", "b", "</option></select>"),
    ("<dl><dt>a</dt>", "<dd>loading", "<dd>b<dd>c", "<dt>d</dl>"),
    ("<p>a ", "<b>loading</b>", "<i>b</i>", " d</p>"),
    ("<b>a ", "loading", "<i>b</i>", " d</b>"),
    ("<pre>a\n", "loading", "\n b", "\nd</pre>"),
    ("<button>", "loading", "b", "</button>"),
    ("<details open><summary>a</summary>", "loading", "<p>b", "</details>"),
    ("<main>", "", "b", "</main>"),
    ("<main>", "loading", "", "</main>"),
    ("<main>", "<!-- loading -->", "<!-- b -->", "</main>"),
    ("", "<div>loading</div>", "<div>b</div>", "<p>after</p>"),
    ("<main>", "loading", "<svg viewBox='0 0 1 1'><path d='M0 0'/></svg>", "</main>"),
    ("<main>", "loading", "<template id=t><b>x</b></template>", "</main>"),
    ("<main>", "loading", "<textarea></p></textarea><input value='>'>", "</main>"),
]


@pytest.mark.parametrize(("before", "first", "part", "after"), IN_CONTEXT)
def test_the_placeholder_is_shown_then_the_part_as_if_it_had_been_in_its_place(
    started, server, tab, before, first, part, after
):
    with visit(started, server, before, placeholder("d1", first), after) as seen:
        seen.has(rendered(tab, before + first + after), marks=False)
        seen.send(polyfill(None) + fill_part("d1", part))
        seen.has(rendered(tab, before + part + after))
        assert seen.finish() == rendered(tab, before + part + after)


@pytest.mark.parametrize(("before", "first", "part", "after"), IN_CONTEXT)
def test_a_position_knows_that_it_can_be(before, first, part, after):
    position = Position()
    position.feed(HEAD + before)
    assert position.takes_placeholder(placeholder("d1", first))
    position.feed(placeholder("d1", first) + after)
    assert position.reaches("d1")


def test_a_part_in_pieces(started, server):
    with visit(started, server, "<main>", placeholder("d1", "loading"), "</main>") as seen:
        seen.send(polyfill(None))
        whole = fill_part("d1", "<p>one</p><p>two</p>")
        for end in range(0, len(whole), 7):
            seen.shows_soon()
            seen.send(whole[end : end + 7])
        seen.has("<main><p>one</p><p>two</p></main>")


def test_several_at_once_and_in_any_order(started, server):
    body = [placeholder(f"d{number}", f"<p>wait {number}</p>") for number in range(5)]
    with visit(started, server, *body) as seen:
        seen.shows("wait 0 wait 1 wait 2 wait 3 wait 4")
        seen.send(polyfill(None) + fill_part("d3", "three ") + fill_part("d0", "zero "))
        seen.shows("zero wait 1 wait 2 three wait 4")
        seen.send(fill_part("d4", "four ") + fill_part("d1", "one ") + fill_part("d2", "two "))
        seen.shows("zero one two three four")


def test_before_the_parent_is_complete(started, server):
    with visit(started, server, "<main><ul><li>a</li>", placeholder("d1", "<li>wait</li>")) as seen:
        seen.shows("a wait")
        seen.send("<li>c</li>", polyfill(None) + fill_part("d1", "<li>b</li>"))
        seen.shows("a b c")
        seen.send("<li>d</li></ul>e</main>")
        seen.has("<main><ul><li>a</li><li>b</li><li>c</li><li>d</li></ul>e</main>")


def test_what_is_elsewhere_is_placed_by_the_script(started, server):
    """The standard looks only in the element that the fill is in."""
    with visit(started, server, "<header>", placeholder("d1", "wait"), "</header><main>a") as seen:
        seen.send(polyfill(None) + fill_part("d1", "here"))
        seen.has("<header>here</header><main>a</main>")


class TestNested:
    """A placeholder in a part."""

    OUTER = f"<b>outer {placeholder('d2', 'wait 2')}</b>"

    def test_inner_after_outer(self, started, server):
        with visit(started, server, "<main>", placeholder("d1", "wait 1"), "</main>") as seen:
            seen.send(polyfill(None) + fill_part("d1", self.OUTER))
            seen.shows("outer wait 2")
            seen.send(fill_part("d2", "<i>inner</i>"))
            seen.has("<main><b>outer <i>inner</i></b></main>")

    def test_inner_with_outer(self, started, server):
        with visit(started, server, "<main>", placeholder("d1", "wait 1"), "</main>") as seen:
            seen.send(
                polyfill(None) + fill_part("d1", self.OUTER) + fill_part("d2", "<i>inner</i>")
            )
            seen.has("<main><b>outer <i>inner</i></b></main>")

    def test_inner_before_outer(self, started, server):
        with visit(started, server, "<main>", placeholder("d1", "wait 1"), "</main>") as seen:
            seen.send(polyfill(None) + fill_part("d2", "<i>inner</i>"))
            seen.shows("wait 1")
            seen.send(fill_part("d1", self.OUTER))
            seen.has("<main><b>outer <i>inner</i></b></main>")

    def test_a_placeholder_in_a_placeholder(self, started, server):
        first = placeholder("d1", f"wait 1 {placeholder('d2', 'wait 2')} and")
        with visit(started, server, "<main>", first, " after</main>") as seen:
            seen.send(polyfill(None) + fill_part("d2", "two"))
            seen.shows("wait 1 two and after")
            seen.send(fill_part("d1", "one"))
            seen.has("<main>one after</main>")

    def test_the_outer_first_takes_the_inner_away(self, started, server):
        first = placeholder("d1", f"wait 1 {placeholder('d2', 'wait 2')} and")
        with visit(started, server, "<main>", first, " after</main>") as seen:
            seen.send(polyfill(None) + fill_part("d1", "one"))
            seen.has("<main>one after</main>")


class TestPolicy:
    """Under a Content-Security-Policy that allows scripts with the nonce only."""

    def test_with_the_nonce(self, started, server):
        body = f"<main>{placeholder('d1', 'loading')}</main>"
        with visit(started, server, body, Content_Security_Policy=STRICT) as seen:
            seen.shows("loading")
            script = f"<script nonce={NONCE}>document.title='ran'</script>"
            seen.send(polyfill(NONCE) + fill_part("d1", f"here{script}"))
            seen.shows("here")
            assert seen.tab.title() == "ran"

    def test_without_it_only_the_standard_places_parts(self, tab, server):
        body = (
            f"<main>{placeholder('d1', 'loading')}</main>{polyfill(None)}{fill_part('d1', 'here')}"
        )
        arrived(tab, server, body, Content_Security_Policy=STRICT)
        assert tab.inner_text("main") == ("here" if knows_the_standard(tab) else "loading")


class TestScripts:
    """Scripts of a part run when it is placed, once."""

    def test_one_without_a_source(self, started, server):
        with visit(started, server, placeholder("d1", "loading")) as seen:
            seen.send(polyfill(None))
            seen.send(fill_part("d1", "<p>x</p><script>window.ran=(window.ran||0)+1</script>"))
            seen.shows("x")
            assert seen.tab.evaluate("window.ran") == 1

    def test_the_polyfill_leaves_nothing_behind(self, tab, server):
        names = "Object.getOwnPropertyNames(window)"
        arrived(tab, server, "<p>x</p>")
        alone = tab.evaluate(names)
        body = placeholder("d1", "loading") + polyfill(None) + fill_part("d1", "<p>x</p>")
        assert arrived(tab, server, body) == "<p>x</p>"
        assert tab.evaluate(names) == alone

    def test_the_polyfill_takes_away_what_is_behind_a_part(self, tab, server):
        body = placeholder("d1", "loading") + polyfill(None) + fill_part("d1", "<p>x</p>")
        arrived(tab, server, body)
        left = 1 if knows_the_standard(tab) else 0
        assert tab.evaluate("document.body.childNodes.length") == 1 + left

    def test_after_the_page_it_looks_no_further(self, started, server):
        with visit(started, server, placeholder("d1", "loading")) as seen:
            seen.send(polyfill(None) + fill_part("d1", "<p>x</p>"))
            seen.finish()
            seen.tab.evaluate(
                """document.body.innerHTML = '<main><!--?start name="d2"-->a<!--?end--></main>'"""
            )
            seen.tab.evaluate(
                """{ const late = document.createElement("template");
                     late.setAttribute("for", "d2");
                     document.body.append(late, "b"); }"""
            )
            seen.tab.wait_for_timeout(50)
            assert seen.tab.query_selector("template")


def test_without_javascript(started, server):
    """Where neither the standard nor a script is, the placeholder stays and the part is not shown."""
    body = f"<main>{placeholder('d1', 'loading')}</main>{polyfill(None)}{fill_part('d1', 'here')}<p>end"
    context = started.new_context(java_script_enabled=False)
    tab = context.new_page()
    arrived(tab, server, body)
    assert tab.inner_text("body").split() == [
        "here" if knows_the_standard(tab) else "loading",
        "end",
    ]
    context.close()


def test_where_only_the_instructions_are_known(start, server):
    """As in a browser that has half of the standard."""
    inner = placeholder("d2", "wait 2")
    body = f"<main>{placeholder('d1', 'wait 1')} and {inner}</main>{polyfill(None)}"
    fills = fill_part("d1", "one") + fill_part("d2", "two")
    running = start(STANDARD[0])
    assert arrived(running.new_page(), server, body + fills) == "<main>one and two</main>"
    running.close()


def test_a_part_that_was_cut_is_not_placed_by_the_script(tab, server):
    body = f"<main>{placeholder('d1', 'loading')}</main>{polyfill(None)}"
    arrived(tab, server, body + fill_part("d1", "one<p>two")[:-17])
    if not knows_the_standard(tab):
        assert tab.inner_text("main") == "loading"


# What may stand in a part, and what is in its place then: what a browser has for it at a page's end.
HOSTILE = [
    *("</template>x", "<template>x", "<template><template>x", "</template></template></main>x"),
    *("x<?end>y", 'x<?start name="d1">y', 'x<?start name="d2">y<?end>', "<b><?end></b>", "<?end"),
    *("<!--?end-->", '<!--?start name="d1"-->x', "<!-- x", "<!--", "<!-- x --", "<!-", "<!", "<"),
    *("]]>", "<![CDATA[x", "<svg><![CDATA[x", "<svg></template>x", "<svg><template>x", "</", "<p"),
    *("<script>1", "<script><!--<script>1", "</script>x", "<style>x", "<textarea>x", "<title>x"),
    *(
        "<xmp>x",
        "<iframe>x",
        "<plaintext>x",
        "'",
        '"',
        "<p a='x",
        '<p a="x',
        "<p a=x",
        "<p a='x'>y",
    ),
    *(
        "</main>x",
        "</body></html>x",
        "<body id=x>",
        "<html id=x>",
        "<frameset>",
        "<select>x",
        "<table>x",
    ),
    *(
        "<table><tr><td>x",
        "<math><mi>x",
        "<form>x",
        "<a href='#'>x",
        "<b>x",
        "<div><b>x</div>",
        "</p>x",
    ),
    *(
        "<noscript>x",
        "<noscript><!--</noscript>x",
        "</noscript>x",
        "<svg><foreignObject><p>x</template>",
    ),
    *("<svg><style><!--</style>x", "<math><annotation-xml encoding='text/html'><p>x", "<button>x"),
]


class TestHostile:
    """A part or placeholder that holds what could end it, or what could swallow the page."""

    IDS = "document.body.id + document.documentElement.id"
    BEFORE, AFTER = "<header>a</header><main id=m>", "</main><p>b</p><footer>c</footer>"

    @pytest.mark.parametrize("part", HOSTILE)
    def test_a_part(self, tab, server, part):
        body = f"{self.BEFORE}{placeholder('d1', 'wait')} d{self.AFTER}{polyfill(None)}"
        tree = arrived(tab, server, f"{body}{fill_part('d1', part)}<p>last</p></body></html>")
        self.is_whole_around(tree)
        assert tab.evaluate(self.IDS) == ""

    @pytest.mark.parametrize("part", HOSTILE)
    def test_a_placeholder(self, tab, server, part):
        body = f"{self.BEFORE}{placeholder('d1', part)} d{self.AFTER}{polyfill(None)}"
        tree = arrived(tab, server, f"{body}{fill_part('d1', 'here')}<p>last</p></body></html>")
        assert self.is_whole_around(tree) == "here d"
        # In place these tags do that on every page.
        assert tab.evaluate(self.IDS) == ("x" if " id=x" in part else "")

    def is_whole_around(self, tree):
        before, after = "<header>a</header><main>", "</main><p>b</p><footer>c</footer><p>last</p>"
        assert tree.startswith(before)
        assert tree.endswith(after)
        inside = tree.removeprefix(before).removesuffix(after)
        assert inside.endswith(" d")
        return inside
