"""Django's generic class-based views by the same names: ``from atemplates.views import ListView``.

Beside the views of ``django.views.generic`` and their mixins there are the access mixins of
``django.contrib.auth``, `AsyncRenderMixin` for views of other packages, and
`atemplates.views.defaults` with the error handlers.
"""

from typing import TYPE_CHECKING, Any

from .base import (
    AsyncRenderMixin,
    ContextMixin,
    RedirectView,
    TemplateResponseMixin,
    TemplateView,
    View,
)
from .dates import (
    ArchiveIndexView,
    BaseArchiveIndexView,
    BaseDateDetailView,
    BaseDateListView,
    BaseDayArchiveView,
    BaseMonthArchiveView,
    BaseTodayArchiveView,
    BaseWeekArchiveView,
    BaseYearArchiveView,
    DateDetailView,
    DateMixin,
    DayArchiveView,
    DayMixin,
    MonthArchiveView,
    MonthMixin,
    TodayArchiveView,
    WeekArchiveView,
    WeekMixin,
    YearArchiveView,
    YearMixin,
)
from .detail import (
    BaseDetailView,
    DetailView,
    SingleObjectMixin,
    SingleObjectTemplateResponseMixin,
)
from .edit import (
    BaseCreateView,
    BaseDeleteView,
    BaseFormView,
    BaseUpdateView,
    CreateView,
    DeleteView,
    DeletionMixin,
    FormMixin,
    FormView,
    ModelFormMixin,
    ProcessFormView,
    UpdateView,
)
from .list import (
    BaseListView,
    ListView,
    MultipleObjectMixin,
    MultipleObjectTemplateResponseMixin,
)

if TYPE_CHECKING:
    from .auth import (
        AccessMixin,
        LoginRequiredMixin,
        PermissionRequiredMixin,
        UserPassesTestMixin,
    )

__all__ = [
    "AccessMixin",
    "ArchiveIndexView",
    "AsyncRenderMixin",
    "BaseArchiveIndexView",
    "BaseCreateView",
    "BaseDateDetailView",
    "BaseDateListView",
    "BaseDayArchiveView",
    "BaseDeleteView",
    "BaseDetailView",
    "BaseFormView",
    "BaseListView",
    "BaseMonthArchiveView",
    "BaseTodayArchiveView",
    "BaseUpdateView",
    "BaseWeekArchiveView",
    "BaseYearArchiveView",
    "ContextMixin",
    "CreateView",
    "DateDetailView",
    "DateMixin",
    "DayArchiveView",
    "DayMixin",
    "DeleteView",
    "DeletionMixin",
    "DetailView",
    "FormMixin",
    "FormView",
    "ListView",
    "LoginRequiredMixin",
    "ModelFormMixin",
    "MonthArchiveView",
    "MonthMixin",
    "MultipleObjectMixin",
    "MultipleObjectTemplateResponseMixin",
    "PermissionRequiredMixin",
    "ProcessFormView",
    "RedirectView",
    "SingleObjectMixin",
    "SingleObjectTemplateResponseMixin",
    "TemplateResponseMixin",
    "TemplateView",
    "TodayArchiveView",
    "UpdateView",
    "UserPassesTestMixin",
    "View",
    "WeekArchiveView",
    "WeekMixin",
    "YearArchiveView",
    "YearMixin",
]


def __getattr__(name: str) -> Any:
    """The access mixins, whose module takes an installed ``django.contrib.auth``."""
    if name in __all__:
        from . import auth

        return getattr(auth, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
