"""The shop in Django's admin."""

from django.contrib import admin
from django.contrib.contenttypes.admin import GenericTabularInline

from .models import Author, AuthorProfile, Book, Country, Note, Publisher, Review, Tag


class NoteInline(GenericTabularInline):
    model = Note
    extra = 0


class ProfileInline(admin.StackedInline):
    model = AuthorProfile


class ReviewInline(admin.TabularInline):
    model = Review
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    list_display = ["sort_name", "born", "died", "profile"]
    list_select_related = ["profile__author"]
    search_fields = ["name", "sort_name"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [ProfileInline, NoteInline]


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "author", "year", "language", "publisher"]
    list_filter = ["language", "tags"]
    list_select_related = ["author", "publisher"]
    search_fields = ["title", "original_title", "author__name"]
    autocomplete_fields = ["author", "publisher"]
    filter_horizontal = ["tags"]
    prepopulated_fields = {"slug": ["title"]}
    inlines = [ReviewInline, NoteInline]


@admin.register(Country)
class CountryAdmin(admin.ModelAdmin):
    list_display = ["name", "code"]
    search_fields = ["name", "code"]


@admin.register(Publisher)
class PublisherAdmin(admin.ModelAdmin):
    list_display = ["name", "city", "country"]
    list_filter = ["country"]
    search_fields = ["name", "city"]


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    list_display = ["book", "user", "rating", "is_sample", "created"]
    list_filter = ["rating", "is_sample"]
    list_select_related = ["book__author", "user"]
    autocomplete_fields = ["book", "user"]


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}
