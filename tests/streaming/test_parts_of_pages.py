"""Parts of a page that is sent: rendered at the same time, or deferred."""

import asyncio
import time

import pytest
from django.template import engines

SOURCE_OF_NESTED = (
    "{% load atemplates %}{% parallel %}{% if 1 %}<b>{% parallel %}{% for i in rows %}{{ i }}"
    "{% endfor %}{% endparallel %}</b>{% endif %}{{ wait }}{% endparallel %}"
)


def template_of(source):
    return engines["django"].from_string(source)


async def wait():
    await asyncio.sleep(0.001)
    return "w"


async def test_the_only_part_of_a_nested_parallel_does_not_take_the_place_of_the_part_around_it():
    template = template_of(SOURCE_OF_NESTED)
    context = {"rows": [1, 2], "wait": wait}
    assert await template.render_async(context) == "<b>12</b>w"
    assert "".join([chunk async for chunk in template.stream_async(context)]) == "<b>12</b>w"


class Slow:
    """Its methods are code of others that belongs in the request's thread."""

    def first(self):
        time.sleep(0.005)
        return "a"

    second = first


@pytest.mark.parametrize("out_of_order", [False, True])
def test_a_part_that_needs_the_thread_while_the_page_is_there(out_of_order):
    async def check():
        template = template_of(
            "{% load atemplates %}{{ t.first }}{% defer %}{{ t.second }}{% enddefer %}{{ t.first }}"
        )
        for _ in range(3):
            assert await template.render_async({"t": Slow()}) == "aaa"
            chunks = template.stream_async({"t": Slow()}, out_of_order=out_of_order)
            assert "".join([chunk async for chunk in chunks]).count("a") >= 3

    asyncio.run(check())
