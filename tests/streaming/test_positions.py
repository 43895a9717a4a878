"""Where a page that is being sent takes a fill, however it was cut on the way."""

import time

import pytest
from hypothesis import given

from atemplates.streaming.fills import fill_part, placeholder
from atemplates.streaming.positions import Position
from tests.streaming.html_soup import SOUPS, splits

HEAD = "<!doctype html><html><head><title>t</title></head><body>"


def at(*texts):
    position = Position()
    for text in texts:
        position.feed(text)
    return position


@pytest.mark.parametrize(
    "text",
    [
        *("<p>", "text", "<table>", "<table><tr>", "<ul><li>x", "a < b", "<!-- c -->", "<br/>"),
        *("<script>'<b'</script>", "<script><!-- <script> </script> --></script>", "<svg/>"),
        *("<svg><path d=M0/></path></svg>", "<math><mi>x</mi></math>", "<select></select>"),
        *("<template></template>", "<!-->", "<!--->", "<!--a--!>", "</>", "</ x>", "<?x?>", "<!x>"),
        *("<textarea></p></textarea>", "<a b='>'>", '<a b=">">', "<a b= >", "<a =>", "<a b/c>"),
        *("<xmp><!--</xmp>", "<style></STYLE >", "<svg><![CDATA[</svg>]]></svg>", "<3", "</body>"),
        *("<svg><p>", "<svg><title></svg>", "<iframe></iframe>", "<noscript><</noscript>"),
    ],
)
def test_it_takes_elements_behind(text):
    assert at(HEAD, text).takes_elements
    assert at(HEAD, *text).takes_elements


@pytest.mark.parametrize(
    "text",
    [
        *("<", "</", "<p", "<p ", "<p a", "<p a=", "<p a='>", '<p a=">', "<p a=b", "</p", "</p x"),
        *("<!", "<!-", "<!--", "<!-- -", "<!-- --", "<!-- >", "<!x", "<!doctype html", "<?", "<?x"),
        *("<script>", "<script></script", "<script><!--<script></script>", "<style></p>"),
        *("<textarea>", "<title><b></b>", "<xmp>", "<iframe>", "<noembed>", "<noframes>"),
        *("<noscript>", "<plaintext>", "<plaintext></plaintext>", "<svg>", "<svg><g></g>"),
        *("<svg><![CDATA[></svg>", "<svg><script>", "<math><mi>", "<svg><foreignObject>"),
        *("<template>", "<template><p></p>", "<select>", "<select><option>x", "<a b='</a>"),
    ],
)
def test_it_takes_none_inside(text):
    assert not at(HEAD, text).takes_elements
    assert not at(HEAD, *text).takes_elements


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "<!doctype html>", "<html>", "<!doctype html><html><head>", "<head><meta>"),
        *("<head></head>", "<head></head>\n", "<!-- x -->", "<title>t</title>", "<frameset>"),
        *("<frameset><frame>", "<?start name='x'>"),
    ],
)
def test_it_takes_nothing_before_the_body(text):
    assert not at(text).takes_elements
    assert not at(text).takes_placeholder(placeholder("d1", ""))


@pytest.mark.parametrize(
    "text", ["<body>", "text", "<p>", "<head></head>text", "<title>t</title><p>"]
)
def test_a_body_begins_without_its_tag(text):
    assert at(text).takes_elements


@given(splits())
def test_any_split_gives_the_same_answers(split):
    text, pieces = split
    whole, cut = at(HEAD, text), at(HEAD, *pieces)
    assert cut.takes_elements == whole.takes_elements
    names = [element.name for element in whole._tokenizer.elements.stack]
    assert [element.name for element in cut._tokenizer.elements.stack] == names
    assert cut._tokenizer.mode is whole._tokenizer.mode
    ending = f"{text}</body></html>"
    assert cut.split_before_end(ending) == whole.split_before_end(ending)


@given(SOUPS, SOUPS)
def test_splitting_before_the_end_loses_nothing(before, text):
    position = at(HEAD, before)
    head, tail = position.split_before_end(text)
    assert head + tail == text


@pytest.mark.parametrize(
    ("before", "text", "rest"),
    [
        ("", "x</body></html>", "</body></html>"),
        ("", "x</BODY >\n", "</BODY >\n"),
        ("", "x</html>", "</html>"),
        ("", "x", ""),
        ("", "", ""),
        ("", "<!-- </body> -->x", ""),
        ("", "<a title='</body>'>", ""),
        ("<script>'", "</body>'</script>x</body>", "</body>"),
        ("<script>", "document.write('</body>')", ""),
        ("<!--", "</body>", ""),
        ("", "a</body>b</body>c", "</body>c"),
        ("", "<template></body></template></body>", "</body>"),
        ("", "</bodyx></body>", "</body>"),
        ("</bo", "dy>", ""),
    ],
)
def test_where_the_body_ends(before, text, rest):
    position = at(HEAD, before)
    assert position.split_before_end(text) == (text[: len(text) - len(rest)], rest)


