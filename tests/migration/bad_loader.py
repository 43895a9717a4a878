"""A loader that cannot be listed."""

from django.template import TemplateDoesNotExist
from django.template.loaders.base import Loader as Base


class Loader(Base):
    """Says that it has folders, and fails when asked for them."""

    def get_dirs(self):
        raise OSError("no disk")

    def get_template_sources(self, template_name):
        raise TemplateDoesNotExist(template_name)
