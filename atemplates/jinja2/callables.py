"""What a template defines and calls: macros, blocks and render functions, as plans.

Template code calls them with ``pend`` and runs what it gets as part of its own plan. Python code
calls them as it calls stock Jinja2's: in a sync environment it gets text, in an async one a
coroutine; or text, if it is sync code that a render has called.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import partial
from typing import Any

from jinja2 import Environment, runtime
from jinja2.nodes import EvalContext
from jinja2.utils import missing, pass_eval_context
from markupsafe import Markup

from ..runtime.drivers import arun
from ..runtime.line_times import timing
from ..runtime.waits import Kind, Plan, Wait
from .nested import finish, wants_text
from .state import running_state
from .tracebacks import internal
from .values import AwaitablePlan

as_markup: Callable[[str], Markup] = partial(str.__new__, Markup)
"""Make markup of a text that is escaped; ``Markup()`` would ask what it is given first."""


def finished(environment: Environment, pending: AwaitablePlan) -> Any:
    """What Python code gets of a call: the text; a coroutine in an async environment.

    Sync code that an async render calls gets the text as well.

    Raises:
        RenderBlocked: for such code, when there is something to wait for; see `nested`.
    """
    if environment.is_async and not running_state().stock_code and not wants_text():
        return arun(pending._finish())
    return finish(pending._finish())


class Macro(runtime.Macro):
    """A macro or a ``{% call %}`` block; Jinja2's own class binds the arguments."""

    __module__ = "jinja2.runtime"  # messages about what it lacks name it as stock's

    # A template can hold a macro: what is not Jinja2's own begins with an underscore, so that a
    # sandbox keeps it from the template.
    _takes = -1
    """How many arguments ``_func`` can be called with directly, at most; -1: not at all."""
    _calls = -1
    """The same with a caller as the last argument: exactly as many."""
    _marked: bool | None = False
    """Whether ``_func`` gives markup."""

    _bound: Any = runtime.Macro.__call__

    def _direct(self, marked: bool, takes: int = -1, calls: int = -1) -> Macro:
        """Note that nothing of the binding of arguments is needed in usual calls."""
        self._marked = marked
        self._takes = takes
        self._calls = calls
        if takes > 0:
            self._func.__defaults__ = (missing,) * takes
        return self

    @internal
    def _pend(self, eval_ctx: EvalContext, /, *args: Any, **kwargs: Any) -> AwaitablePlan:
        """Call it as part of the template's plan."""
        # The usual cases of what Jinja2's own binding does at length.
        if self.catch_kwargs or self.catch_varargs or len(args) > self._argument_count:
            return self._bound(eval_ctx, *args, **kwargs)  # type: ignore[no-any-return]
        values, caller = list(args), None
        if self.caller:
            if self.explicit_caller or "caller" not in kwargs:
                return self._bound(eval_ctx, *args, **kwargs)  # type: ignore[no-any-return]
            caller = kwargs.pop("caller")
        if len(args) < self._argument_count:
            values += [kwargs.pop(name, missing) for name in self.arguments[len(args) :]]
        if kwargs:
            # Raises, and says what is wrong.
            return self._bound(eval_ctx, *args, **kwargs)  # type: ignore[no-any-return]
        if self.caller:
            values.append(caller)
        return self._invoke(values, bool(eval_ctx.autoescape))

    def _invoke(self, arguments: list[Any], autoescape: bool) -> AwaitablePlan:  # type: ignore[override]
        plan: Any = self._func(*arguments)
        if self._marked and not autoescape:
            plan = unmarked(plan)
        return AwaitablePlan(plan, autoescape)

    @internal
    @pass_eval_context
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return finished(self._environment, self._bound(*args, **kwargs))


@internal
def unmarked(plan: Generator[Wait, Any, Any]) -> Generator[Wait, Any, Any]:
    """The plan of a macro that gives markup, for a place where nothing is escaped."""
    return str((yield from plan))


class PlannedFunction:
    """A function of our own for templates to call, written as a plan."""

    def __init__(self, plan: Callable[..., Any], environment: Environment) -> None:
        self._plan = plan
        self._environment = environment

    @internal
    def _pend(self, eval_ctx: Any, /, *args: Any, **kwargs: Any) -> AwaitablePlan:
        """Call it as part of the template's plan."""
        return AwaitablePlan(self._plan(*args, **kwargs))

    @internal
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return finished(self._environment, self._pend(None, *args, **kwargs))