class TestReaches:
    """Which placeholders a browser finds from here by itself."""

    def test_from_the_body_every_one(self):
        position = at(HEAD, "<main><p>", placeholder("d1", "x"), "</p></main>")
        assert position.reaches("d1")

    def test_from_an_element_around_it(self):
        position = at(HEAD, "<main><p>", placeholder("d1", "x"), "</p>")
        assert position.reaches("d1")

    def test_from_elsewhere_none(self):
        position = at(HEAD, "<header>", placeholder("d1", "x"), "</header><main>")
        assert position.takes_elements
        assert not position.reaches("d1")
        position.feed("</main>")
        assert position.reaches("d1")

    def test_none_that_was_not_sent(self):
        assert not at(HEAD).reaches("d1")

    def test_one_in_a_fill_from_where_that_is_placed(self):
        position = at(HEAD, "<main><p>", placeholder("d1", "x"), "</p>")
        position.feed(fill_part("d1", "<b>" + placeholder("d2", "y") + "</b>"))
        assert position.reaches("d2")
        position.feed("</main><footer>")
        assert not position.reaches("d2")

    @pytest.mark.parametrize(
        "tags",
        [
            *(
                "<p>a",
                "<ul><li>a<li>b</ul>",
                "<table><tr><td>a<td>b<tr><td>c</table>",
                "<dl><dt>a<dd>b",
            ),
            *(
                "<b>x</b>",
                "<b><i>x</i></b>",
                "<select><option>a<option>b</select>",
                "<form><p>x</form>",
            ),
            *(
                "<p>a<p>b",
                "<h1>a</h1>",
                "<img><br><hr><input>",
                "<svg><g/><g></g></svg>",
                "<a>x</a>",
            ),
            *(
                "<table><caption>x<tbody><tr><th>x</table>",
                "<button>x</button>",
                "<p>a<div>b</div>",
            ),
        ],
    )
    def test_through_tags_that_are_left_out(self, tags):
        position = at(HEAD, f"<main><i>{placeholder('d1', 'x')}</i>{tags}</main>")
        assert position.reaches("d1")


class TestTakesPlaceholder:
    """Where a part may come later."""

    @pytest.mark.parametrize(
        "before",
        ["", "<table>", "<table><tr>", "<select>", "<ul>", "<p>", "<b>", "<pre>", "<button>"],
    )
    def test_it_may(self, before):
        html = "" if "table" in before else "<b>x"
        assert at(HEAD, before).takes_placeholder(placeholder("d1", html))

    @pytest.mark.parametrize(
        "before", ["<p title='", "<script>", "<textarea>", "<!--", "<svg>", "<template>", "<title>"]
    )
    def test_it_may_not(self, before):
        assert not at(HEAD, before).takes_placeholder(placeholder("d1", "x"))

    @pytest.mark.parametrize(
        ("before", "html"),
        [
            *(("<p>", "<div>x</div>"), ("<p><b>", "<p>x"), ("<ul><li>", "<li>x")),
            *(("<table><tr><td>", "<td>x"), ("<table>", "<tr><td>x"), ("<table>", "x")),
            *(("<table><tr>", "<b>x</b>"), ("<table>", "<br>"), ("<div><b></div>", "x")),
        ],
    )
    def test_it_may_not_where_a_tag_ends_what_is_around_it(self, before, html):
        assert not at(HEAD, before).takes_placeholder(placeholder("d1", html))

    @pytest.mark.parametrize(
        ("before", "html"),
        [
            ("<ul>", "<li>x"),
            ("<table><tbody>", "<tr><td>x"),
            ("<table><tr>", "<td>x"),
            ("<div>", "<p>x<p>y"),
        ],
    )
    def test_end_tags_may_be_left_out(self, before, html):
        assert at(HEAD, before).takes_placeholder(placeholder("d1", html))

    @pytest.mark.parametrize(
        ("before", "takes"),
        [
            *(("", True), ("<tr>", True), ("<tr><td>", True), ("<p>", True), ("<title>", False)),
            *(("<a b='", False), ("<script>", False), ("<svg>", False), ("<template>", False)),
        ],
    )
    def test_in_a_part(self, before, takes):
        position = Position(in_part=True)
        position.feed(before)
        assert position.takes_placeholder(placeholder("d1", "")) is takes

    def test_nothing_is_said_of_what_no_browser_follows(self):
        position = at(HEAD, "<span>" * 600)
        assert not position.takes_elements
        assert not position.takes_placeholder(placeholder("d1", "x"))

    def test_asking_changes_nothing(self):
        position = at(HEAD, "<main>")
        position.takes_placeholder(placeholder("d1", "<div>"))
        assert not position.reaches("d1")
        assert len(position._tokenizer.elements.stack) == 2


@pytest.mark.parametrize(
    "unit",
    [
        "<p>x",
        "<a><span>x",
        "<span></i>",
        "<p><button></b>",
        "<",
        "<!--",
        "<p a='",
        "a='>' ",
        "<script>",
        "<script><!--",
        "<b>",
        "</b>",
        "-",
        "<template>",
        "<?x",
        "</script",
    ],
)
@pytest.mark.parametrize("size", [1, 64])
def test_the_time_grows_with_the_length(unit, size):
    def seconds(text):
        begun = time.thread_time()
        position = Position()
        for start in range(0, len(text), size):
            position.feed(text[start : start + size])
        return time.thread_time() - begun

    for prefix in ("", "<p a='", "<script>", "<!--"):
        small = min(seconds(prefix + unit * (4_000 // len(unit))) for _ in range(2))
        large = min(seconds(prefix + unit * (32_000 // len(unit))) for _ in range(2))
        # How it grows, not how long it takes: 8 times the text; a square would be 64 times.
        assert large < 30 * small + 0.05
