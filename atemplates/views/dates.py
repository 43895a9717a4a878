"""The seven date views and their mixins.

What they ask the database stands in several methods that need each other's answers, so it is asked
in the request's thread, all of it in one hop.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views.generic import dates as stock

from .answered import Answered
from .base import View
from .detail import BaseDetailView, SingleObjectTemplateResponseMixin
from .hooks import Hooks, ask, twin
from .list import MultipleObjectMixin, MultipleObjectTemplateResponseMixin


class YearMixin(Hooks, stock.YearMixin):
    """Django's mixin of the same name."""

    in_thread = frozenset({"get_next_year", "get_previous_year"})


class MonthMixin(Hooks, stock.MonthMixin):
    """Django's mixin of the same name."""

    in_thread = frozenset({"get_next_month", "get_previous_month"})


class DayMixin(Hooks, stock.DayMixin):
    """Django's mixin of the same name."""

    in_thread = frozenset({"get_next_day", "get_previous_day"})


class WeekMixin(Hooks, stock.WeekMixin):
    """Django's mixin of the same name."""

    in_thread = frozenset({"get_next_week", "get_previous_week"})


class DateMixin(Hooks, stock.DateMixin):
    """Django's mixin of the same name."""


class BaseDateListView(MultipleObjectMixin, DateMixin, View, stock.BaseDateListView):
    """Django's view of the same name, which takes a mixin to respond."""

    render_to_response: Any
    in_thread = frozenset({"get_dated_items", "get_dated_queryset", "get_date_list"})

    @twin
    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Respond with the dates and the objects."""
        self.date_list, self.object_list, extra = await ask(self.get_dated_items)
        context = await ask(
            self.get_context_data,
            object_list=self.object_list,
            date_list=self.date_list,
            **extra,
        )
        return await ask(self.render_to_response, context)

    @twin
    async def get_ordering(self) -> Any:
        """Return what the objects are ordered by: their date, unless the view says otherwise."""
        answered: Any = Answered(self, get_date_field=await ask(self.get_date_field))
        return stock.BaseDateListView.get_ordering(answered)


class BaseArchiveIndexView(BaseDateListView, stock.BaseArchiveIndexView):
    """Django's view of the same name, which takes a mixin to respond."""


class ArchiveIndexView(
    MultipleObjectTemplateResponseMixin, BaseArchiveIndexView, stock.ArchiveIndexView
):
    """Django's view of the same name."""


class BaseYearArchiveView(YearMixin, BaseDateListView, stock.BaseYearArchiveView):
    """Django's view of the same name, which takes a mixin to respond."""


class YearArchiveView(
    MultipleObjectTemplateResponseMixin, BaseYearArchiveView, stock.YearArchiveView
):
    """Django's view of the same name."""


class BaseMonthArchiveView(YearMixin, MonthMixin, BaseDateListView, stock.BaseMonthArchiveView):
    """Django's view of the same name, which takes a mixin to respond."""


class MonthArchiveView(
    MultipleObjectTemplateResponseMixin, BaseMonthArchiveView, stock.MonthArchiveView
):
    """Django's view of the same name."""


class BaseWeekArchiveView(YearMixin, WeekMixin, BaseDateListView, stock.BaseWeekArchiveView):
    """Django's view of the same name, which takes a mixin to respond."""


class WeekArchiveView(
    MultipleObjectTemplateResponseMixin, BaseWeekArchiveView, stock.WeekArchiveView
):
    """Django's view of the same name."""


class BaseDayArchiveView(
    YearMixin, MonthMixin, DayMixin, BaseDateListView, stock.BaseDayArchiveView
):
    """Django's view of the same name, which takes a mixin to respond."""


class DayArchiveView(MultipleObjectTemplateResponseMixin, BaseDayArchiveView, stock.DayArchiveView):
    """Django's view of the same name."""


class BaseTodayArchiveView(BaseDayArchiveView, stock.BaseTodayArchiveView):
    """Django's view of the same name, which takes a mixin to respond."""


class TodayArchiveView(
    MultipleObjectTemplateResponseMixin, BaseTodayArchiveView, stock.TodayArchiveView
):
    """Django's view of the same name."""


class BaseDateDetailView(
    YearMixin, MonthMixin, DayMixin, DateMixin, BaseDetailView, stock.BaseDateDetailView
):
    """Django's view of the same name, which takes a mixin to respond."""

    in_thread = frozenset({"get_object"})


class DateDetailView(SingleObjectTemplateResponseMixin, BaseDateDetailView, stock.DateDetailView):
    """Django's view of the same name."""
