"""Which modules hold code that asks no database by itself: Python's own library, Django's ORM.

Django's ORM asks in ways that are known.
"""

from __future__ import annotations

import os
import sys

LIBRARY = os.path.dirname(os.__file__) + os.sep
"""Where Python's own library lies: a site may have a package named like one of its modules."""
NOT_OF_PYTHON = tuple(LIBRARY + folder for folder in ("site-packages", "dist-packages"))
QUIET_PACKAGES = frozenset({"asgiref", "jinja2", "markupsafe", __name__.partition(".")[0]})
QUIET_MODULES = (
    "django.conf",
    "django.contrib.contenttypes.fields",
    "django.core.files.utils",
    "django.db.models",
    "django.http",
    "django.template",
    "django.templatetags",
    "django.urls",
    "django.utils",
)
"""Where code lies that asks no database by itself. Django's ORM asks in ways that are known."""


def is_quiet_place(module: str, filename: str) -> bool:
    """Whether a module belongs to such a library."""
    package = module.partition(".")[0]
    if package == "django":
        return module.startswith(QUIET_MODULES)
    return package in QUIET_PACKAGES or (
        package in sys.stdlib_module_names and is_pythons(filename)
    )


def is_pythons(filename: str) -> bool:
    """Whether a file belongs to Python's own library."""
    if filename.startswith("<frozen "):
        return True
    return filename.startswith(LIBRARY) and not filename.startswith(NOT_OF_PYTHON)
