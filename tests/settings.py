"""Settings of the test suite.

``DATABASE_URL`` names the server the tests run on (SQLite when it is not set; the tests make and
drop databases of their own there), ``DATABASE_POOL=1`` turns psycopg's connection pool on.
"""

import atexit
import os
import tempfile
from pathlib import Path

import dj_database_url

HERE = Path(__file__).resolve().parent


def databases() -> dict[str, dict[str, object]]:
    """The two databases: ``default``, and ``other`` beside it on the same server."""
    if url := os.environ.get("DATABASE_URL"):
        default = dj_database_url.parse(url)
        if os.environ.get("DATABASE_POOL") == "1":
            default["OPTIONS"] = {**default.get("OPTIONS", {}), "pool": True}
        return {"default": default, "other": {**default, "NAME": f"{default['NAME']}_other"}}
    # A file and not SQLite's memory: a server thread of a test waits for a locked file, but gets
    # an error at once from a locked table in shared memory. A folder of its own for each process,
    # so that several runs do not meet.
    folder = tempfile.TemporaryDirectory(prefix="atemplates-tests-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return {
        alias: {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": f"{folder.name}/{alias}.sqlite3",
            "TEST": {"NAME": f"{folder.name}/test_{alias}.sqlite3"},
            "OPTIONS": {
                # Nothing here has to survive a power cut.
                "init_command": "PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL;",
                "transaction_mode": "IMMEDIATE",
                # A busy machine may take long to release a lock.
                "timeout": 60,
            },
        }
        for alias in ("default", "other")
    }


DATABASES = databases()
DATABASE_ROUTERS = ["tests.testapp.routers.ArchiveRouter"]
TESTAPP_KEEPER_MODEL = "testapp.StaffKeeper"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
ROOT_URLCONF = "tests.urls"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
STATIC_URL = "/static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

INSTALLED_APPS = [
    # Before the admin, as in the demo: it adds its footer to the admin's base template.
    "shop",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "atemplates",
    "tests.testapp",
    "tests.views.polls",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
CONTEXT_PROCESSORS = [
    "django.template.context_processors.debug",
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
TEMPLATES = [
    {
        "BACKEND": "atemplates.engines.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
    {
        "BACKEND": "atemplates.engines.jinja2.Jinja2",
        "DIRS": [HERE / "jinja2"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
]
