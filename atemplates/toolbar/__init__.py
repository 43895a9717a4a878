"""A panel for django-debug-toolbar: what each line of the templates of a request costs.

``DEBUG_TOOLBAR_PANELS = [..., "atemplates.toolbar.TemplatesPanel"]``
"""

from __future__ import annotations

from .panel import TemplatesPanel

__all__ = ["TemplatesPanel"]
