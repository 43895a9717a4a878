"""The bookshop application."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class ShopConfig(AppConfig):
    """A bookshop with every kind of relation a template can run into."""

    name = "shop"
    verbose_name = "Bookshop"

    def ready(self) -> None:
        from .facts import count_queries_of

        connection_created.connect(count_queries_of, dispatch_uid="shop.facts")
