from django.apps import AppConfig


class PollsConfig(AppConfig):
    """The site of Django's tutorial, in its shape and in our own words."""

    name = "tests.views.polls"
    default_auto_field = "django.db.models.BigAutoField"
