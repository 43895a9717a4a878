"""Forms, fields and errors as part of a plan: what Django's form renderers do, by our plans.

A form renders a template for each field, and others for its label, its errors and its widget, each
by ``renderer.render(name, context)``. Where all of that is Django's own code, the templates run as
parts of the plan that shows the form. What a site has written itself, a renderer or a method of a
form, is called as Django calls it. All of this runs in a thread: validating may query.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from django.forms import renderers
from django.forms.boundfield import BoundField
from django.forms.utils import (
    RenderableErrorMixin,
    RenderableFieldMixin,
    RenderableFormMixin,
    RenderableMixin,
)
from django.forms.widgets import Widget
from django.template import TemplateDoesNotExist
from django.template.backends import django as backends
from django.template.base import Template
from django.template.context import Context
from django.template.engine import Engine
from django.utils.safestring import mark_safe

from .state import State
from .waits import Pending, Plan

RENDER: Any = RenderableMixin.render
TEXT_OF_FIELD: Any = RenderableFieldMixin.__str__
AS_WIDGET: Any = BoundField.as_widget
LABEL_TAG: Any = BoundField.label_tag
RENDER_WIDGET: Any = Widget.render
RENDER_BY: Any = renderers.BaseRenderer.render
RENDER_CONTEXT: Any = Widget._render  # type: ignore[attr-defined]
BUILD_ATTRS: Any = BoundField.build_widget_attrs
FIND_TEMPLATE: Any = renderers.EngineMixin.get_template
RENDER_TEMPLATE: Any = backends.Template.render
"""Django's own methods, as they were when this was imported."""

INTERPRETED = 10
"""How often Django interprets a template of its own form renderer before that is compiled: one
that is shown a few times only is not worth it."""
COUNT_ATTRIBUTE = "_atemplates_shown"
"""Where the node list of such a template counts. Threads may race for it: it is only a guess."""


class FormTemplates:
    """How a template is rendered in a plan, and which backends' templates may be.

    Set once, when an engine's module is imported: the compiler is not to be seen from here.
    """

    plan: Callable[[State, Template, Context], Plan]
    compiled: Callable[[Engine, str], Template | None]
    """Gives a template that an engine has loaded and that has been compiled."""
    is_ours: Callable[[Any], bool]
    """Whether a backend is one of ours, whose templates are rendered by plans."""


def form_text(state: State, value: Any) -> Pending | None:
    """Return the plan of the text of a form, a formset, a field or a list of errors.

    Returns:
        None for any other value, and where it is not Django's own methods that make the text.
    """
    kind: Any = type(value)
    if not issubclass(type(value), RenderableMixin):
        return None
    shown = kind.__str__
    if kind.__html__ is not shown:
        return None
    if shown is RENDER:
        return Pending(_rendered(state, value, None)) if _renders(value) else None
    if shown is not TEXT_OF_FIELD or "as_widget" in vars(value) or value.field.show_hidden_initial:
        return None
    if kind.as_widget is not AS_WIDGET or kind.build_widget_attrs is not BUILD_ATTRS:
        return None
    return Pending(_shown_field(state, value))


def form_call(state: State, method: MethodType) -> Pending | None:
    """Return the plan of calling a method of a form or field that renders it; None for others."""
    name = FORM_METHODS.get(method.__func__)
    if name is None:
        return None
    owner: Any = method.__self__
    if name == "label":
        return _label(state, owner, None)
    if name == "legend":
        return _label(state, owner, "legend") if type(owner).label_tag is LABEL_TAG else None
    if not _renders(owner):
        return None
    return Pending(_rendered(state, owner, name))


FORM_METHODS: dict[Any, str] = {
    RenderableFieldMixin.as_field_group: "template_name",
    RenderableFormMixin.as_p: "template_name_p",
    RenderableFormMixin.as_table: "template_name_table",
    RenderableFormMixin.as_ul: "template_name_ul",
    RenderableFormMixin.as_div: "template_name_div",
    RenderableErrorMixin.as_text: "template_name_text",
    RenderableErrorMixin.as_ul: "template_name_ul",
    LABEL_TAG: "label",
    BoundField.legend_tag: "legend",
}
"""Methods of Django's that render -> the attribute that holds the template's name."""


def _renders(value: Any) -> bool:
    """Whether ``value.render()`` is Django's own."""
    return getattr(value.render, "__func__", None) is RENDER


