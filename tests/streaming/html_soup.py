"""Pieces of HTML that a tokenizer has to tell apart, for generated pages."""

from hypothesis import strategies as st


def words(text):
    return text.split()


TEXTS = ["text", " ", "a < b", "&lt;b>", "]]>", "-->", '"', "'", "=", "/>", "<", "</", "<!", "é"]
TAGS = words(
    "div p ul li dl dt dd b i a span table tbody tr td th caption colgroup col form button h1 h2 pre "
    "section template br img input hr option optgroup select svg math g foreignObject desc mi em "
    "blockquote ruby center nobr object"
)
RAW_TAGS = words("script style textarea title xmp iframe noembed noframes")
ATTRIBUTES = [
    *(
        "",
        " a",
        " a=b",
        " a='<b>'",
        ' a="</p>"',
        " a = x",
        " /",
        "/",
        " a=x/",
        " =a",
        ' a"b',
        " a=''b",
    ),
    *(' a="\'"', "\na\n=\n'x'", ' a="<!--"', " a=b'c", ' a="<template>"'),
]
ODDITIES = [
    *("<!-- c -->", "<!-- </p> -->", "<!-->", "<!--->", "<!--a--!>", "<!---->", "<!-- <!-- -->"),
    *("<!doctype html>", "<!x>", "<![CDATA[ <b> ]]>", "<?pi <b?>", "</>", "</ x>", "<3", "<!-- a"),
    *("<?start name='x'>", "<?end>", "<!--?end-->", "<p", "<p a='", "</p", '<a b="'),
    *(
        "<script><!-- <script> </script> --></script>",
        "<script><!--</script>",
        "<style><!--</style>",
    ),
    *("<script>'<!--<script>'</script>", "<textarea></p></textarea>", "<title></titlex></title>"),
]


def tag(name, attributes, end):
    return f"</{name}{attributes}>" if end else f"<{name}{attributes}>"


PIECES = st.one_of(
    st.sampled_from(TEXTS),
    st.builds(tag, st.sampled_from(TAGS), st.just(""), st.booleans()),
    st.builds(tag, st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES), st.booleans()),
    st.builds(tag, st.sampled_from(RAW_TAGS), st.just(""), st.booleans()),
    st.sampled_from(ODDITIES),
)
SOUPS = st.lists(PIECES, max_size=12).map("".join)


@st.composite
def splits(draw, texts=SOUPS):
    """A text, and the pieces that it is cut into."""
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
    return text, [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
