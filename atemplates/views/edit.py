"""``FormView``, ``CreateView``, ``UpdateView``, ``DeleteView`` and their mixins.

What forms of the site do (to be made, to be validated, to be saved) runs in the request's thread.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.views.generic import edit as stock

from ..runtime.drivers import in_request_thread
from .answered import Answered
from .base import ContextMixin, TemplateResponseMixin, View
from .colours import Colour
from .detail import BaseDetailView, SingleObjectMixin, SingleObjectTemplateResponseMixin
from .hooks import Hooks, ask, colours_of, twin

FORM_HOOKS = frozenset(
    {"get_form", "get_form_class", "get_form_kwargs", "get_initial", "get_prefix", "get_queryset"}
)
"""What makes a form."""


class FormMixin(ContextMixin, stock.FormMixin):
    """Django's mixin of the same name."""

    render_to_response: Any

    @twin
    async def get_form(self, form_class: Any = None) -> Any:
        """Make the form, in the request's thread: its fields may ask the database."""
        if form_class is None:
            form_class = await ask(self.get_form_class)
        kwargs = await ask(self.get_form_kwargs)
        return await in_request_thread(form_class, **kwargs)

    @twin
    async def get_form_kwargs(self) -> Any:
        """Return the arguments that the form is made with."""
        initial, prefix = await ask(self.get_initial), await ask(self.get_prefix)
        answered: Any = Answered(self, get_initial=initial, get_prefix=prefix)
        return stock.FormMixin.get_form_kwargs(answered)

    @twin
    async def form_valid(self, form: Any) -> Any:
        """Redirect to the address of success."""
        answered: Any = Answered(self, get_success_url=await ask(self.get_success_url))
        return stock.FormMixin.form_valid(answered, form)

    @twin
    async def form_invalid(self, form: Any) -> Any:
        """Respond with the form and its errors."""
        context = await ask(self.get_context_data, form=form)
        return await ask(self.render_to_response, context)

    @twin
    async def get_context_data(self, **kwargs: Any) -> Any:
        """Return the context, with the form."""
        if "form" not in kwargs:
            kwargs["form"] = await ask(self.get_form)
        return await ask(super().get_context_data, **kwargs)


class ModelFormMixin(FormMixin, SingleObjectMixin, stock.ModelFormMixin):
    """Django's mixin of the same name."""

    @twin
    async def get_form_class(self) -> Any:
        """Return the form's class, made from the model unless the view names one."""
        answers: dict[str, Any] = {}
        if not self.form_class and self.model is None and getattr(self, "object", None) is None:
            answers["get_queryset"] = await ask(self.get_queryset)
        answered: Any = Answered(self, **answers)
        return stock.ModelFormMixin.get_form_class(answered)

    @twin
    async def get_form_kwargs(self) -> Any:
        """Return the arguments that the form is made with, the instance among them."""
        kwargs = await ask(super().get_form_kwargs)
        if hasattr(self, "object"):
            kwargs["instance"] = self.object
        return kwargs

    @twin
    async def get_success_url(self) -> Any:
        """Return the view's address, or the one that the object names: code of the site."""
        url = stock.ModelFormMixin.get_success_url
        return url(self) if self.success_url else await in_request_thread(url, self)

    @twin
    async def form_valid(self, form: Any) -> Any:
        """Save the form, in the request's thread, and redirect."""
        self.object = await in_request_thread(form.save)
        return await ask(super().form_valid, form)


class ProcessFormView(View, stock.ProcessFormView):
    """Django's view of the same name."""

    get_context_data: Any
    render_to_response: Any

    @twin
    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Respond with an empty form."""
        context = await ask(self.get_context_data)
        return await ask(self.render_to_response, context)

    @twin
    async def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Validate the form, and do what `form_valid` or `form_invalid` says."""
        return await _process_form(self)

    @twin
    async def put(self, *args: Any, **kwargs: Any) -> Any:
        """Do as for POST."""
        return await ask(self.post, *args, **kwargs)


async def _process_form(view: Any) -> Any:
    """Make and validate a view's form, in one hop if it can be, and let the view respond."""
    if Colour.ASYNC in colours_of(view, FORM_HOOKS):
        form = await ask(view.get_form)
        is_valid = await in_request_thread(form.is_valid)
    else:
        form, is_valid = await in_request_thread(_make_and_validate, view)
    return await ask(view.form_valid if is_valid else view.form_invalid, form)


def _make_and_validate(view: Any) -> tuple[Any, bool]:
    form = view.get_form()
    return form, form.is_valid()


class BaseFormView(FormMixin, ProcessFormView, stock.BaseFormView):
    """Django's view of the same name, which takes a mixin to respond."""


class FormView(TemplateResponseMixin, BaseFormView, stock.FormView):
    """Django's view of the same name."""


class BaseCreateView(ModelFormMixin, ProcessFormView, stock.BaseCreateView):
    """Django's view of the same name, which takes a mixin to respond."""

    @twin
    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Respond with an empty form."""
        self.object = None
        return await ask(super().get, request, *args, **kwargs)

    @twin
    async def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Create the object if the form is valid."""
        self.object = None
        return await ask(super().post, request, *args, **kwargs)


class CreateView(SingleObjectTemplateResponseMixin, BaseCreateView, stock.CreateView):
    """Django's view of the same name."""


class BaseUpdateView(ModelFormMixin, ProcessFormView, stock.BaseUpdateView):
    """Django's view of the same name, which takes a mixin to respond."""

    @twin
    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Respond with the form for the object."""
        self.object = await ask(self.get_object)
        return await ask(super().get, request, *args, **kwargs)

    @twin
    async def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Change the object if the form is valid."""
        self.object = await ask(self.get_object)
        return await ask(super().post, request, *args, **kwargs)


class UpdateView(SingleObjectTemplateResponseMixin, BaseUpdateView, stock.UpdateView):
    """Django's view of the same name."""


class DeletionMixin(Hooks, stock.DeletionMixin):
    """Django's mixin of the same name."""

    get_object: Any

    @twin
    async def delete(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Delete the object and redirect."""
        self.object = await ask(self.get_object)
        return await _delete(self)

    @twin
    async def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Do as for DELETE."""
        return await ask(self.delete, request, *args, **kwargs)


async def _delete(view: Any) -> HttpResponseRedirect:
    """Delete a view's object; its address is asked for before."""
    address = await ask(view.get_success_url)
    await in_request_thread(view.object.delete)
    return HttpResponseRedirect(address)


class BaseDeleteView(DeletionMixin, FormMixin, BaseDetailView, stock.BaseDeleteView):
    """Django's view of the same name, which takes a mixin to respond."""

    @twin
    async def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Delete the object if the form is valid."""
        self.object = await ask(self.get_object)
        return await _process_form(self)

    @twin
    async def form_valid(self, form: Any) -> Any:
        """Delete the object and redirect."""
        return await _delete(self)


class DeleteView(SingleObjectTemplateResponseMixin, BaseDeleteView, stock.DeleteView):
    """Django's view of the same name."""
