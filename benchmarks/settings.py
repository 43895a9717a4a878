"""Django's settings for the benchmarks: the apps whose templates are compiled, and a database in
memory that every thread of the process sees."""

from pathlib import Path

SECRET_KEY = "only for benchmarks"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "benchmarks.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "file:benchmarks?mode=memory&cache=shared",
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
STATIC_URL = "/static/"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "atemplates",
    "benchmarks",
]
OPTIONS = {"context_processors": ["django.template.context_processors.request"]}
TEMPLATES = [
    {
        "NAME": "stock",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": OPTIONS,
    },
    {
        "NAME": "django",
        "BACKEND": "atemplates.engines.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates" / "django"],
        "APP_DIRS": True,
        "OPTIONS": OPTIONS,
    },
]
