"""What waits several times, as pages: with one of the waits, one after the other, and together.

The database and the models are the demo's, whose `Pause` lets a query take as long as it is told
to on its connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache, partial
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.template.backends.django import DjangoTemplates as StockTemplates
from django.test import AsyncClient

from atemplates import aload
from atemplates.engines.django import DjangoTemplates
from shop.dashboard import panels
from shop.latency import Pause
from shop.models import Tag

NAMES = ("a", "b", "c")
AT_A_TIME = 6
"""``OPTIONS["parallel"]`` of the engine that has it."""
ALIKE = 1.15
"""What several waits may take at most, over what one takes, to be as good as one."""
ALIKE_IF_SHORT = 1.5
"""The same for waits of 10 ms, which starting them is a part of."""

Render = Callable[[], Awaitable[str]]


class Case(NamedTuple):
    """A page that waits several times.

    Attributes:
        one: the page with one of its waits only.
        one_by_one: the page where nothing was asked to run at the same time.
        together: the page where it was.
        limit: what ``together`` may take at most, over ``one``.
        stock: the page by Django's own backend in a thread, where that has such a page.
        alone: ``one``, its wait on a connection that is opened for it.
    """

    one: Render
    one_by_one: Render
    together: Render
    limit: float
    stock: Render | None = None
    alone: Render | None = None


def rows(milliseconds: int, name: str) -> QuerySet[Tag]:
    """Five rows, by a query that takes its time."""
    return Tag.objects.filter(Pause(milliseconds, name)).order_by("name")[:5]


def querysets(milliseconds: int) -> dict[str, Any]:
    """A context of querysets, each by itself."""
    return {name: rows(milliseconds, name) for name in NAMES}


def loads(milliseconds: int) -> dict[str, Any]:
    """The same, begun with `aload`."""
    return {name: aload(queryset) for name, queryset in querysets(milliseconds).items()}


def sleepers(milliseconds: int) -> dict[str, Any]:
    """A context of coroutines."""
    return {name: asyncio.sleep(milliseconds / 1000, [name]) for name in NAMES}


# -- templates -------------------------------------------------------------------------------------


def each_in(*names: str) -> str:
    """A loop over each of some variables, one after the other."""
    return "\n".join(f"{{% for row in {name} %}}{{{{ row }}}}, {{% endfor %}}" for name in names)


def thrice(part: str) -> str:
    """The same part three times."""
    return "\n".join([part] * 3)


def parallel(template: str) -> str:
    """The template, its parts rendered at the same time."""
    return f"{{% parallel %}}{template}{{% endparallel %}}"


LOOP = "{% for number in numbers %}{{ number }}: {% pause wait %}\n{% endfor %}"
PARTS = {
    "rows": (each_in("a"), each_in(*NAMES)),
    "tags": ("{% pause wait %}", thrice("{% pause wait %}")),
    "includes": ('{% include "tags one" %}', thrice('{% include "tags one" %}')),
    "asks": ('{% ask wait "a" %}', "\n".join(f'{{% ask wait "{name}" %}}' for name in NAMES)),
    "loop": (LOOP, LOOP),
}
KINDS = ("one", "all", "parallel")
TEMPLATES = {
    f"{name} {kind}": template
    for name, (one, several) in PARTS.items()
    for kind, template in zip(KINDS, (one, several, parallel(several)), strict=True)
}


@cache
def backend(kind: type[StockTemplates], **options: Any) -> Any:
    """A backend that has these templates, and the tags in them."""
    loader = ("django.template.loaders.locmem.Loader", TEMPLATES)
    return kind(
        {
            "NAME": "parallel pages",
            "DIRS": [],
            "APP_DIRS": False,
            "OPTIONS": {
                "loaders": [("django.template.loaders.cached.Loader", [loader])],
                "builtins": ["atemplates.templatetags.atemplates", "benchmarks.parallel_tags"],
                **options,
            },
        }
    )


def ours(name: str, values: Callable[[], dict[str, Any]] = dict, **options: Any) -> Render:
    """A page by our backend; its context is made anew each time."""
    template = backend(DjangoTemplates, **options).get_template(name)

    async def render() -> str:
        text: str = await template.render_async(values())
        return text

    return render


def stock(name: str, values: Callable[[], dict[str, Any]] = dict) -> Render:
    """A page by Django's own backend in a thread."""
    template = backend(StockTemplates).get_template(name)

    async def render() -> str:
        text: str = await sync_to_async(lambda: template.render(values()))()
        return text

    return render


# -- cases -----------------------------------------------------------------------------------------


