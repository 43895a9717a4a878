"""A test runner for Django's tests of class-based views and responses: puts ours in their place.

``CONFORMANCE_ROUTE`` says whose classes the tests get and how the test client's requests go:

* ``stock``: Django's, as the tests have it; this is what ``wsgi`` is compared with;
* ``stock-asgi``: Django's, and each request of the sync client goes through the ASGI handler;
  ``asgi`` is compared with it;
* ``wsgi``: our views, access mixins, responses, error handlers and template backends;
* ``asgi``: these, and the requests as in ``stock-asgi``;
* ``asgi-hops``: the same, and views go to the request's thread hook by hook, not as a whole.
"""

import os
from importlib import import_module
from typing import Any

from asgi_client import AsgiClientHandler
from django.test import client
from recording import RecordingRunner
from replacement import classes_in_place, import_again, replace_in
from uses import count_requests, count_uses

PLACES = {
    # A package comes before what is in it.
    "django.views": "atemplates.views",
    "django.views.generic": "atemplates.views",
    "django.views.generic.base": "atemplates.views",
    "django.views.generic.dates": "atemplates.views",
    "django.views.generic.detail": "atemplates.views",
    "django.views.generic.edit": "atemplates.views",
    "django.views.generic.list": "atemplates.views",
    "django.contrib.auth.mixins": "atemplates.views",
    "django.template.response": "atemplates.response",
    "django.template.backends.django": "atemplates.engines.django",
    "django.template.backends.jinja2": "atemplates.engines.jinja2",
}
"""Modules of Django's, and our module with the same names."""

KEPT = {"django.template.backends.jinja2": frozenset({"Origin"})}
"""Classes that stay Django's: plain data."""

HANDLERS = {
    "handler400": "bad_request",
    "handler403": "permission_denied",
    "handler404": "page_not_found",
    "handler500": "server_error",
}
"""The error handlers, as ``django.conf.urls`` and as ``django.views.defaults`` call them."""


MADE_AGAIN = ("django.contrib.auth.views", "django.views.i18n")
"""Modules of Django's that have been imported before and derive classes of their own from these."""


class ViewsRunner(RecordingRunner):
    """The recording runner, with our classes in place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        route = os.environ["CONFORMANCE_ROUTE"]
        over_asgi = "asgi" in route
        if over_asgi:
            client.ClientHandler = AsgiClientHandler  # type: ignore[misc,assignment]
            count_requests(self.routed)
        if not route.startswith("stock"):
            replace_classes()
            count_uses(self.routed, on_loop=over_asgi)
        if route == "asgi-hops":
            begin_on_loop(self.routed)


def replace_classes() -> None:
    """Put ours in the place of Django's.

    The access mixins can be imported only now, when the applications are there. The admin has been
    imported by then too, and keeps Django's.
    """
    replacements: dict[str, dict[str, Any]] = {
        place: classes_in_place(
            import_module(place), import_module(ours), KEPT.get(place, frozenset())
        )
        for place, ours in PLACES.items()
    }
    defaults = import_module("atemplates.views.defaults")
    replacements["django.views.defaults"] = {
        name: getattr(defaults, name) for name in HANDLERS.values()
    }
    replacements["django.conf.urls"] = {
        handler: getattr(defaults, name) for handler, name in HANDLERS.items()
    }
    for place, values in replacements.items():
        replace_in(place, values)
    for module in MADE_AGAIN:
        import_again(module)


def begin_on_loop(routed: dict[str, int]) -> None:
    """Have views begin on the event loop, as if each had an ``async def``, and count them.

    Each ``def`` of theirs then takes a hop of its own. Only a ``def`` that is around all of a view
    (``setup``, ``dispatch``) takes it to the thread as ever.
    """
    from atemplates.views import placement, view_functions
    from atemplates.views.colours import Colour
    from atemplates.views.hooks import colours_of

    begun = "views begun on a loop"
    routed[begun] = 0

    def begins_in_thread(view: Any) -> bool:
        in_thread = Colour.SYNC in colours_of(view, placement.AROUND)
        routed[begun] += not in_thread
        return in_thread

    view_functions.begins_in_thread = begins_in_thread