def _rendered(state: State, value: Any, attribute: str | None) -> Plan:
    """The plan of ``value.render()``.

    Args:
        attribute: what holds the template's name, if not ``template_name``.
    """
    name = getattr(value, attribute) if attribute is not None else None
    renderer = value.renderer
    name = name or value.template_name
    context = value.get_context()
    text = yield from _by_renderer(state, renderer, name, context)
    return mark_safe(text)


def _shown_field(state: State, field: Any) -> Plan:
    """The plan of a field's text: the widget as Django's own ``as_widget()`` would render it."""
    widget = field.field.widget
    given = AS_WIDGET(field, AskedWidget(widget))
    if type(given) is not dict:
        return _text(given)  # a widget that is false: Django took it for none
    kind: Any = type(widget)
    if kind.render is not RENDER_WIDGET or "render" in vars(widget):
        return _text(widget.render(**given))
    renderer = given["renderer"]
    context = widget.get_context(given["name"], given["value"], given["attrs"])
    if renderer is None or kind._render is not RENDER_CONTEXT:
        return _text(widget._render(widget.template_name, context, renderer))
    text = yield from _by_renderer(state, renderer, widget.template_name, context)
    return mark_safe(text)


def _text(text: Any) -> str:
    """What ``str()`` gives or raises for a value whose ``__str__`` gives this."""
    if isinstance(text, str):
        return text
    raise TypeError(f"__str__ returned non-string (type {type(text).__name__})")


class AskedWidget:
    """Stands for a widget, and tells with what it would be rendered."""

    __slots__ = ("asked",)

    def __init__(self, widget: Any) -> None:
        object.__setattr__(self, "asked", widget)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "asked"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.asked, name, value)

    def __bool__(self) -> bool:
        return bool(self.asked)

    def render(self, **given: Any) -> dict[str, Any]:
        """Return what a widget's ``render()`` is called with."""
        return given


def _label(state: State, field: Any, tag: str | None) -> Pending | None:
    form = field.form
    if not _renders(form):
        return None
    asked = AskedField(field, form)
    template, context = LABEL_TAG(asked, tag=tag)
    context["field"] = field
    return Pending(_label_of(state, form, template, context))


def _label_of(state: State, form: Any, template: str, context: Any) -> Plan:
    text = yield from _by_renderer(state, form.renderer, template or form.template_name, context)
    return mark_safe(text)


class AskedField:
    """Stands for a field whose form tells what it would render."""

    def __init__(self, field: Any, form: Any) -> None:
        self.asked = field
        self.form = AskedForm(form)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.asked, name)


class AskedForm:
    """Stands for a form, and tells what it would render."""

    def __init__(self, form: Any) -> None:
        self.asked = form

    def __getattr__(self, name: str) -> Any:
        return getattr(self.asked, name)

    def render(self, template: str, context: Any) -> tuple[str, Any]:
        """Return what a form's ``render()`` is called with."""
        return template, context


def _by_renderer(state: State, renderer: Any, name: str, values: Any) -> Plan:
    """The plan of ``renderer.render(name, values)``."""
    kind: Any = type(renderer)
    own = renderer.__dict__
    if kind.render is not RENDER_BY or "render" in own or type(values) is not dict:
        return renderer.render(name, values)
    backend: Any = None
    parsed: Any = None
    if kind.get_template is FIND_TEMPLATE and "get_template" not in own:
        backend = renderer.engine
        if type(backend) is backends.DjangoTemplates or FormTemplates.is_ours(backend):
            parsed = FormTemplates.compiled(backend.engine, name)
    if parsed is None:
        template = renderer.get_template(name)
        if not _is_to_be_compiled(template):
            return template.render(values, request=None).strip()
        backend, parsed = template.backend, template.template
    engine = parsed.engine
    before, state.engine = state.engine, engine
    sink = state.hold_back()
    try:
        context = Context(values, autoescape=engine.autoescape)
        text = yield from FormTemplates.plan(state, parsed, context)
    except TemplateDoesNotExist as error:
        backends.reraise(error, backend)
    finally:
        state.engine = before
        state.write_to(sink)
    return text.strip()


def _is_to_be_compiled(template: Any) -> bool:
    """Whether a backend's template is rendered by a plan, now that it is shown once more."""
    if type(template) is not backends.Template:
        return hasattr(template, "template") and FormTemplates.is_ours(template.backend)
    if backends.Template.render is not RENDER_TEMPLATE:
        return False
    attributes = template.template.nodelist.__dict__
    count: int = attributes.get(COUNT_ATTRIBUTE, 0) + 1
    attributes[COUNT_ATTRIBUTE] = count
    return count > INTERPRETED
