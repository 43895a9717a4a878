"""What the renders of Jinja2 templates do about relations, as their environment says."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from ...relations.policy import Observer, current_policy, observers
from ...runtime.policy import STRICT
from ...runtime.tracing import RenderStart
from ..options import ALIAS, RECORDER

if TYPE_CHECKING:
    from ...runtime.tracing import Tracing
    from .looping import LoopingRelations

POLICY = "atemplates_relations"
"""The attribute of an environment that holds ``OPTIONS["relations"]``."""


def new_looping_relations(
    policy: str, told: tuple[Observer, ...] = (), view: str = "", rendered: str = ""
) -> LoopingRelations:
    """Make what a render does about relations, when it meets the first one."""
    from .looping import LoopingRelations  # many a process never needs it

    return LoopingRelations(policy, told, view, rendered)


class ConfiguredRelations:
    """Makes what a render does about relations, with its environment's policy and recorder."""

    def of_render(self, context: Any) -> tuple[Callable[[], LoopingRelations], bool | Tracing]:
        """Begin the render of a context."""
        policy = current_policy(getattr(context.environment, POLICY, "batch"))
        recorder = getattr(context.environment, RECORDER, None)
        told, view, name = observers(), "", ""
        tracing: Tracing | None = None
        if told or recorder is not None:
            from ..recording import begin_trace, observers_for  # only where somebody wants to know

            name = context.name or ""
            told, view = observers_for(recorder, name, lambda: context.get("request"))
            alias = getattr(context.environment, ALIAS, "")
            is_async = bool(context.environment.is_async)
            start = RenderStart(name, "", alias, view, is_async, True, context.get_all)
            told, tracing = begin_trace(told, start)
        make = partial(new_looping_relations, policy, told, view, name)
        return make, tracing or bool(told) or policy in STRICT

    def is_debugging(self) -> bool:
        """Whether the site has DEBUG on."""
        return bool(settings.DEBUG)

    def outside(self) -> Callable[[], LoopingRelations]:
        """What plans do that Python code runs outside of any render."""
        return partial(new_looping_relations, current_policy("batch"), observers())

    def may_query(self, instance: Any, name: str) -> bool:
        """Whether reading an attribute of a model instance that is not in its dict may query."""
        # Not before there is an instance.
        from ...relations.batch_loading import HAS_FETCH_MODES
        from ...relations.models import is_missing, relations_of

        model: Any = type(instance)
        relation = relations_of(model).get(name)
        return HAS_FETCH_MODES if relation is None else is_missing(instance, relation)
