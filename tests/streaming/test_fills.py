"""The markup of placeholders and fills: what it looks like, and that parts stay inside of it."""

import time

import pytest
from hypothesis import given

from atemplates.streaming.fills import fill_part, placeholder, polyfill
from atemplates.streaming.parts import whole
from atemplates.streaming.positions import Position
from tests.streaming.html_soup import SOUPS

HEAD = "<!doctype html><html><head></head><body>"


def test_a_placeholder_is_between_marks():
    assert placeholder("d-1_a", "<b>wait</b>") == '<?start name="d-1_a"><b>wait</b><?end>'


def test_a_fill_is_a_template_and_an_empty_comment():
    assert fill_part("d-1_a", "<b>x</b>") == '<template for="d-1_a"><b>x</b></template><!---->'


@pytest.mark.parametrize("name", ["", "a b", 'a"', "a>", "ä", "a\n", "a&b"])
@pytest.mark.parametrize("markup", [placeholder, fill_part])
def test_a_name_has_letters_and_digits(markup, name):
    with pytest.raises(ValueError, match="letters, digits"):
        markup(name, "x")


class TestPolyfill:
    """The script for browsers that do not know the standard."""

    def test_with_a_nonce(self):
        assert polyfill("abc").startswith('<script nonce="abc">(')

    def test_without_one(self):
        assert polyfill(None).startswith("<script>(")

    def test_a_nonce_is_escaped(self):
        assert polyfill('"><b>').startswith('<script nonce="&quot;&gt;&lt;b&gt;">')

    def test_it_is_small_and_holds_nothing_that_ends_it(self):
        script = polyfill(None)
        assert len(script) < 900
        assert script.count("</script") == 1
        assert "//" not in script
        assert "\n" not in script

    def test_it_leaves_the_tokenizer_between_tokens(self):
        position = Position()
        position.feed(HEAD + polyfill("x"))
        assert position.takes_elements


# part, as a fill has it, as a placeholder has it (where it differs)
PARTS = [
    ("<p>x</p>", "<p>x</p>"),
    ("a < b", "a < b"),
    ("]]> ' \" > =", "]]> ' \" > ="),
    ("a</template>b", "ab"),
    ("<p a='</template>'>x</p>", "<p a='</template>'>x</p>"),
    ("<!-- </template> -->", "<!-- </template> -->"),
    ("<script>'</template>'</script>", "<script>'</template>'</script>"),
    ("<template>x</template>", "<template>x</template>"),
    ("<template>x", "<template>x</template>"),
    ("<template></template></TEMPLATE >b", "<template></template>b"),
    ("<svg></template>", "<svg>", "<svg></svg>"),
    ("<svg><template>", "<svg><template></template></svg>"),
    ("<!-- a", "<!-- a-->"),
    ("<!--", "<!---->"),
    ("<!--a--", "<!--a---->"),
    ("<script>a", "<script>a</script>"),
    ("<script><!--<script>a", "<script><!--<script>a</script></script>"),
    ("<style>a</styl", "<style>a</styl</style>"),
    ("<textarea>a", "<textarea>a</textarea>"),
    ("x<p a='", "x"),
    ("x<p", "x"),
    ("x</p", "x"),
    ("x<", "x&lt;"),
    ("x</", "x&lt;/"),
    ("x<!", "x"),
    ("x<!d", "x<!d>"),
    ("x<?end", "x<!-- ?end-->"),
    ("<svg><![CDATA[ a", "<svg><![CDATA[ a]]>", "<svg><![CDATA[ a]]></svg>"),
    ("a<plaintext>b<p>&", "a<pre>b&lt;p&gt;&amp;", "a<pre>b&lt;p&gt;&amp;</pre>"),
    ("a<?end>b", "a<!-- ?end-->b"),
    ("a<?end ?>b", "a<!-- ?end ?-->b"),
    ('a<?start name="x">b', 'a<!-- ?start name="x"-->b'),
    ('a<?start name="x">b<?end>c', 'a<?start name="x">b<?end>c'),
    ('<b><?start name="x"></b>b<?end>', '<b><!-- ?start name="x"--></b>b<!-- ?end-->'),
    ("<?endless?>", "<?endless?>"),
    ('<?marker name="x">', '<?marker name="x">'),
    ("<!--?end-->", "<!-- ?end-->"),
    ('<!--?start name="x"-->', '<!-- ?start name="x"-->'),
    ("<p>x", "<p>x", "<p>x</p>"),
    ("<li>x<li>y", "<li>x<li>y", "<li>x<li>y</li>"),
    ("<tr><td>x", "<tr><td>x", "<tr><td>x</td></tr>"),
    ("</div>x</p>", "</div>x</p>", "x"),
    ("<div><b>x</div>", "<div><b>x</div>", "<div><b>x</div></b>"),
    (
        "<noscript><!--</noscript>",
        "<noscript><!--</noscript>-->",
        "<noscript><!--</noscript>--></noscript>",
    ),
]


@pytest.mark.parametrize("case", PARTS, ids=[case[0] for case in PARTS])
def test_a_part_is_made_whole(case):
    part, in_fill, *in_place = case
    assert whole(part, in_place=False) == in_fill
    assert whole(part, in_place=True) == (in_place[0] if in_place else in_fill)


@pytest.mark.parametrize("case", PARTS, ids=[case[0] for case in PARTS])
def test_what_is_whole_stays_as_it_is(case):
    for in_place in (False, True):
        once = whole(case[0], in_place)
        assert whole(once, in_place) == once


@given(SOUPS)
def test_after_any_part_the_page_goes_on(part):
    """By the tokenizer that positions have; test_browser.py has a browser say the same."""
    position = Position()
    position.feed(f"{HEAD}<main>{fill_part('d1', part)}")
    assert position.takes_elements
    marked = Position()
    marked.feed(f"{HEAD}<main>")
    if marked.takes_placeholder(placeholder("d1", part)):
        marked.feed(placeholder("d1", part))
        assert marked.takes_elements
        marked.feed("</main>")
        assert marked.reaches("d1")


def test_a_placeholder_in_a_part_stays():
    inner = placeholder("d2", "<p>wait</p>")
    assert inner in fill_part("d1", f"<b>{inner}</b>")
    assert inner in placeholder("d1", f"<div>{inner}")


@pytest.mark.parametrize("unit", ["<p>x</p>", "<", "<!--", "<a b='", "<template>", "<?end>", "<b>"])
def test_the_time_grows_with_the_length(unit):
    def seconds(text):
        begun = time.thread_time()
        fill_part("d1", text)
        placeholder("d1", text)
        return time.thread_time() - begun

    # How it grows, not how long it takes: 8 times the text; a square would be 64 times the time.
    small = min(seconds(unit * (4_000 // len(unit))) for _ in range(2))
    large = min(seconds(unit * (32_000 // len(unit))) for _ in range(2))
    assert large < 30 * small + 0.05
