"""django-debug-toolbar: which template, and which line of it, a query was made for.

The toolbar looks on Python's stack for a frame called ``render`` with a node and a context. A plan
has no such frames, and what it waits for runs where it is not on the stack at all. So while the
toolbar is installed, its question is answered from the plan: from compiled code on the stack, from
the plan that a driver on the stack runs, or from the one whose task made the query.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module
from types import FrameType, SimpleNamespace
from typing import Any

from django.template.base import Node
from django.utils.module_loading import import_string

from ..compiler.cached_loader import cached_template
from ..compiler.running_nodes import frames_of_plan, node_of_frame
from ..errors import logger
from ..runtime import drivers

TOOLBAR_MODULES = ("debug_toolbar.panels.sql.tracking", "debug_toolbar.panels.cache")
"""The modules of the toolbar that ask for the template."""
QUESTION = "get_template_info"
ANSWER = "debug_toolbar.utils.get_template_context"

Answer = dict[str, Any] | None
ShownNode = tuple[Node, Any, Any]
"""A node, the context that it renders with, and the template that its code was compiled from."""

running_plan: ContextVar[Any] = ContextVar("atemplates_running_plan", default=None)
"""The plan that this task runs; a thread that it waits for has it too."""


async def arun_shown(plan: Any, state: drivers.Carried | None = None) -> Any:
    """Run a plan as `drivers.arun` does, so that it is known to what it waits for."""
    token = running_plan.set(plan)
    try:
        return await drivers.arun(plan, state)
    finally:
        running_plan.reset(token)


def answer_modules() -> bool:
    """Have the toolbar's modules ask us; whether there is one that does."""
    found = False
    for name in TOOLBAR_MODULES:
        try:
            module = import_module(name)
            asked = getattr(module, QUESTION)
        except (ImportError, AttributeError):  # another release of the toolbar
            logger.debug("django-debug-toolbar does not ask for templates in %s", name)
            continue
        if not hasattr(asked, "asks_atemplates"):
            setattr(module, QUESTION, answering(asked))
        found = True
    return found


def answering(asked: Callable[[], Answer]) -> Callable[[], Answer]:
    """Return a function in the place of the toolbar's own."""

    def get_template_info() -> Answer:
        try:
            found = answer()
        except Exception:
            logger.exception("The template of a query cannot be told")
            found = None
        return asked() if found is None else found

    get_template_info.asks_atemplates = True  # type: ignore[attr-defined]
    return get_template_info


def answer() -> Answer:
    """Return what the toolbar shows of the node that the present query is made for, or None."""
    shown = import_string(ANSWER)
    step: ShownNode | None = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and step is None:
        code = frame.f_code
        if code is shown.__code__:
            return None  # showing a template has made a query
        if code is drivers.run.__code__:
            step = step_of_plan(frame.f_locals.get("plan"))
        elif code.co_name == "render":
            values = frame.f_locals
            node: Any = values.get("self")
            if issubclass(type(node), Node) and "context" in values:
                step = node, values["context"], None
        else:
            step = step_of_frame(frame)
        frame = frame.f_back
    if step is None:
        step = step_of_plan(running_plan.get())
    return None if step is None else show_line(shown, *step)


def step_of_plan(plan: Any) -> ShownNode | None:
    """Return the innermost step at which a plan waits."""
    steps = map(step_of_frame, reversed(frames_of_plan(plan)))
    return next((step for step in steps if step is not None), None)


def step_of_frame(frame: FrameType) -> ShownNode | None:
    """Return the step at which compiled code of a template is; None for other code."""
    found = node_of_frame(frame)
    return None if found is None else (found.node, frame.f_locals["context"], found.template)


def show_line(shown: Any, node: Any, context: Any, template: Any) -> Answer:
    """Have the toolbar show a node's line in the template that the node stands in."""
    engine = context.template.engine
    templates = [template, context.render_context.template, context.template]
    if node.origin.template_name is not None:
        templates.append(cached_template(engine, node.origin.template_name))
    for same in (lambda origin: origin is node.origin, lambda origin: origin == node.origin):
        for each in templates:
            if each is not None and same(each.origin):
                inside = SimpleNamespace(template=each)
                place = SimpleNamespace(template=each, render_context=inside)
                return shown(node, place)  # type: ignore[no-any-return]
    return None
