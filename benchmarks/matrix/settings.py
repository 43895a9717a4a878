"""Django's settings for the matrix: those of the pages, with a time zone that is not UTC."""

from ..settings import *  # noqa: F403

TIME_ZONE = "Europe/Berlin"
ROOT_URLCONF = "benchmarks.matrix.urls"
MEDIA_URL = "/media/"
