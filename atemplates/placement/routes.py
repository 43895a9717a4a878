"""Where a page begins: on the event loop, or in the request's thread. Learned per template.

A page that had to go to the thread anyway gains nothing from what it did on the loop before; so it
begins in the thread the next times, and tries the loop again less and less often. The first renders
of a template are lessons: what they meet in the thread is watched, so that it has its place after
a few renders of the page, not after a few renders for each function.
"""

from __future__ import annotations

from typing import Any

from .records import TRUSTED_AFTER

ROUTE_ATTRIBUTE = "_atemplates_route"
"""Where the node list of a template keeps its route: forgotten with it, when it is loaded again."""
SELDOM = 64
"""How many renders in a row begin in the thread at most, before one begins on the loop."""
LESSONS = 6
"""How many renders in a row are lessons at most, where a template always meets new functions."""


class PageRoute:
    """What is known of one template. Threads may race for the numbers, which are only a guess:
    then a render begins in the other place, or watches what is known."""

    __slots__ = ("has_parts", "in_row", "left", "lessons", "renders")

    def __init__(self) -> None:
        self.renders = 0
        self.lessons = 0
        """How many renders in a row went to the thread for code that is not known yet."""
        self.left = 0
        """How many renders are still to begin in the thread."""
        self.in_row = 0
        """How many were to, the last time."""
        self.has_parts: bool | None = None
        """Whether the page has parts that are rendered beside it; None: nobody has looked."""

    def is_lesson(self) -> bool:
        """Whether the next render watches all that it runs in the thread."""
        return self.renders < TRUSTED_AFTER or 0 < self.lessons <= LESSONS

    def begins_in_thread(self) -> bool:
        """Whether the next render begins in the thread; counts it."""
        if not self.left:
            return False
        self.left -= 1
        return True

    def note(self, went: bool, learning: bool) -> None:
        """Note a render that began on the loop.

        Args:
            went: whether it went to the thread.
            learning: whether it did so for code that has not shown yet where it belongs.
        """
        self.renders += 1
        if self.renders <= TRUSTED_AFTER:
            return
        self.lessons = self.lessons + 1 if learning else 0
        if 0 < self.lessons <= LESSONS:
            return
        self.in_row = min(2 * self.in_row or 1, SELDOM) if went else 0
        self.left = self.in_row


def route_of(template: Any) -> PageRoute:
    """Return the route of a template; a new one for what is no template of Django's."""
    nodelist = getattr(template, "nodelist", None)
    if nodelist is None:
        return PageRoute()
    attributes = vars(nodelist)
    known: PageRoute | None = attributes.get(ROUTE_ATTRIBUTE)
    if known is not None:
        return known
    route: PageRoute = attributes.setdefault(ROUTE_ATTRIBUTE, PageRoute())
    return route
