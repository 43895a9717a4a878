"""The panel in a browser: the demo with the toolbar, served by a process of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.browser import browsers, require_browser
from tests.event_loop import PATIENCE

require_browser()
pytestmark = [pytest.mark.processes, pytest.mark.exhaustive]

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "example"
PANEL = "#LinesOfTemplatesPanel"
SOURCE = f"{PANEL} .at-template .at-source tbody tr"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The address of the demo, whose views load nothing ahead."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder}/shop.sqlite3",
        "DJANGO_SETTINGS_MODULE": "bookshop_site.settings",
        "PYTHONPATH": str(ROOT),
        "SHOP_LAZY": "1",
        "SHOP_TOOLBAR": "1",
    }
    for command in (["migrate", "-v0"], ["load_books"]):
        run = [sys.executable, "manage.py", *command]
        subprocess.run(run, cwd=DEMO, env=environment, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = str(listening.fileno())
        served = [sys.executable, "-m", "uvicorn", "bookshop_site.asgi:application"]
        served += ["--fd", number, "--log-level", "warning"]
        fds = [listening.fileno()]
        process = subprocess.Popen(served, cwd=DEMO, env=environment, pass_fds=fds)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        wait_until_served(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_until_served(process, address):
    for _ in range(int(PATIENCE / 0.05)):
        assert process.poll() is None, "the demo has stopped before it was served"
        try:
            with urlopen(address, timeout=PATIENCE):
                return
        except URLError:
            time.sleep(0.05)
    pytest.fail(f"the demo was not served in {PATIENCE} s")


@pytest.mark.parametrize("path", ["/", "/jinja2/"])
def test_a_line_with_its_milliseconds_and_queries(demo, path):
    seen = []
    with browsers() as start:
        started = start()
        page = started.new_page(viewport={"width": 1400, "height": 950})
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("console", lambda said: seen.append(said.text))
        page.goto(demo + path, timeout=PATIENCE * 1000)
        if not page.locator("a.LinesOfTemplatesPanel").is_visible():
            page.click("#djShowToolBarButton")
        page.click("a.LinesOfTemplatesPanel")
        line = page.locator(SOURCE).filter(has_text="book.publisher.country.name").first
        line.wait_for(timeout=PATIENCE * 1000)
        _, source, ms, runs, queries, query_ms, rows, *_ = line.locator("td").all_inner_texts()
        style = line.locator(".at-text code").evaluate("it => getComputedStyle(it).whiteSpace")
        started.close()
    assert "{{ book.publisher.country.name }}" in source
    assert float(ms) > 0
    assert int(runs) > 1
    assert int(queries) == 2  # the publishers of all books, and their countries
    assert float(query_ms) > 0
    assert int(rows) > 1
    assert style == "pre-wrap"  # the panel's style sheet is there
    assert seen == []  # nor has the page's policy refused anything
