"""scripts/demo --check: a page that is wrong is found, over real HTTP."""

import http.server
import threading

import pytest
from site_check import check_site

PAGES = """
from typing import NamedTuple

DEMO_USER, DEMO_PASSWORD = "demo", "demo"


class Page(NamedTuple):
    path: str
    engine: str
    text: str
    signed_in: bool = False
    is_async: bool = True


PAGES = [
    Page("/", "django", "Middlemarch"),
    Page("/jinja2/", "jinja2", "Middlemarch"),
    Page("/admin/", "django", "Site administration", signed_in=True, is_async=False),
]
"""
HEADERS = {"X-Queries": "2", "X-Render-Ms": "1.5"}


class Site:
    """What the server answers: (status, engine, mode, text) for each path."""

    def __init__(self):
        self.pages = {
            "/": (200, "django", "thread", '<link href="/shop.css">Middlemarch'),
            "/jinja2/": (200, "jinja2", "native", "Middlemarch"),
            "/admin/": (200, "django", "sync", "Site administration"),
            "/admin/login/": (200, "django", "sync", 'name="csrfmiddlewaretoken" value="t0ken"'),
            "/shop.css": (200, None, None, ""),
        }
        self.form = b""


@pytest.fixture
def site():
    site = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(*site.pages.get(self.path, (404, None, None, "")))

        def do_POST(self):
            site.form = self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def answer(self, status, engine, mode, text):
            self.send_response(status)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            if engine:
                self.send_header("X-Atemplates-Engine", engine)
                self.send_header("X-Atemplates-Mode", mode)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args):
            """Keep the test's output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        site.root = f"http://127.0.0.1:{server.server_port}"
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def wrong(site, tmp_path, capsys):
    """Check the site; gives the number of wrong pages and the lines that were printed."""
    pages = tmp_path / "pages.py"
    pages.write_text(PAGES)

    def check():
        number = check_site(site.root, pages)
        return number, capsys.readouterr().out.splitlines()

    return check


def test_a_right_site_has_a_line_for_each_page(wrong, site):
    number, lines = wrong()
    assert number == 0
    assert [line.split()[0] for line in lines] == [
        *("path", "/", "/jinja2/", "/admin/", "/books/a-book-that-nobody-wrote/", "/shop.css")
    ]
    assert lines[1].split()[1:] == ["200", "django", "thread", "2", "1.5", "ok"]
    assert b"csrfmiddlewaretoken=t0ken" in site.form
    assert b"username=demo" in site.form


@pytest.mark.parametrize(
    ("path", "answer", "complaint"),
    [
        ("/", (500, "django", "thread", "Middlemarch /shop.css"), "200 was expected"),
        ("/jinja2/", (200, "jinja2", "native", "Emma"), "'Middlemarch' is not on it"),
        ("/jinja2/", (200, "django", "native", "Middlemarch"), "rendered by django, not by jinja2"),
        ("/jinja2/", (200, "jinja2", "sync", "Middlemarch"), "mode sync, from an async view"),
        ("/jinja2/", (200, None, None, "Middlemarch"), "mode None, from an async view"),
        ("/admin/", (200, "django", "native", "Site administration"), "mode native, from a sync"),
        ("/admin/", (302, "django", "sync", "Site administration"), "200 was expected"),
        ("/books/a-book-that-nobody-wrote/", (200, None, None, ""), "404 was expected"),
        ("/shop.css", (404, None, None, ""), "200 was expected"),
    ],
)
def test_a_wrong_page_is_named(wrong, site, path, answer, complaint):
    site.pages[path] = answer
    number, lines = wrong()
    assert number >= 1
    assert complaint in next(line for line in lines if line.split()[0] == path)


def test_a_page_without_the_facts_is_wrong(wrong, monkeypatch):
    monkeypatch.delitem(HEADERS, "X-Queries")
    number, lines = wrong()
    assert number == 3
    assert lines[1].endswith("X-Queries or X-Render-Ms is missing")


def test_a_site_that_is_gone_is_wrong(wrong, site):
    site.root = "http://127.0.0.1:1"
    number, lines = wrong()
    assert number == 1
    assert "stopped answering" in lines[-1]
