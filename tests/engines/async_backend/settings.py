"""Settings of a site that uses django-async-backend, on the server that ``DATABASE_URL`` names."""

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_async_backend"]
for database in DATABASES.values():
    database["ENGINE"] = "django_async_backend.db.backends.postgresql"
