"""Requests every page of a running demo and says what is wrong. Standard library only."""

import http.cookiejar
import re
import runpy
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

TIMEOUT = 30.0
LOGIN = "/admin/login/"
NO_SUCH_PAGE = "/books/a-book-that-nobody-wrote/"
COLUMNS = "{path:<44} {status:>6}  {engine:<7} {mode:<7} {queries:>7} {ms:>8}  {verdict}"


@dataclass(frozen=True)
class Answer:
    """What came back for a request."""

    status: int
    headers: Message
    text: str


@dataclass
class Visitor:
    """A browser's part: one cookie jar, redirects followed.

    Attributes:
        root: the site, such as ``http://127.0.0.1:8000``.
    """

    root: str
    jar: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def __post_init__(self) -> None:
        self.opener = urllib.request.build_opener(
            # A proxy that the environment names is not for this machine.
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(self.jar),
        )

    def request(self, path: str, form: dict[str, str] | None = None) -> Answer:
        """GET a path, or POST a form to it; an error status is an answer too."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self.root + path, data)
        try:
            with self.opener.open(request, timeout=TIMEOUT) as response:
                return Answer(response.status, response.headers, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())

    def sign_in(self, user: str, password: str) -> None:
        """Sign in as the admin's login page does it; whether it worked shows on the next page."""
        page = self.request(LOGIN)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        self.request(
            LOGIN,
            {
                "username": user,
                "password": password,
                "csrfmiddlewaretoken": token[1] if token else "",
                "next": "/admin/",
            },
        )


def check_site(root: str, pages_file: Path) -> int:
    """Request every page and print a line for each.

    Args:
        root: the site, such as ``http://127.0.0.1:8000``.
        pages_file: the demo's ``pages.py``: ``PAGES``, ``DEMO_USER`` and ``DEMO_PASSWORD``.

    Returns:
        How many are wrong.
    """
    expected = runpy.run_path(str(pages_file))
    anonymous, signed_in = Visitor(root), Visitor(root)
    titles = ("path", "status", "engine", "mode", "queries", "ms", "verdict")
    print(COLUMNS.format(**{name: name for name in titles}))
    wrong = 0
    try:
        signed_in.sign_in(expected["DEMO_USER"], expected["DEMO_PASSWORD"])
        for page in expected["PAGES"]:
            answer = (signed_in if page.signed_in else anonymous).request(page.path)
            wrong += report(page.path, answer, complaints(page, answer))
        wrong += check_beside_the_pages(anonymous)
    except OSError as error:
        print(f"The site stopped answering: {error}")
        wrong += 1
    return wrong


def complaints(page: Any, answer: Answer) -> list[str]:
    """What is wrong with a page, in words.

    Args:
        page: with ``engine``, ``text`` and ``is_async``, see ``Page`` in the demo's ``pages.py``.
        answer: what the site answered.
    """
    found = []
    engine, mode = answer.headers["X-Atemplates-Engine"], answer.headers["X-Atemplates-Mode"]
    if answer.status != 200:
        found.append("200 was expected")
    if page.text not in answer.text:
        found.append(f"{page.text!r} is not on it")
    if engine != page.engine:
        found.append(f"rendered by {engine}, not by {page.engine}")
    if page.is_async == (mode in (None, "sync")):
        found.append(f"mode {mode}, from {'an async' if page.is_async else 'a sync'} view")
    if answer.headers["X-Queries"] is None or answer.headers["X-Render-Ms"] is None:
        found.append("X-Queries or X-Render-Ms is missing")
    return found


def check_beside_the_pages(visitor: Visitor) -> int:
    """Check what is no page of the list: a missing page, and the style sheets; how many are wrong.

    Raises:
        OSError: the site does not answer.
    """
    answer = visitor.request(NO_SUCH_PAGE)
    wrong = report(NO_SUCH_PAGE, answer, [] if answer.status == 404 else ["404 was expected"])
    sheets = re.findall(r'<link[^>]+href="(/[^"]+\.css)"', visitor.request("/").text)
    for path in sheets:
        answer = visitor.request(path)
        wrong += report(path, answer, [] if answer.status == 200 else ["200 was expected"])
    if not sheets:
        print("/ links no style sheet")
        wrong += 1
    return wrong


def report(path: str, answer: Answer, found: list[str]) -> bool:
    """Print a line; the result says whether something is wrong."""
    print(
        COLUMNS.format(
            path=path,
            status=answer.status,
            engine=answer.headers["X-Atemplates-Engine"] or "-",
            mode=answer.headers["X-Atemplates-Mode"] or "-",
            queries=answer.headers["X-Queries"] or "-",
            ms=answer.headers["X-Render-Ms"] or "-",
            verdict="; ".join(found) if found else "ok",
        ),
        flush=True,
    )
    return bool(found)
