"""Texts that filters find hard, made from a seed, and what a filter makes of them here and there."""

import random
import string
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeData, SafeString, mark_safe

from atemplates.compiler.fast_filters import FAST_PATHS
from atemplates.compiler.runtime_names import RUNTIME
from atemplates.runtime.ambient import Ambient
from tests.runtime.fast.comparing import inlined_result

WORDS = [
    *("word", "a", "Title", "it's", "O'NEIL", "x'Y", "1ST", "٣Rd", "under_score", "two-part", "--"),
    *(
        "ſtrange",
        "Kelvin",
        "İstanbul",
        "straße",
        "ﬁne",
        "é",
        "e\u0301",
        "\u0301",
        "นำ้",
        "ক্ষ",
        "한",
        "名前",
    ),
    *("😀", "👩\u200d👩", "\u200b", "\ufeff", "\u0958", "\u2adc", "x" * 40, "…", ".", "a.", "(b)"),
]
SPACES = [" ", "  ", "\n", "\n\n", "\n\n\n", "\r\n", "\r", "\t", "\x0b", "\x0c", "\x1c", "\x1f"]
SPACES += ["\x85", "\xa0", "\u2028", "\u2029", "\u3000", "\r\r\n", " \n "]
SIGNS = ["<", ">", "&", '"', "'", "\\", "\0", "`", "=", ";", "%", "%s", "{", "\x7f", "\x9f", "#"]
TAGS = [
    *("<b>", "</b>", "<B>", "</B>", "<p class='a'>", '<a href="/x?a=1&amp;b=2">', "</a>", "<br>"),
    *("<br/>", "<br />", "</br>", "<hr>", "<img src='a.png' alt=\"it's\">", "</p>", "<i >", "<i/>"),
    *("<a href=x>", "<a href=x/>", "<a disabled>", "<a a='<b>'>", "<a a='x'b='y'>", "< b>", "<3"),
    *("<!-- c -->", "<!doctype html>", "<?x?>", "<script>", "</script>", "<style>", "<title>"),
    *(
        "<textarea>",
        "<ſ>",
        "<\u212a>",
        "<b",
        "<b a='",
        "</b ",
        "</ b>",
        "<my-tag>",
        "<svg>",
        "<li\n>",
    ),
    *("<b\na='1'>", "<b/a>", "<b a=>", "<x1>", "<a data-x='1' data-y>", "</x1>", "<![CDATA[x]]>"),
]
ENTITIES = [
    "&amp;",
    "&lt;",
    "&#39;",
    "&#x27;",
    "&notit;",
    "&nbsp;",
    "&copy",
    "& ",
    "&",
    "&#",
    "&x y",
]
ENTITIES += ["&#xg;", "&;", "&a.b;", "&quot;", "&#3", "&#34", "&lt", "&ampx;"]
HOSTS = [
    "example.com",
    "www.example.com",
    "x.com",
    "a.b.org",
    "example.de",
    "http.com",
    "EXAMPLE.net",
]
HOSTS += [
    "www.x",
    "bücher.com",
    "a_b.com",
    "-a.com",
    "a-.org",
    "localhost:8000",
    "www.",
    "com",
    "wwwa.com",
]
HOSTS += ["1.gov", "[::1]", "a..com", "192.168.0.1", "x.comx", "e.mil", "ab.int"]
STARTS = [
    "",
    "http://",
    "https://",
    "HTTP://",
    "ftp://",
    "me@",
    "a.b@",
    "a+b@",
    "(",
    "[",
    "http:",
    "//",
]
STARTS += ["http://u:p@", "httpſ://", '"me"@', "https://www.", "mailto:me@", "(http://"]
ENDS = [
    "",
    "/",
    "/a",
    "/a/b.html",
    "?a=1",
    "/?a=1",
    "/?a",
    "/?a=",
    "?a=1&b=2",
    "#f",
    "/#",
    "/?",
    ".",
    ",",
]
ENDS += [
    ")",
    ").",
    "/a(b)",
    "/a(b)).",
    ";",
    "&amp;",
    "&gt;;",
    "!",
    "...",
    "/%20",
    "/é",
    "/~a//b",
    ":80",
]
ENDS += [
    "/a.",
    "/a&b",
    "/?a=%2f",
    "/?a=b&copy=1",
    "]",
    "/a;b",
    "/..",
    "/a:b",
    "//",
    "/" + "long/" * 9,
]