def render_function_plan(function: Any) -> Callable[[Any, list[str]], Generator[Wait, Any, Any]]:
    """The plan of a render function, also of one that Jinja2's own generator has written."""
    if type(function) is not RenderFunction:
        return partial(run_foreign, function)
    if timing.used and running_state().lines is not None:
        from .timed_plans import timed_function_plan  # only where somebody wants to know

        return timed_function_plan(function)
    return function._plan


@internal
def run_foreign(
    function: Callable[..., Any], context: Any, pieces: list[str]
) -> Generator[Wait, Any, Any]:
    """Run a stock render function (of a precompiled template, say) whole."""
    rendering = function(context)
    if hasattr(rendering, "__aiter__"):
        pieces.extend((yield Wait(Kind.AWAIT, collected(rendering))))
    else:
        pieces.extend((yield Wait(Kind.CALL, drained_text, (rendering,))))


@internal
def drained_text(rendering: Iterator[str]) -> list[str]:
    """Run stock sync code: what it calls of ours has to give text, in an async environment too."""
    state = running_state()
    before, state.stock_code = state.stock_code, True
    try:
        return list(rendering)
    finally:
        state.stock_code = before


async def collected(pieces: AsyncIterator[str]) -> list[str]:
    return [piece async for piece in pieces]


class BlockReference(runtime.BlockReference):
    """What ``super()`` and ``self.name()`` call."""

    __module__ = "jinja2.runtime"

    @property
    def super(self) -> Any:
        """The parent's block."""
        return as_plan(super().super)

    @internal
    def _pend(self, eval_ctx: Any) -> AwaitablePlan:
        """Render the block as part of the template's plan."""
        return AwaitablePlan(self._text(), markup=bool(self._context.eval_ctx.autoescape))

    @internal
    def _text(self) -> Generator[Wait, Any, Any]:
        pieces: list[str] = []
        yield from render_function_plan(self._stack[self._depth])(self._context, pieces)
        return self._context.environment.concat(pieces)

    @internal
    def __call__(self) -> Any:
        return finished(self._context.environment, self._pend(None))


def as_plan(reference: Any) -> Any:
    """Turn Jinja2's reference to a block into one of ours; leave an undefined one alone."""
    if isinstance(reference, runtime.BlockReference):
        return BlockReference(
            reference.name, reference._context, reference._stack, reference._depth
        )
    return reference


class TemplateReference:
    """The ``self`` of templates."""

    __module__ = "jinja2.runtime"

    def __init__(self, context: runtime.Context) -> None:
        self.__context = context

    def __getitem__(self, name: str) -> BlockReference:
        return BlockReference(name, self.__context, self.__context.blocks[name], 0)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.__context.name!r}>"


class RenderFunction:
    """The code of a template or of a block.

    Called by Python code with a context it gives the pieces of the output, as Jinja2's own
    functions do: an iterator, or an async iterator in an async environment.
    """

    __slots__ = ("_plan", "_sending", "_timed")

    def __init__(self, plan: Callable[[Any, list[str]], Generator[Wait, Any, Any]]) -> None:
        self._plan = plan
        """Adds the pieces to a list."""
        self._sending: Callable[[Any, list[str]], Generator[Wait, Any, Any]] | None = None
        """The same, but each piece at once; None before the page is sent for the first time."""
        self._timed: tuple[Callable[..., Plan], Callable[..., Plan]] | None = None
        """Both, but telling a clock which line they are at; None before somebody wants to know."""

    def __call__(self, context: runtime.Context) -> Iterator[str] | AsyncIterator[str]:
        if context.environment.is_async and not running_state().stock_code and not wants_text():
            return self._apieces(context)
        return self._pieces(context)

    def _pieces(self, context: runtime.Context) -> Iterator[str]:
        pieces: list[str] = []
        finish(self._plan(context, pieces))
        yield from pieces

    async def _apieces(self, context: runtime.Context) -> AsyncIterator[str]:
        pieces: list[str] = []
        await arun(self._plan(context, pieces))
        for piece in pieces:
            yield piece
