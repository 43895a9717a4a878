"""``ListView`` and the mixins of ``django.views.generic.list``."""

from __future__ import annotations

from typing import Any

from django.core.paginator import InvalidPage, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext
from django.views.generic import list as stock

from ..runtime.drivers import in_request_thread, wait_for
from .answered import Answered
from .base import ContextMixin, TemplateResponseMixin, View
from .hooks import ask, twin


class MultipleObjectMixin(ContextMixin, stock.MultipleObjectMixin):
    """Django's mixin of the same name."""

    object_list: Any

    @twin
    async def get_queryset(self) -> Any:
        """Return the list of objects; a queryset of the class is copied and ordered."""
        answered: Any = Answered(self, get_ordering=await ask(self.get_ordering))
        return stock.MultipleObjectMixin.get_queryset(answered)

    @twin
    async def get_paginator(self, *args: Any, **kwargs: Any) -> Any:
        """Make the paginator; one of the site's own may ask the database for that."""
        make = stock.MultipleObjectMixin.get_paginator
        if self.paginator_class is Paginator or _is_async(self.paginator_class):
            return make(self, *args, **kwargs)
        return await in_request_thread(make, self, *args, **kwargs)

    @twin
    async def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        """Return the paginator, the page, its objects, and whether there are other pages.

        Raises:
            Http404: the page that was asked for is not there.
        """
        orphans = await ask(self.get_paginate_orphans)
        allow_empty = await ask(self.get_allow_empty)
        paginator = await ask(
            self.get_paginator,
            queryset,
            page_size,
            orphans=orphans,
            allow_empty_first_page=allow_empty,
        )
        answered: Any = Answered(
            self,
            get_paginator=paginator,
            get_paginate_orphans=orphans,
            get_allow_empty=allow_empty,
        )
        paginate = stock.MultipleObjectMixin.paginate_queryset
        page = _page_asked_for(self)
        if page is not None and _is_async(paginator):
            return await _apage(paginator, page)
        # Which pages cost a count before they are refused depends on the version of Django.
        countable = page == "last" or (isinstance(page, int) and page > 0)
        if page is None or (countable and await _is_counted(paginator)):
            return paginate(answered, queryset, page_size)
        return await in_request_thread(paginate, answered, queryset, page_size)

    def _paginate_queryset_in_thread(self, queryset: Any, page_size: int) -> Any:
        page = _page_asked_for(self)
        if page is None or not _is_async(self.paginator_class):
            return super().paginate_queryset(queryset, page_size)
        paginator = self.get_paginator(
            queryset,
            page_size,
            orphans=self.get_paginate_orphans(),
            allow_empty_first_page=self.get_allow_empty(),
        )
        return wait_for(_apage(paginator, page))

    @twin
    async def get_context_data(self, *, object_list: Any = None, **kwargs: Any) -> Any:
        """Return the context, with the page of the list if there are pages."""
        queryset = self.object_list if object_list is None else object_list
        page_size = await ask(self.get_paginate_by, queryset)
        name = await ask(self.get_context_object_name, queryset)
        paginator, page, is_paginated = None, None, False
        if page_size:
            paginator, page, queryset, is_paginated = await ask(
                self.paginate_queryset, queryset, page_size
            )
        context = {
            "paginator": paginator,
            "page_obj": page,
            "is_paginated": is_paginated,
            "object_list": queryset,
        }
        if name is not None:
            context[name] = queryset
        return await ask(super().get_context_data, **{**context, **kwargs})


def _is_async(paginator: Any) -> bool:
    """Whether a paginator, or its class, is one like ``AsyncPaginator`` (Django 6.0 and later)."""
    return hasattr(paginator, "apage")


async def _apage(paginator: Any, page: Any) -> tuple[Any, Any, Any, bool]:
    """Return what `paginate_queryset` does, of a paginator whose methods are async.

    Raises:
        Http404: there is no such page.
    """
    number = await paginator.anum_pages() if page == "last" else page
    try:
        found = await paginator.apage(number)
        return paginator, found, found.object_list, await found.ahas_other_pages()
    except InvalidPage as error:
        raise Http404(
            gettext("Invalid page (%(page_number)s): %(message)s")
            % {"page_number": number, "message": str(error)}
        ) from error


def _page_asked_for(view: Any) -> Any:
    """The number of the page that a request asks for, ``"last"``, or None for what is neither."""
    page = view.kwargs.get(view.page_kwarg) or view.request.GET.get(view.page_kwarg) or 1
    try:
        return int(page)
    except ValueError:
        return page if page == "last" else None


async def _is_counted(paginator: Any) -> bool:
    """Count the objects of a paginator if the async ORM can; whether it needs no more I/O."""
    objects = paginator.object_list
    if type(paginator) is not Paginator:
        return False  # code of the site
    if isinstance(objects, QuerySet):
        if objects._result_cache is None:
            paginator.count = await objects.acount()
        return True
    return type(objects) in (list, tuple)


class BaseListView(MultipleObjectMixin, View, stock.BaseListView):
    """Django's view of the same name, which takes a mixin to respond."""

    render_to_response: Any

    @twin
    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Respond with the list.

        Raises:
            Http404: it is empty, which ``allow_empty`` does not allow.
        """
        self.object_list = await ask(self.get_queryset)
        if not await ask(self.get_allow_empty) and await _is_empty(self):
            raise Http404(
                gettext("Empty list and “%(class_name)s.allow_empty” is False.")
                % {"class_name": type(self).__name__}
            )
        return await ask(self.render_to_response, await ask(self.get_context_data))


async def _is_empty(view: Any) -> bool:
    """Whether a view's list is empty: asked of the database if there are pages, else loaded."""
    objects = view.object_list
    paginated = await ask(view.get_paginate_by, objects) is not None
    if paginated and hasattr(objects, "exists"):
        if isinstance(objects, QuerySet):
            return not await objects.aexists()
        return not await in_request_thread(objects.exists)
    if isinstance(objects, QuerySet):
        async for _ in objects:
            return False
        return True
    if type(objects) in (list, tuple):
        return not objects
    return not await in_request_thread(bool, objects)


class MultipleObjectTemplateResponseMixin(
    TemplateResponseMixin, stock.MultipleObjectTemplateResponseMixin
):
    """Django's mixin of the same name."""


class ListView(MultipleObjectTemplateResponseMixin, BaseListView, stock.ListView):
    """Django's view of the same name."""
