"""The engines side by side: the same page as variants for each of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
from asgiref.sync import sync_to_async
from django.template.backends.django import DjangoTemplates as StockTemplates
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.formats import number_format
from django.utils.text import Truncator

from atemplates.engines.django import DjangoTemplates

from .measure import Variant
from .results import JINJA2, JINJA2_ASYNC, MINIJINJA, OURS, OURS_ASYNC, STOCK, STOCK_IN_THREAD

TEMPLATES = Path(__file__).parent / "templates"
PROCESSORS = ["django.template.context_processors.request"]


@cache
def stock_backend() -> StockTemplates:
    """Django's own backend."""
    return StockTemplates(parameters("stock"))


@cache
def our_backend() -> DjangoTemplates:
    """Our backend, with nothing but its defaults."""
    return DjangoTemplates(parameters("ours"))


def parameters(name: str) -> dict[str, Any]:
    """Return the parameters of a Django template backend."""
    return {
        "NAME": name,
        "DIRS": [TEMPLATES / "django"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": PROCESSORS},
    }


def django_variants(
    name: str, values: dict[str, Any], request: Any = None, *, thread: bool = True
) -> dict[str, Variant]:
    """Return the Django template ``name`` as rendered by the stock backend and by ours.

    Args:
        thread: whether ``sync_to_async(stock)`` is among them.
    """
    stock = stock_backend().get_template(name)
    ours = our_backend().get_template(name)
    variants = {STOCK: Variant(partial(stock.render, values, request))}
    if thread:
        variants[STOCK_IN_THREAD] = Variant(
            render_async=partial(sync_to_async(stock.render), values, request)
        )
    return variants | {
        OURS: Variant(partial(ours.render, values, request)),
        OURS_ASYNC: Variant(render_async=partial(ours.render_async, values, request)),
    }


def jinja2_variants(name: str, values: dict[str, Any]) -> dict[str, Variant]:
    """Return the Jinja2 template ``name`` as rendered by Jinja2 in both modes, and by minijinja."""
    sync = jinja2_environment(False).get_template(name)
    asynchronous = jinja2_environment(True).get_template(name)
    variants = {
        JINJA2: Variant(partial(sync.render, values)),
        JINJA2_ASYNC: Variant(render_async=partial(asynchronous.render_async, values)),
    }
    render = minijinja_render(name)
    if render is not None:
        variants[MINIJINJA] = Variant(partial(render, values))
    return variants


@cache
def jinja2_environment(enable_async: bool) -> jinja2.Environment:
    """Return a plain Jinja2 environment with what the pages use."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES / "jinja2"),
        autoescape=True,
        enable_async=enable_async,
        auto_reload=False,
    )
    environment.globals.update(GLOBALS)
    environment.filters.update(FILTERS)
    return environment


def has_minijinja() -> bool:
    """Whether minijinja is installed; its column is left out when it is not."""
    return importlib.util.find_spec("minijinja") is not None


def minijinja_render(name: str) -> Callable[[Mapping[str, Any]], str] | None:
    """Return the function that renders a template with minijinja, or None."""
    if not has_minijinja():
        return None
    import minijinja

    environment = minijinja.Environment(
        loader=lambda path: (TEMPLATES / "jinja2" / path).read_text(encoding="utf-8"),
        filters=FILTERS,
        globals=GLOBALS,
    )
    return lambda values: environment.render_template(name, **values)


# -- what Jinja2's pages use in the place of Django's tags and filters -----------------------------


def url(name: str, *args: Any, **kwargs: Any) -> str:
    """Return an address, as ``{% url %}``."""
    return reverse(name, args=args, kwargs=kwargs)


def date(value: Any, style: str) -> str:
    """Write a date, as Django's filter."""
    from django.template.defaultfilters import date as date_filter

    return str(date_filter(value, style))


def floatformat(value: Any, places: int) -> str:
    """Write a number, as Django's filter."""
    from django.template.defaultfilters import floatformat as floatformat_filter

    return str(floatformat_filter(value, places))


def intcomma(value: Any) -> str:
    """Write a whole number with separators, as Django's filter."""
    return number_format(int(value), use_l10n=True, force_grouping=True)


def truncatewords(value: str, count: int) -> str:
    """Shorten a text, as Django's filter."""
    return Truncator(value).words(count, truncate=" …")


def gettext(message: str) -> str:
    """Translate, as ``{% translate %}``."""
    return translation.gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """Translate a message that has a plural, as ``{% blocktranslate count %}``."""
    return translation.ngettext(singular, plural, number)


GLOBALS = {"url": url, "static": static, "gettext": gettext, "ngettext": ngettext}
FILTERS = {
    "date": date,
    "floatformat": floatformat,
    "intcomma": intcomma,
    "truncatewords": truncatewords,
}
