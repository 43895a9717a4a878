"""The admin of the tables, as sites configure one."""

from __future__ import annotations

from django.contrib import admin

from .models import Author, Book, Publisher, Review


class ReviewInline(admin.TabularInline):
    """The reviews of a book, on its own page."""

    model = Review
    extra = 1


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    """A list with a filter and a search, and a form with a foreign key and many-to-many tags."""

    list_display = ("title", "year", "author", "is_old")
    list_filter = ("year",)
    list_select_related = ("author",)
    search_fields = ("title",)
    list_per_page = 50
    inlines = (ReviewInline,)
    prepopulated_fields = {"slug": ("title",)}

    @admin.display(boolean=True, ordering="year")
    def is_old(self, book: Book) -> bool:
        """A column that is no field."""
        return bool(book.year < 1900)


admin.site.register([Author, Publisher])
