from django.apps import AppConfig


class TestAppConfig(AppConfig):
    """The models, tags and templates that only the tests need."""

    name = "tests.testapp"
    label = "testapp"
    default_auto_field = "django.db.models.BigAutoField"
