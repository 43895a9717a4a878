"""The bookshop application."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class ShopConfig(AppConfig):
    """A bookshop with every kind of relation a template can run into."""

    name = "shop"
    verbose_name = "Bookshop"

    def ready(self) -> None:
        from .facts import count_queries_of
        from .latency import add_pause

        connection_created.connect(count_queries_of, dispatch_uid="shop.facts")
        connection_created.connect(add_pause, dispatch_uid="shop.latency")
