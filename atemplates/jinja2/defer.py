"""``{% defer %}…{% placeholder %}…{% error %}…{% enddefer %}``: what the page does not wait for.

The tag parses to a ``Scope`` that holds two macros and a ``{% call %}``, so that stock Jinja2
renders it where it stands. `DeferWriter` knows it by the method that is called.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jinja2 import nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.parser import Parser

from ..errors import UNSWALLOWED
from ..streaming.deferred import log_failure, timeout_error
from .own_tags import OwnTagExtension

DEFERRING = "shows_deferred"
"""The method of the extension that the tag calls."""
WAITING, FAILED = "_atemplates_waiting", "_atemplates_failed"
"""The macros of the placeholder, and of what is shown in case of an error."""


class DeferExtension(OwnTagExtension):
    """``{% defer [timeout=SECONDS] %}…[{% placeholder %}…][{% error %}…]{% enddefer %}``."""

    own_tags = frozenset({"defer"})

    def parse(self, parser: Parser) -> nodes.Node:
        """Parse the tag.

        Raises:
            TemplateSyntaxError: there are other arguments, or the timeout is no number above 0.
        """
        stream = parser.stream
        line = next(stream).lineno
        timeout: nodes.Expr = nodes.Const(None)
        if stream.current.type != "block_end":
            timeout = parse_timeout(parser, line)
        body = parser.parse_statements(("name:placeholder", "name:error", "name:enddefer"))
        waiting: list[nodes.Node] = []
        failed: list[nodes.Node] | None = None
        which = next(stream).value
        if which == "placeholder":
            waiting = parser.parse_statements(("name:error", "name:enddefer"))
            which = next(stream).value
        macros: list[nodes.Node] = [nodes.Macro(WAITING, [], [], waiting)]
        names: list[nodes.Expr] = [nodes.Name(WAITING, "load"), nodes.Const(None)]
        if which == "error":
            failed = parser.parse_statements(("name:enddefer",), drop_needle=True)
            macros.append(nodes.Macro(FAILED, [nodes.Name("error", "param")], [], failed))
            names[1] = nodes.Name(FAILED, "load")
        call = self.call_method(DEFERRING, [timeout, *names], lineno=line)
        return nodes.Scope([*macros, nodes.CallBlock(call, [], [], body)]).set_lineno(line)

    def shows_deferred(self, timeout: Any, waiting: Any, failed: Any, caller: Any) -> Any:
        """Render in stock Jinja2's code: where it stands, and without a limit of time."""
        defer_timeout(timeout)
        if self.environment.is_async:
            return self._shows_on_loop(waiting, failed, caller)
        try:
            return caller()
        except UNSWALLOWED:
            raise
        except Exception as error:
            log_failure(error, None)
        return waiting() if failed is None else failed()

    async def _shows_on_loop(self, waiting: Any, failed: Any, caller: Any) -> Any:
        try:
            return await caller()
        except UNSWALLOWED:
            raise
        except Exception as error:
            log_failure(error, None)
        return await (waiting() if failed is None else failed())


def parse_timeout(parser: Parser, line: int) -> nodes.Expr:
    """Parse ``timeout=SECONDS``."""
    stream = parser.stream
    if stream.current.test("name:timeout") and stream.look().type == "assign":
        stream.skip(2)
        timeout = parser.parse_expression()
        if stream.current.type == "block_end":
            try:
                error = timeout_error(timeout.as_const(nodes.EvalContext(parser.environment)))
            except nodes.Impossible:
                return timeout
            if error:
                parser.fail(error, line)
            return timeout
    parser.fail("{% defer %} takes one argument at most, timeout=SECONDS; got others.", line)


def defer_timeout(timeout: Any) -> float | None:
    """Return after how many seconds a part is given up; None: never.

    Raises:
        TemplateRuntimeError: it is no number above 0, nor None.
    """
    error = timeout_error(timeout)
    if error:
        raise TemplateRuntimeError(error)
    return None if timeout is None else float(timeout)


class Deferring(NamedTuple):
    """What a ``{% defer %}`` was parsed to."""

    timeout: nodes.Expr
    body: list[nodes.Node]
    waiting: list[nodes.Node]
    failed: list[nodes.Node] | None


def deferring(node: nodes.Scope) -> Deferring | None:
    """Return what a scope was made of, if `DeferExtension` has made it of its tag."""
    last: Any = node.body[-1] if node.body else None
    if not isinstance(last, nodes.CallBlock):
        return None
    method: Any = last.call.node
    if not isinstance(method, nodes.ExtensionAttribute) or method.name != DEFERRING:
        return None
    macros: list[Any] = node.body[:-1]
    failed = macros[1].body if len(macros) > 1 else None
    return Deferring(last.call.args[0], last.body, macros[0].body, failed)
