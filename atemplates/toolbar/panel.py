"""The panel itself: when it collects, what it keeps, and where its page is."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from debug_toolbar.decorators import require_show_toolbar
from debug_toolbar.panels import Panel
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.safestring import SafeString

from ..errors import logger
from .numbers import how_many
from .page import panel_page, style_sheet
from .profile import RequestProfile
from .report import RequestReport

STYLE_NAME = "atemplates_style"
"""The name of the style sheet's address, among those of the toolbar."""


class TemplatesPanel(Panel):
    """Shows each template of a request with what its lines cost.

    Its HTML and style come with this package; nothing of the site's settings is needed for them.
    """

    # The toolbar has a TemplatesPanel of its own, and tells panels apart by this name.
    panel_id = "LinesOfTemplatesPanel"  # pyright: ignore[reportAssignmentType]
    is_async = True
    title = "Template lines"  # pyright: ignore

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.profile = RequestProfile(self._render_ended)
        self._observing = ExitStack()
        self._is_kept = False

    # -- collecting --------------------------------------------------------------------------------

    def enable_instrumentation(self) -> None:
        """Collect the renders that begin from now on in this request, and in no other."""
        self._observing.enter_context(self.profile.observing())

    def disable_instrumentation(self) -> None:
        """Collect no more; what has begun (a page that is sent piece by piece) is still noted."""
        self._observing.close()

    def generate_stats(self, request: HttpRequest, response: HttpResponse) -> None:
        """Keep what was collected until now."""
        self._is_kept = True
        self._keep(style_nonce(self.toolbar))

    def generate_server_timing(self, request: HttpRequest, response: HttpResponse) -> None:
        """Tell the browser's developer tools, too."""
        total = self._stats()["total"]
        for key, title, value in (
            ("lines", "Template lines", total["ms"]),
            ("waits", f"Templates waiting, {total['waits']} times", total["wait_ms"]),
        ):
            panel: Any = self  # the toolbar's methods have no types
            panel.record_server_timing(key, title, round(value, 3))

    def _render_ended(self) -> None:
        """Keep what is new of a page that goes on when the response has been returned."""
        if self._is_kept:
            try:
                self._keep(self._stats().get("nonce", ""))
            except Exception:  # of the toolbar's store: the page is not to fail for it
                logger.exception("What a streamed page did cannot be kept for the toolbar")

    def _keep(self, nonce: str) -> None:
        panel: Any = self
        panel.record_stats({**RequestReport(self.profile).as_data(), "nonce": nonce})

    def _stats(self) -> dict[str, Any]:
        """What is kept of the request, perhaps by the toolbar's store."""
        panel: Any = self
        stats: dict[str, Any] = panel.get_stats()
        return stats

    # -- what is shown -----------------------------------------------------------------------------

    @property
    def nav_subtitle(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The numbers of all templates together."""
        stats = self._stats()
        if not stats:
            return ""
        total = stats["total"]
        if not stats["is_done"]:
            return "the page is still being sent"
        lines = f"{total['ms'] + total['wait_ms'] - total['inside_ms']:.1f} ms"
        return f"{lines}, {how_many(total['queries'], 'query')}, {how_many(total['hops'], 'hop')}"

    @property
    def content(self) -> SafeString:
        """The page of the panel."""
        return panel_page(self._stats(), f"djdt:{STYLE_NAME}")

    @classmethod
    def get_urls(cls) -> list[Any]:
        """The address of the style sheet: a page's policy (CSP) may allow none in the page."""
        view: Any = require_show_toolbar
        return [path("atemplates/style.css", view(style_view), name=STYLE_NAME)]


def style_view(request: HttpRequest) -> HttpResponse:
    """The style sheet of the panel."""
    return HttpResponse(style_sheet(), content_type="text/css; charset=utf-8")


def style_nonce(toolbar: Any) -> str:
    """Return the nonce that the page's policy has for styles, as the toolbar finds it."""
    return str(getattr(toolbar, "csp_nonce", None) or "")
