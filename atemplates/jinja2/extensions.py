"""Tags that Django users know: ``{% csrf_token %}`` and ``{% cache %}``."""

from __future__ import annotations

from typing import Any

from django.core.cache import InvalidCacheBackendError, caches
from django.core.cache.utils import make_template_fragment_key
from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from ..runtime.waits import Kind, Plan, Wait
from .callables import PlannedFunction
from .tracebacks import internal


class CsrfTokenExtension(Extension):
    """``{% csrf_token %}``: the hidden input, as ``{{ csrf_input }}``; or nothing."""

    tags = {"csrf_token"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        value = nodes.Name("csrf_input", "load")
        text = nodes.CondExpr(
            nodes.Test(value, "defined", [], [], None, None), value, nodes.Const("")
        )
        return nodes.Output([text]).set_lineno(line)


class CacheExtension(Extension):
    """``{% cache timeout, "name", vary, … , using="alias" %}…{% endcache %}``.

    A part of a page that is kept in Django's cache, under the key that Django's own ``{% cache %}``
    and ``make_template_fragment_key`` use. A timeout of None means for ever. Commas are optional.
    The cache is ``"template_fragments"`` if there is one, else ``"default"``.
    """

    tags = {"cache"}

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.cached = PlannedFunction(cached, environment)

    def bind(self, environment: Environment) -> CacheExtension:
        """The extension for an overlay of the environment."""
        bound = super().bind(environment)
        bound.cached = PlannedFunction(cached, environment)
        return bound

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        timeout = parser.parse_expression()
        parser.stream.skip_if("comma")
        name = parser.parse_expression()
        vary: list[nodes.Expr] = []
        using: nodes.Expr = nodes.Const(None)
        while parser.stream.current.type != "block_end":
            parser.stream.skip_if("comma")
            if parser.stream.current.test("name:using") and parser.stream.look().type == "assign":
                parser.stream.skip(2)
                using = parser.parse_expression()
                break
            vary.append(parser.parse_expression())
        body = parser.parse_statements(("name:endcache",), drop_needle=True)
        arguments = [timeout, name, nodes.List(vary), using]
        call = self.call_method("cached", arguments, lineno=line)
        return nodes.CallBlock(call, [], [], body).set_lineno(line)


@internal
def cached(timeout: Any, name: Any, vary: list[Any], using: Any, *, caller: Any) -> Plan:
    """The plan of ``{% cache %}``: what the cache has, else what the body gives."""
    if timeout is not None:
        try:
            timeout = int(timeout)
        except (TypeError, ValueError):
            raise TemplateRuntimeError(
                "{% cache %}: the timeout has to be a number of seconds or none, "
                f"not {timeout!r}."
            ) from None
    cache = cache_for(using)
    key = make_template_fragment_key(name, vary)
    value = (
        yield Wait(Kind.AWAIT, cache.aget(key))
        if renders_on_loop(caller)
        else Wait(Kind.CALL, cache.get, (key,))
    )
    if value is None:
        value = yield from caller._bound()._finish()
        if renders_on_loop(caller):
            yield Wait(Kind.AWAIT, cache.aset(key, str(value), timeout))
        else:
            yield Wait(Kind.CALL, cache.set, (key, str(value), timeout))
    return Markup(value)


def renders_on_loop(caller: Any) -> bool:
    return bool(caller._environment.is_async)


def cache_for(alias: str | None) -> Any:
    """The cache of that name, or the one for parts of templates.

    Raises:
        TemplateRuntimeError: there is no cache of that name.
    """
    try:
        if alias is not None:
            return caches[alias]
        return caches["template_fragments"]
    except InvalidCacheBackendError:
        if alias is None:
            return caches["default"]
        raise TemplateRuntimeError(f"{{% cache %}}: CACHES has no {alias!r}.") from None
