"""The Django application: needed for the management command, ``{% load atemplates %}`` and the
system checks."""

from typing import Any

from django.apps import AppConfig
from django.core.signals import setting_changed

from .checks import register_checks
from .site_settings import SITE_SETTING, site_setting


class AtemplatesConfig(AppConfig):
    """Makes ``manage.py atemplates``, the tag library and the system checks available."""

    name = "atemplates"
    verbose_name = "Async templates"

    def ready(self) -> None:
        """Register the system checks, and the observers that the setting ``ATEMPLATES`` names.

        Raises:
            ImproperlyConfigured: the setting is wrong.
        """
        register_checks()
        # Looked at here, so that a mistake in any key of it shows when the site starts.
        if site_setting("trace"):
            observe_as_set()
        setting_changed.connect(follow_setting, dispatch_uid=SITE_SETTING)


def observe_as_set() -> None:
    """Tell the observers that the setting ``ATEMPLATES`` names of every render."""
    from .trace.configured import subscribe_configured  # most sites trace nothing

    subscribe_configured()


def follow_setting(*, setting: str, **kwargs: Any) -> None:
    """Do so anew where a test changes the setting."""
    if setting == SITE_SETTING:
        observe_as_set()
