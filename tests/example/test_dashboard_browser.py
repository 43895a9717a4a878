"""The dashboard in a browser: it fills while the page stays as high as it is, under a strict policy."""

import pytest
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

from tests.browser import STANDARD, browsers, require_browser
from tests.event_loop import PATIENCE
from tests.server import serve

require_browser()
PANELS = 5
WAITING = ".panels > .waiting"
ARRIVED = ".panels > section[aria-labelledby]"


@pytest.fixture
def address(open_shop):
    """The shop with its style sheet."""
    with serve(ASGIStaticFilesHandler(get_asgi_application())) as root:
        yield root


@pytest.fixture(params=["the standard", "the script"])
def open_page(address, request):
    """What opens a page of the shop in a browser that has the markup of the standard, or has not."""
    with browsers() as start:
        lacks = () if request.param == "the standard" else STANDARD
        started = start(*lacks)
        seen = []

        def open_page(path, **how):
            page = started.new_page(**how)
            page.on("console", lambda message: seen.append(message.text))
            page.on("pageerror", lambda error: seen.append(str(error)))
            page.goto(address + path, wait_until="commit", timeout=PATIENCE * 1000)
            return page

        yield open_page
        started.close()
        assert seen == []  # nor has the policy refused anything


def height(page):
    return page.evaluate("document.documentElement.scrollHeight")


def test_it_fills_and_nothing_moves(open_page, hold_panels):
    others = hold_panels(free=1)
    page = open_page("/dashboard/defer/?latency=50&uneven=on")
    page.wait_for_selector(ARRIVED)
    assert page.locator(WAITING).count() == PANELS - 1
    before = height(page)
    others.set()
    page.wait_for_load_state("load")
    assert page.locator(WAITING).count() == 0
    assert page.locator(ARRIVED).count() == PANELS
    assert page.locator(".times .bar").count() == PANELS
    assert page.locator("template, script").count() == 0
    assert height(page) == before


def test_without_scripts_it_is_whole_in_order(open_page):
    page = open_page("/dashboard/stream/?latency=50", java_script_enabled=False)
    page.wait_for_load_state("load")
    assert page.locator(ARRIVED).count() == PANELS
    assert page.locator(".times .bar").count() == PANELS
