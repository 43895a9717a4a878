"""The pages: async views, rendered by whichever engine the address names."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import aget_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from atemplates import arender

from .forms import ReviewForm, SearchForm
from .models import Author, Book, Review

BOOKS_PER_PAGE = 50
AUTHORS_PER_PAGE = 30


async def page_of(queryset: QuerySet, number: str | None, size: int) -> Page:
    """The page of a list that was asked for; its rows are not loaded yet.

    Django's paginator counts, and its async twin is not in every supported version.
    """
    return await sync_to_async(Paginator(queryset, size).get_page)(number)


@require_safe
async def book_list(request: HttpRequest, using: str = "django") -> HttpResponse:
    """All books, from the oldest to the newest."""
    page = await page_of(Book.objects.for_cards(), request.GET.get("page"), BOOKS_PER_PAGE)
    context = {"section": "books", "books": page.object_list, "page": page}
    return await arender(request, "shop/book_list.html", context, using=using)


@require_http_methods(["GET", "HEAD", "POST"])
async def book_detail(request: HttpRequest, slug: str, using: str = "django") -> HttpResponse:
    """One book, its notes and its reviews; a reader who is signed in can add one."""
    book = await aget_object_or_404(Book.objects.for_page(), slug=slug)
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        reader = await request.auser()
        if not reader.is_authenticated:
            return redirect("admin:login")
        # Checking the constraints of the model takes a query.
        if await sync_to_async(form.is_valid)():
            await Review.objects.aupdate_or_create(
                {**form.cleaned_data, "is_sample": False}, book=book, user=reader
            )
            messages.success(request, "Thank you, your review is on the page.")
            return redirect(book)
    context: dict[str, Any] = {"book": book, "form": form}
    return await arender(request, "shop/book_detail.html", context, using=using)


@require_safe
async def author_list(request: HttpRequest) -> HttpResponse:
    """All authors in catalogue order, with their books."""
    page = await page_of(Author.objects.for_index(), request.GET.get("page"), AUTHORS_PER_PAGE)
    context = {"section": "authors", "authors": page.object_list, "page": page}
    return await arender(request, "shop/author_list.html", context, using="django")


@require_safe
async def author_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One author: profile, notes and books."""
    author = await aget_object_or_404(Author.objects.for_page(), slug=slug)
    return await arender(request, "shop/author_detail.html", {"author": author}, using="django")


@require_safe
async def search(request: HttpRequest) -> HttpResponse:
    """A form, and the books that match it."""
    form = SearchForm(request.GET or None, label_suffix="")
    context: dict[str, Any] = {"section": "search", "form": form}
    # Cleaning looks the tag up, in the request's thread.
    if await sync_to_async(form.is_valid)():
        found = form.cleaned_data
        books = Book.objects.matching(found["q"], found["language"], found["tag"]).for_cards()
        page = await page_of(books, request.GET.get("page"), BOOKS_PER_PAGE)
        context |= {"books": page.object_list, "page": page}
    return await arender(request, "shop/search.html", context, using="django")
