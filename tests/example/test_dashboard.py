"""The dashboard: the same panels by every delivery, and how long they take."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import AsyncClient

from shop.catalogue import load, read_books
from shop.dashboard import DELIVERIES

PANELS = ["centuries", "authors", "reviews", "countries", "subjects"]
PARALLEL = ["tag", "aload", "option"]
ONE_BY_ONE = ["stock", "plain"]
LATENCY = 100


@pytest.fixture
def open_shop(transactional_db, site):
    """A client on a shop whose books are committed: other connections see them."""
    load(read_books())
    return AsyncClient()


def panels_of(response):
    """The panels, without how long they took."""
    panels = re.search(r'<div class="panels">(.*?)</div>', response.content.decode(), re.S)[1]
    return re.sub(r"\s+|[\d.]+ ms", " ", panels)


def times_of(response):
    """The milliseconds that the page says each query took."""
    return [float(ms) for ms in re.findall(r"query took ([\d.]+) ms", response.content.decode())]


async def test_all_deliveries_give_the_same_panels(open_shop):
    pages = {name: await open_shop.get(f"/dashboard/{name}/") for name in DELIVERIES}
    expected = panels_of(pages["stock"])
    for name in PANELS:
        assert f'<h2 id="{name}">' in expected
    assert "United Kingdom</span> <span>126<" in expected
    assert "Leo Tolstoy</a> <span>4.8 ★ from 4<" in expected
    for name, page in pages.items():
        assert panels_of(page) == expected, name
        assert page["X-Queries"] == str(len(PANELS)), name
        assert len(times_of(page)) == len(PANELS), name


async def test_the_panels_inside_a_transaction_are_the_same(shop):
    """The fixture's: what no other connection sees is on the page however it is delivered."""
    await get_user_model().objects.filter(username="dana").aupdate(first_name="Diana")
    pages = {name: await shop.get(f"/dashboard/{name}/") for name in DELIVERIES}
    assert "Diana" in panels_of(pages["stock"])
    for name, page in pages.items():
        assert panels_of(page) == panels_of(pages["stock"]), name
        assert page["X-Queries"] == str(len(PANELS)), name


@pytest.mark.parametrize("delivery", ONE_BY_ONE)
async def test_a_sequential_delivery_takes_as_long_as_all_queries(open_shop, delivery):
    page = await open_shop.get(f"/dashboard/{delivery}/?latency={LATENCY}")
    assert all(ms >= LATENCY for ms in times_of(page))
    assert float(page["X-Render-Ms"]) >= len(PANELS) * LATENCY


@pytest.mark.parametrize("delivery", PARALLEL)
async def test_a_parallel_delivery_takes_less_than_half(open_shop, delivery):
    """It takes as long as the slowest query; half of all of them is for a machine that is busy.

    psycopg's pool has four connections if nobody says more: what finds none idle is loaded by the
    request's thread.
    """
    has_pool = connection.settings_dict["OPTIONS"].get("pool")
    most = len(PANELS) * LATENCY * (0.9 if has_pool else 0.5)
    await open_shop.get(f"/dashboard/{delivery}/")  # templates are compiled
    page = await open_shop.get(f"/dashboard/{delivery}/?latency={LATENCY}")
    took = times_of(page)
    assert len(took) == len(PANELS)
    assert all(ms >= LATENCY for ms in took)
    assert float(page["X-Render-Ms"]) < most


async def test_a_query_waits_once_however_many_rows_it_has(open_shop):
    page = await open_shop.get("/dashboard/stock/?latency=20")
    assert all(20 <= ms < 20 * len(PANELS) for ms in times_of(page))


@pytest.mark.parametrize(
    "latency", ["abc", "-1", "1001", "1e9", "0x10", "10; drop table shop_book"]
)
async def test_a_latency_that_is_none_is_refused(open_shop, latency):
    page = await open_shop.get("/dashboard/", {"latency": latency})
    text = page.content.decode()
    assert page.status_code == 200
    assert 'class="errorlist"' in text
    assert len(times_of(page)) == len(PANELS)
    assert max(times_of(page)) < LATENCY


async def test_the_largest_latency_is_allowed(open_shop):
    page = await open_shop.get("/dashboard/stock/?latency=")
    assert 'class="errorlist"' not in page.content.decode()
    assert 'max="1000"' in page.content.decode()


async def test_an_unknown_delivery_is_not_there(shop):
    assert (await shop.get("/dashboard/nothing/")).status_code == 404


async def test_the_dashboard_is_in_the_navigation_and_links_every_delivery(shop):
    assert 'href="/dashboard/"' in (await shop.get("/")).content.decode()
    text = (await shop.get("/dashboard/?latency=10")).content.decode()
    for name in DELIVERIES:
        assert f'href="/dashboard/{name}/?latency=10"' in text
    assert text.count('aria-current="page"') == 2
