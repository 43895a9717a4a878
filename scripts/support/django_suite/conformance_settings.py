"""Settings under which Django's own test suite runs: those of its ``test_sqlite``, and our runner.

``runtests.py`` adds the applications, templates and middleware itself.
"""

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3"},
    "other": {"ENGINE": "django.db.backends.sqlite3"},
}
SECRET_KEY = "only for tests"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
TEST_RUNNER = "conformance_runner.RoutingRunner"
