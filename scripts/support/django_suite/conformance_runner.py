"""A test runner for Django's own template tests: routes the renders.

``CONFORMANCE_ROUTE`` says where each ``Template.render`` goes:

* ``stock``: nowhere else; this is what the others are compared with;
* ``async``: ``arender_template`` on a running event loop. A render that begins while a loop
  already runs in its thread (a form printed by a template, say) cannot wait for that loop, and
  takes the sync driver, as it does in a real site;
* ``sync``: ``render_template``.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync
from django.template.base import Template
from recording import RecordingRunner

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
    from atemplates.engines.django import arender_template, render_template

    # asgiref's bridge runs the loop in another thread and brings sync work back to this one, so
    # that the test's connection, language and time zone are those of its templates.
    render_and_wait = async_to_sync(arender_template)

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
}