def cases(long: int, short: int) -> dict[str, Case]:
    """What is asked to take as long as one of its waits.

    Args:
        long: the milliseconds of most waits.
        short: those of waits that beginning them is a part of.
    """
    found = queryset_cases(long, ALIKE) | queryset_cases(short, ALIKE_IF_SHORT)
    for title, name in (("async tags", "tags"), ("includes", "includes")):
        one, one_by_one, together = (
            ours(f"{name} {kind}", lambda: {"wait": long}) for kind in KINDS
        )
        found[f"three {title} of {long} ms, {{% parallel %}}"] = Case(
            one, one_by_one, together, ALIKE
        )
    one, one_by_one, together = (
        ours(f"loop {kind}", partial(dict, wait=long // 2, numbers=range(rows)))
        for kind, rows in zip(KINDS, (1, 20, 20), strict=True)
    )
    title = f"a loop of 20 awaits of {long // 2} ms, {{% parallel %}}"
    return found | {title: Case(one, one_by_one, together, ALIKE)} | dashboard_cases(long)


def queryset_cases(milliseconds: int, limit: float) -> dict[str, Case]:
    """Three querysets, by each way to have them load at the same time."""
    values = partial(querysets, milliseconds)
    plain = ours("rows all", values)
    ways = {
        "aload": ours("rows all", partial(loads, milliseconds)),
        'OPTIONS["parallel"]': ours("rows all", values, parallel=AT_A_TIME),
        "{% parallel %}": ours("rows parallel", values),
    }
    one, in_stock = ours("rows one", values), stock("rows all", values)
    alone = ours("rows one", lambda: {"a": aload(rows(milliseconds, "a"))})
    return {
        f"three querysets of {milliseconds} ms, {way}": Case(
            one, plain, together, limit, in_stock, alone
        )
        for way, together in ways.items()
    }


def dashboard_cases(milliseconds: int) -> dict[str, Case]:
    """The demo's dashboard, whose five queries take their time, by each delivery."""
    client = AsyncClient()

    def page(delivery: str) -> Render:
        async def get() -> str:
            response = await client.get(f"/dashboard/{delivery}/?latency={milliseconds}")
            assert response.status_code == 200, response.content
            queries: str = response.headers["X-Queries"]
            return queries

        return get

    async def slowest() -> str:
        queries = panels(milliseconds)
        await sync_to_async(len)(queries["countries"])
        return str(len(queries))

    ways = {"aload": "aload", 'OPTIONS["parallel"]': "option", "{% parallel %}": "tag"}
    return {
        f"the demo's dashboard, {way}": Case(
            slowest, page("plain"), page(delivery), ALIKE, page("stock")
        )
        for way, delivery in ways.items()
    }


# -- what overlaps ---------------------------------------------------------------------------------


class Overlap(NamedTuple):
    """Something that waits, once and three times.

    Attributes:
        overlaps: whether the three are expected to take as long as one.
    """

    one: Render
    three: Render
    overlaps: bool


def overlaps(milliseconds: int) -> dict[str, Overlap]:
    """What overlaps and what does not, on one page or in one view."""

    def gathered(call: Callable[[QuerySet[Tag]], Awaitable[Any]]) -> tuple[Render, Render]:
        async def run(count: int) -> str:
            done = await asyncio.gather(*(call(rows(milliseconds, name)) for name in NAMES[:count]))
            return str(len(done))

        return partial(run, 1), partial(run, 3)

    def pages(name: str, kind: str, values: Any, **options: Any) -> tuple[Render, Render]:
        return ours(f"{name} one", values), ours(f"{name} {kind}", values, **options)

    values = partial(querysets, milliseconds)
    wait = partial(dict, wait=milliseconds)
    return {
        "sync_to_async(list)(queryset), gathered": Overlap(*gathered(sync_to_async(list)), False),
        "queryset.acount(), gathered": Overlap(*gathered(lambda each: each.acount()), False),
        "querysets that a template loops over": Overlap(*pages("rows", "all", values), False),
        "sync tags that query": Overlap(*pages("asks", "all", wait), False),
        "sync tags that query, in {% parallel %}": Overlap(*pages("asks", "parallel", wait), False),
        "coroutines in the context": Overlap(
            *pages("rows", "all", partial(sleepers, milliseconds)), True
        ),
        "async tags": Overlap(*pages("tags", "all", wait), False),
        "async tags in {% parallel %}": Overlap(*pages("tags", "parallel", wait), True),
        "aload(queryset)": Overlap(
            ours("rows one", values), ours("rows all", partial(loads, milliseconds)), True
        ),
        "aload(queryset.count), gathered": Overlap(*gathered(lambda each: aload(each.count)), True),
        'querysets, OPTIONS["parallel"]': Overlap(
            *pages("rows", "all", values, parallel=AT_A_TIME), True
        ),
        "querysets in {% parallel %}": Overlap(*pages("rows", "parallel", values), True),
    }