NUMBERS = [
    0,
    7,
    -12,
    1234567,
    0.5,
    -2.25,
    1e22,
    1e-7,
    float("inf"),
    float("nan"),
    Decimal("1.50"),
    Decimal("-1E+9"),
    Decimal("sNaN"),
]
OTHERS = [None, True, False, [1, "a"], ("x", 2), {"a": "<"}, b"bytes", object, ""]


def some_texts(seed: int, count: int, *kinds: list[str]) -> Iterator[str]:
    """Yield texts of pieces of some kinds, of words and of single characters."""
    chance = random.Random(seed)
    kinds = (WORDS, [" "], *kinds)
    for _ in range(count):
        size = chance.choice((1, 2, 3, 5, 8, 20))
        yield "".join([chance.choice(chance.choice(kinds)) for _ in range(size)])
    letters = string.printable + "éß\xa0\x85İ\u0301\u0e33\u2028\u200b名😀"
    for _ in range(count // 4):
        yield "".join(chance.choices(letters, k=chance.choice((1, 2, 4, 12))))


def addresses(seed: int, count: int) -> Iterator[str]:
    """Yield texts with words that are addresses, or nearly."""
    chance = random.Random(seed)
    for _ in range(count):
        words = []
        for _ in range(chance.choice((1, 1, 2, 4))):
            word = chance.choice(STARTS) + chance.choice(HOSTS) + chance.choice(ENDS)
            words += [word, chance.choice([" ", *SPACES, "<", ">", "'", '"', " word "])]
        yield "".join(words[: chance.choice((-1, len(words)))])


def values_of(texts: Iterator[str]) -> Iterator[Any]:
    """Yield each text as it is and as a safe string, then numbers and other values."""
    for text in texts:
        yield text
        yield SafeString(text)
    yield from NUMBERS
    yield from OTHERS


def outcome(function: Callable[..., Any], *args: Any) -> Any:
    """Return the result with its type, or the exception's type and text."""
    try:
        result = function(*args)
    except Exception as error:
        return type(error), str(error)
    if type(result) is list:
        return list, [(type(item), item) for item in result]
    return type(result), result


def stock(function: Any, value: Any, args: tuple[Any, ...], autoescape: bool) -> Any:
    """Apply a filter as Django does."""
    if getattr(function, "needs_autoescape", False):
        result = function(value, *args, autoescape=autoescape)
    else:
        result = function(value, *args)
    if getattr(function, "is_safe", False) and isinstance(value, SafeData):
        result = mark_safe(result)
    return result


def fast(function: Any, value: Any, args: tuple[Any, ...], autoescape: bool) -> Any:
    """Ask the fast path of a filter, as compiled code does; None where that leaves it to Django."""
    path = FAST_PATHS[function]
    if type(value) not in path.types:
        return None
    given = [Ambient().now()] if path.ambient else []
    given += [value, autoescape] if path.autoescape else [value]
    result = path.function(*given, *args)
    if path.source and not args:
        inlined = eval(path.source.format(value="value"), dict(RUNTIME), {"value": value})
        assert outcome(lambda: inlined) == outcome(lambda: result)
    found = inlined_result(path, value, args, Ambient())
    assert found is None or outcome(lambda: found) == outcome(lambda: result)
    return result


def compare(function: Any, values: Iterator[Any], arguments: list[tuple[Any, ...]]) -> float:
    """Compare a filter's fast path with Django's function; return its share of the strings."""
    taken = strings = 0
    for value in values:
        for args in arguments:
            for autoescape in (True, False) if FAST_PATHS[function].autoescape else (True,):
                ours = fast(function, value, args, autoescape)
                strings += type(value) is str
                if ours is not None:
                    taken += type(value) is str
                    expected = outcome(stock, function, value, args, autoescape)
                    assert outcome(lambda found=ours: found) == expected, (value, args, autoescape)
    return taken / (strings or 1)
