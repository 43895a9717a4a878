"""What each page loads, in one place.

With ``SHOP_LAZY`` on, these methods load nothing ahead: the pages are the same, but the templates
reach through relations that were not loaded.
"""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet


class BookQuerySet(QuerySet):
    """Books."""

    def for_cards(self) -> Self:
        """With what a book's card in a list shows."""
        if settings.SHOP_LAZY:
            return self
        return self.select_related("author", "publisher__country").prefetch_related(
            "tags", "reviews"
        )

    def for_page(self) -> Self:
        """With what a book's own page shows."""
        if settings.SHOP_LAZY:
            return self
        return self.select_related("author__profile", "publisher__country").prefetch_related(
            "tags", "notes", "reviews__user", "author__books"
        )

    def matching(self, wanted: dict[str, Any] | None) -> Self:
        """Those that a reader looks for, by what `SearchForm` has cleaned; none without that."""
        if wanted is None:
            return self.none()
        books = self
        for word in wanted["q"].split():
            books = books.filter(
                Q(title__icontains=word)
                | Q(original_title__icontains=word)
                | Q(author__name__icontains=word)
                | Q(text__icontains=word)
            )
        if wanted["language"]:
            books = books.filter(language=wanted["language"])
        if wanted["tag"]:
            books = books.filter(tags=wanted["tag"])
        return books


class AuthorQuerySet(QuerySet):
    """Authors."""

    def for_index(self) -> Self:
        """With their books."""
        return self if settings.SHOP_LAZY else self.prefetch_related("books")

    def for_page(self) -> Self:
        """With what an author's page shows: profile, notes and cards of the books."""
        if settings.SHOP_LAZY:
            return self
        books = self.model._meta.get_field("books").related_model.objects.for_cards()
        return self.select_related("profile").prefetch_related("notes", Prefetch("books", books))
