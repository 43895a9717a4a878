"""``DetailView`` and the mixins of ``django.views.generic.detail``."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext
from django.views.generic import detail as stock

from ..runtime.drivers import in_request_thread
from .base import ContextMixin, TemplateResponseMixin, View
from .hooks import ask, twin


class SingleObjectMixin(ContextMixin, stock.SingleObjectMixin):
    """Django's mixin of the same name."""

    kwargs: dict[str, Any]
    object: Any

    @twin
    async def get_object(self, queryset: Any = None) -> Any:
        """Return the object of the address.

        Raises:
            Http404: there is none.
            AttributeError: the address has neither a primary key nor a slug.
        """
        if queryset is None:
            queryset = await ask(self.get_queryset)
        key = self.kwargs.get(self.pk_url_kwarg)
        slug = self.kwargs.get(self.slug_url_kwarg)
        if key is None and slug is None:
            raise AttributeError(
                f"Generic detail view {type(self).__name__} must be called with either an object "
                "pk or a slug in the URLconf."
            )
        if key is not None:
            queryset = queryset.filter(pk=key)
        if slug is not None and (key is None or self.query_pk_and_slug):
            queryset = queryset.filter(**{await ask(self.get_slug_field): slug})
        try:
            if isinstance(queryset, QuerySet):
                return await queryset.aget()
            return await in_request_thread(queryset.get)
        except queryset.model.DoesNotExist:
            raise Http404(
                gettext("No %(verbose_name)s found matching the query")
                % {"verbose_name": queryset.model._meta.verbose_name}
            ) from None

    @twin
    async def get_context_data(self, **kwargs: Any) -> Any:
        """Return the context, with the object if there is one."""
        context = {}
        if self.object:
            context["object"] = self.object
            name = await ask(self.get_context_object_name, self.object)
            if name:
                context[name] = self.object
        return await ask(super().get_context_data, **{**context, **kwargs})


class BaseDetailView(SingleObjectMixin, View, stock.BaseDetailView):
    """Django's view of the same name, which takes a mixin to respond."""

    render_to_response: Any

    @twin
    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Respond with the object."""
        self.object = await ask(self.get_object)
        context = await ask(self.get_context_data, object=self.object)
        return await ask(self.render_to_response, context)


class SingleObjectTemplateResponseMixin(
    TemplateResponseMixin, stock.SingleObjectTemplateResponseMixin
):
    """Django's mixin of the same name."""

    @twin
    async def get_template_names(self) -> Any:
        """Return the names of templates to choose from."""
        names = stock.SingleObjectTemplateResponseMixin.get_template_names
        if self.template_name_field:
            return await in_request_thread(names, self)  # reads a field of the object
        return names(self)


class DetailView(SingleObjectTemplateResponseMixin, BaseDetailView, stock.DetailView):
    """Django's view of the same name."""
