"""Django's settings for forms by django-crispy-forms: those of the pages, with the library's."""

from .settings import *  # noqa: F403
from .settings import INSTALLED_APPS as PAGES_APPS

INSTALLED_APPS = [*PAGES_APPS, "crispy_forms", "crispy_bootstrap5"]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
TEMPLATES: list[dict[str, object]] = []  # one engine, which the process chooses
