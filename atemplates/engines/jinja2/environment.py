"""The environment that Django users get when they configure none of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.templatetags.static import PrefixNode, static
from django.templatetags.tz import do_timezone, localtime, utc
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.module_loading import import_string
from jinja2.utils import pass_context

from ...jinja2.bytecode import DjangoBytecodeCache
from ...jinja2.extensions import CacheExtension, CsrfTokenExtension
from .django_filters import BUILTIN_LIBRARIES, HUMANIZE, adapted, filesizeformat
from .plans import Environment

OUR_EXTENSIONS = (
    "jinja2.ext.i18n",
    "jinja2.ext.do",
    "jinja2.ext.loopcontrols",
    CsrfTokenExtension,
    CacheExtension,
)


def environment(
    *,
    bytecode_cache: Any = None,
    constants: Mapping[str, Any] | None = None,
    extensions: Iterable[Any] = (),
    filters: Mapping[str, Any] | None = None,
    globals: Mapping[str, Any] | None = None,
    policies: Mapping[str, Any] | None = None,
    tests: Mapping[str, Any] | None = None,
    **options: Any,
) -> jinja2.Environment:
    """Make an environment with what Django templates have: filters, URLs, translations.

    Args:
        bytecode_cache: where compiled templates are kept between processes: a folder,
            ``{"cache": alias}`` for one of Django's caches (with a ``"timeout"`` in seconds, if
            they are to expire), or one of Jinja2's bytecode caches.
        constants: names for templates to use as they are.
        extensions: Jinja2 extensions beside ours.
        filters: functions, or their import paths, by name.
        globals: functions, or their import paths, by name.
        policies: Jinja2's policies to change.
        tests: functions, or their import paths, by name.
        options: those of ``jinja2.Environment``.

    Raises:
        ImproperlyConfigured: ``bytecode_cache`` is none of these.
    """
    options.setdefault("autoescape", True)
    options["bytecode_cache"] = made_bytecode_cache(bytecode_cache)
    options["extensions"] = (*OUR_EXTENSIONS, *extensions)
    made: Any = Environment(**options)
    made.install_gettext_callables(
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    for name, function in django_filters().items():
        made.filters.setdefault(name, function)
    made.filters["filesizeformat"] = filesizeformat
    made.globals.update(GLOBALS)
    made.filters.update(imported(filters))
    made.tests.update(imported(tests))
    made.globals.update(imported(globals))
    made.globals.update(constants or {})
    made.policies.update(policies or {})
    return made  # type: ignore[no-any-return]


def django_filters() -> dict[str, Any]:
    """Django's filters by name, made for Jinja2."""
    libraries: list[str] = list(BUILTIN_LIBRARIES)
    if apps.is_installed("django.contrib.humanize"):
        libraries.append(HUMANIZE)
    return {
        name: adapted(function)
        for path in libraries
        for name, function in import_string(f"{path}.register").filters.items()
    }


def imported(functions: Mapping[str, Any] | None) -> dict[str, Any]:
    """Functions by name, those given as a path imported."""
    return {
        name: import_string(function) if isinstance(function, str) else function
        for name, function in (functions or {}).items()
    }


def made_bytecode_cache(value: Any) -> jinja2.BytecodeCache | None:
    """The bytecode cache that the option of that name asks for.

    Raises:
        ImproperlyConfigured: it is not known what it asks for.
    """
    if value is None or isinstance(value, jinja2.BytecodeCache):
        return value
    if isinstance(value, (str, Path)):
        Path(value).mkdir(parents=True, exist_ok=True)
        return jinja2.FileSystemBytecodeCache(str(value))
    if isinstance(value, Mapping) and {"cache"} <= value.keys() <= {"cache", "timeout"}:
        return DjangoBytecodeCache(value["cache"], value.get("timeout"))
    raise ImproperlyConfigured(
        f"OPTIONS['bytecode_cache'] is {value!r}; expected a folder, "
        "{'cache': 'alias of a cache in CACHES'} (with a 'timeout', if they are to expire), or a "
        "jinja2.BytecodeCache."
    )


def request_of(context: jinja2.runtime.Context) -> HttpRequest | None:
    request = context.get("request")
    return request if isinstance(request, HttpRequest) else None


@pass_context
def url(context: jinja2.runtime.Context, name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a view, as ``{% url %}`` gives it in Django templates.

    Raises:
        NoReverseMatch: there is no such view, or not with these arguments.
    """
    request = request_of(context)
    app = getattr(request, "current_app", None)
    if app is None:
        match = getattr(request, "resolver_match", None)
        app = match.namespace if match is not None else None
    return reverse(name, args=args or None, kwargs=kwargs or None, current_app=app)


@pass_context
def messages_of(context: jinja2.runtime.Context) -> Any:
    """The messages of the request; none if there is no request."""
    request = request_of(context)
    if request is None:
        return []
    from django.contrib.messages import get_messages  # not every site has messages

    return get_messages(request)


def now(format: str) -> str:
    """The current date and time in one of Django's formats, as ``{% now %}``."""
    zone = timezone.get_current_timezone() if timezone.is_aware(timezone.now()) else None
    return date_format(timezone.localtime(timezone=zone) if zone else timezone.now(), format)


def get_static_prefix() -> str:
    """The setting STATIC_URL, as ``{% get_static_prefix %}``."""
    return PrefixNode.handle_simple("STATIC_URL")


def get_media_prefix() -> str:
    """The setting MEDIA_URL, as ``{% get_media_prefix %}``."""
    return PrefixNode.handle_simple("MEDIA_URL")


GLOBALS = {
    "get_current_language": translation.get_language,
    "get_current_language_bidi": translation.get_language_bidi,
    "get_current_timezone": timezone.get_current_timezone_name,
    "get_language_info": translation.get_language_info,
    "get_media_prefix": get_media_prefix,
    "get_messages": messages_of,
    "get_static_prefix": get_static_prefix,
    "localtime": localtime,
    "now": now,
    "static": static,
    "timezone": do_timezone,
    "url": url,
    "utc": utc,
}
