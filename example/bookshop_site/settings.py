"""Settings of the demo bookshop.

Environment variables, all optional:

``DATABASE_URL``   the database, such as ``postgres://user:password@127.0.0.1:5432/bookshop``;
                   without it a SQLite file beside ``manage.py``
``DEBUG``          ``0`` turns debugging off; then ``SECRET_KEY`` has to be set
``SECRET_KEY``     any long random text
``ALLOWED_HOSTS``  host names, separated by commas
``SHOP_LAZY``      ``1`` makes the views hand over querysets without select_related() and
                   prefetch_related(): the same pages, with a query for every relation
``SHOP_TOOLBAR``   ``1`` switches django-debug-toolbar on, with the panel of atemplates
``SHOP_RECORDING`` a file: what the templates load is recorded there, for
                   ``manage.py atemplates lazy --recording FILE``
"""

import os
from pathlib import Path

import dj_database_url
import django
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def switched_on(name: str, default: bool) -> bool:
    """Whether an environment variable is on: anything but ``0``, ``false``, ``no``, ``off``."""
    value = os.environ.get(name, "").strip().lower()
    return value not in {"0", "false", "no", "off"} if value else default


DEBUG = switched_on("DEBUG", default=True)
SHOP_LAZY = switched_on("SHOP_LAZY", default=False)
SHOP_TOOLBAR = switched_on("SHOP_TOOLBAR", default=False)
SHOP_RECORDING = os.environ.get("SHOP_RECORDING", "")

SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("Set SECRET_KEY in the environment to run with DEBUG=0.")
    SECRET_KEY = "for-the-demo-on-your-own-machine-only-and-known-to-everybody"

ALLOWED_HOSTS = [
    host.strip()
    for host in os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
    if host.strip()
]

INSTALLED_APPS = [
    # Before the admin: the shop adds its footer to the admin's base template.
    "shop",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "atemplates",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "shop.middleware.page_facts",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "bookshop_site.urls"
ASGI_APPLICATION = "bookshop_site.asgi.application"

DJANGO_PROCESSORS = [
    "django.template.context_processors.debug",
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]

if django.VERSION >= (6, 0):
    from django.utils.csp import CSP

    # Scripts are the site's own files, or have the request's nonce. The shop's templates set custom
    # properties in style attributes.
    DJANGO_PROCESSORS.append("django.template.context_processors.csp")
    MIDDLEWARE.insert(1, "django.middleware.csp.ContentSecurityPolicyMiddleware")
    SECURE_CSP = {
        "default-src": [CSP.SELF],
        "script-src": [CSP.SELF, CSP.NONCE],
        "style-src-attr": [CSP.UNSAFE_INLINE],
        "img-src": [CSP.SELF, "data:"],
    }

# To move a site to atemplates, replace "django.template.backends" by "atemplates.engines".
TEMPLATES = [
    {
        "BACKEND": "atemplates.engines.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                *DJANGO_PROCESSORS,
                "shop.context_processors.rendered_by_django",
            ],
            "recorder": {"file": SHOP_RECORDING} if SHOP_RECORDING else None,
        },
    },
    {
        "BACKEND": "atemplates.engines.jinja2.Jinja2",
        "APP_DIRS": True,
        "OPTIONS": {
            "environment": "shop.jinja2_environment.environment",
            "context_processors": [
                "shop.context_processors.reader",
                "django.contrib.messages.context_processors.messages",
                "shop.context_processors.rendered_by_jinja2",
            ],
            "recorder": {"file": SHOP_RECORDING} if SHOP_RECORDING else None,
        },
    },
]

# To compare with on the dashboard, and for no other page: Django's own engine, and one of ours that
# begins the queries of a page together, five at a time.
DASHBOARD_TEMPLATES = [
    {
        "NAME": "stock",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                *DJANGO_PROCESSORS,
                "shop.context_processors.rendered_by_stock",
            ],
        },
    },
    {
        "NAME": "parallel",
        "BACKEND": "atemplates.engines.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                *DJANGO_PROCESSORS,
                "shop.context_processors.rendered_by_parallel",
            ],
            "parallel": 5,
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}"
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGOUT_REDIRECT_URL = "shop:book_list"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

if SHOP_TOOLBAR:
    INSTALLED_APPS.append("debug_toolbar")
    # Around all that answers: it sees the whole request.
    MIDDLEWARE.insert(0, "debug_toolbar.middleware.DebugToolbarMiddleware")
    INTERNAL_IPS = ["127.0.0.1", "::1"]
    DEBUG_TOOLBAR_PANELS = [
        "debug_toolbar.panels.history.HistoryPanel",
        "atemplates.toolbar.TemplatesPanel",
        "debug_toolbar.panels.sql.SQLPanel",
        "debug_toolbar.panels.cache.CachePanel",
        "debug_toolbar.panels.headers.HeadersPanel",
        "debug_toolbar.panels.request.RequestPanel",
    ]
