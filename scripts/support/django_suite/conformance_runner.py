"""A test runner for Django's own template tests: routes the renders.

``CONFORMANCE_ROUTE`` says where each ``Template.render`` goes:

* ``stock``: nowhere else; this is what the others are compared with;
* ``async``: ``arender_template`` on a running event loop. A render that begins while a loop
  already runs in its thread (a form printed by a template, say) cannot wait for that loop, and
  takes the sync driver, as it does in a real site;
* ``sync``: ``render_template``;
* ``stream``: where ``async`` has the loop, the chunks of ``stream_async``, joined;
* ``eager``: the same, sent at each write and with a wait before each node.
"""

import asyncio
import importlib.util
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from asgiref.sync import async_to_sync
from django.template.base import Template
from django.utils.safestring import SafeString
from recording import RecordingRunner

EAGER = Path(__file__).parents[3] / "tests/streaming/eager.py"
"""What sends at each write. By its place: Django's tests have a folder ``tests`` of their own."""

Render = Callable[[Template, Any], Any]


class RoutingRunner(RecordingRunner):
    """The recording runner, with the renders routed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.routed["renders"] = 0
        render = ROUTES[os.environ["CONFORMANCE_ROUTE"]]()
        Template.render = counted(render, self.routed)  # type: ignore[method-assign]


def counted(render: Render, routed: dict[str, int]) -> Render:
    """The same render, counted."""

    def render_and_count(self: Template, context: Any) -> Any:
        routed["renders"] += 1
        return render(self, context)

    if render is not Template.render:
        from atemplates.compiler import templates

        templates.OUR_REPLACEMENTS.add(
            render_and_count
        )  # which would else be a site's own, to be asked first
    return render_and_count


def stock() -> Render:
    """Django's own render."""
    return Template.render


def through_sync_driver() -> Render:
    """Our plan under the sync driver."""
    from atemplates.engines.django import render_template

    return render_template


def through_async_driver() -> Render:
    """Our plan under the async driver, on an event loop that runs for this render."""
    from atemplates.engines.django import arender_template

    return on_a_loop(arender_template)


def through_stream() -> Render:
    """Our plan, sent piece by piece on an event loop that runs for this render."""
    return on_a_loop(joined_chunks)


def through_eager_stream() -> Render:
    """The same, sent whenever it could be."""
    eager = load_eager()

    async def render(template: Template, context: Any) -> str:
        with eager.eager(), eager.pausing():
            return await joined_chunks(template, context)

    return on_a_loop(render)


async def joined_chunks(template: Template, context: Any) -> str:
    """Render piece by piece; return the pieces joined."""
    from atemplates.engines.streaming import chunks_of

    return SafeString("".join([chunk async for chunk in chunks_of(template, context, None)]))


def load_eager() -> ModuleType:
    """The module of our tests that sends at each write."""
    spec = importlib.util.spec_from_file_location("atemplates_eager", EAGER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def on_a_loop(arender: Callable[[Template, Any], Awaitable[Any]]) -> Render:
    """What renders by awaiting, for code that does not await."""
    from atemplates.engines.django import render_template

    # asgiref's bridge runs the loop in another thread and brings sync work back to this one, so
    # that the test's connection, language and time zone are those of its templates.
    render_and_wait = async_to_sync(arender)

    def render(template: Template, context: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return render_and_wait(template, context)
        return render_template(template, context)

    return render


ROUTES: dict[str, Callable[[], Render]] = {
    "stock": stock,
    "async": through_async_driver,
    "sync": through_sync_driver,
    "stream": through_stream,
    "eager": through_eager_stream,
}
