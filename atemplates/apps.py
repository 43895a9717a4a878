"""The Django application: needed for the management command, ``{% load atemplates %}`` and the
system checks."""

from django.apps import AppConfig

from .checks import register_checks


class AtemplatesConfig(AppConfig):
    """Makes ``manage.py atemplates``, the tag library and the system checks available."""

    name = "atemplates"
    verbose_name = "Async templates"

    def ready(self) -> None:
        """Register the system checks."""
        register_checks()
