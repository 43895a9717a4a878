"""``sse`` with a real browser's ``EventSource``, and with a script that swaps as htmx does."""

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.urls import path

from atemplates import SseEvent, sse
from tests.browser import browsers, require_browser
from tests.delivery.conftest import Events
from tests.event_loop import PATIENCE
from tests.server import serve

require_browser()

EVENT_SOURCE = """<!doctype html><title>t</title><ul></ul>
<script>
  window.opened = 0;
  window.got = [];
  const source = new EventSource("/events/");
  source.onopen = () => { window.opened += 1; };
  const note = (event) => {
    window.got.push([event.type, event.data, event.lastEventId]);
    document.querySelector("ul").insertAdjacentHTML("beforeend", event.data);
  };
  source.onmessage = note;
  source.addEventListener("named", note);
  source.addEventListener("closed", () => { source.close(); });
</script>"""
SWAPPING = """<!doctype html><title>t</title>
<div sse-connect="/events/" sse-close="closed">
  <ul sse-swap="review" hx-swap="beforeend"></ul><b sse-swap="count">?</b>
</div>
<script>
  for (const place of document.querySelectorAll("[sse-connect]")) {
    const source = window.source = new EventSource(place.getAttribute("sse-connect"));
    source.addEventListener(place.getAttribute("sse-close"), () => source.close());
    for (const element of place.querySelectorAll("[sse-swap]"))
      source.addEventListener(element.getAttribute("sse-swap"), (event) => {
        const way = element.getAttribute("hx-swap");
        if (way) element.insertAdjacentHTML(way, event.data);
        else element.innerHTML = event.data;
      });
  }
</script>"""


async def page(request, text):
    return HttpResponse(text)


async def listen(request):
    return listen.view(request)


urlpatterns = [
    path("source/", page, {"text": EVENT_SOURCE}),
    path("swap/", page, {"text": SWAPPING}),
    path("events/", listen),
]


@pytest.fixture
def site(engines, settings):
    settings.ROOT_URLCONF = __name__
    with serve(ASGIHandler()) as address:
        yield address


@pytest.fixture
def tab(site):
    with browsers() as start:
        running = start()
        tab = running.new_page(base_url=site)
        tab.set_default_timeout(PATIENCE * 1000)
        yield tab
        running.close()


def test_event_source(tab, feed):
    listen.view = lambda request: sse(request, "row", feed, retry=20)
    tab.goto("/source/")
    tab.wait_for_function("opened == 1")
    feed.put({"name": "<a>"}, SseEvent({"name": "b"}, event="named", id="7"))
    tab.wait_for_function("got.length == 2")
    assert tab.evaluate("got") == [
        ["message", "<p>\n&lt;a&gt;\n</p>", ""],
        ["named", "<p>\nb\n</p>", "7"],
    ]
    assert tab.inner_text("ul").split() == ["<a>", "b"]
    tab.close()
    assert feed.ended.wait(PATIENCE)


@pytest.mark.parametrize("end", [ValueError("broken"), None], ids=["error", "end"])
def test_it_connects_again_and_says_what_it_has_got(tab, end):
    feeds, ids = [Events(), Events()], []

    def view(request):
        ids.append(request.headers.get("Last-Event-ID"))
        return sse(request, "other", feeds[len(ids) - 1], retry=20)

    listen.view = view
    feeds[0].put(SseEvent({"name": 1}, id=41), end)
    feeds[1].put({"name": 2})
    tab.goto("/source/")
    tab.wait_for_function("got.length == 2")
    assert tab.evaluate("got.map(each => each[1])") == ["other 1", "other 2"]
    assert tab.evaluate("opened") == 2
    assert ids == [None, "41"]
    feeds[1].put(SseEvent(event="closed", data=""))
    assert feeds[1].ended.wait(PATIENCE)
    assert tab.evaluate("source.readyState") == 2
    assert len(ids) == 2


def test_a_script_that_swaps(tab, feed):
    listen.view = lambda request: sse(request, "row", feed, event="review")
    tab.goto("/swap/")
    for number in (1, 2):
        feed.put({"name": f"<{number}>"})
        feed.put(SseEvent({"name": number}, event="count", template_name="other"))
        tab.wait_for_function(f"document.querySelector('b').innerText == 'other {number}'")
        assert tab.locator("ul > p").count() == number
    assert tab.inner_text("ul").split() == ["<1>", "<2>"]
    feed.put(SseEvent(event="closed", data=""))
    tab.wait_for_function("source.readyState == 2")
    assert feed.ended.wait(PATIENCE)
