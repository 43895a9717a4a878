"""The pages: class-based views; the address says which engine renders them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator

from atemplates.views import DetailView, FormView, ListView

from .forms import ReviewForm, SearchForm
from .models import Author, Book, Review


class BookList(ListView):
    """All books, from the oldest to the newest."""

    context_object_name = "books"
    paginate_by = 50
    extra_context = {"section": "books"}

    def get_queryset(self) -> QuerySet[Book]:
        return Book.objects.for_cards()


class BookPage(DetailView, FormView):
    """One book, its notes and its reviews; a reader who is signed in can add one."""

    form_class = ReviewForm

    async def get_queryset(self) -> QuerySet[Book]:
        return Book.objects.for_page()

    @method_decorator(login_required)
    async def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.object = await self.get_object()
        return await super().post(request, *args, **kwargs)

    async def form_valid(self, form: ReviewForm) -> HttpResponse:
        await Review.objects.aupdate_or_create(
            {**form.cleaned_data, "is_sample": False},
            book=self.object,
            user=await self.request.auser(),
        )
        messages.success(self.request, "Thank you, your review is on the page.")
        return redirect(self.object)


class AuthorList(ListView):
    """All authors in catalogue order, with their books."""

    context_object_name = "authors"
    paginate_by = 30
    extra_context = {"section": "authors"}

    def get_queryset(self) -> QuerySet[Author]:
        return Author.objects.for_index()


class AuthorPage(DetailView):
    """One author: profile, notes and books."""

    def get_queryset(self) -> QuerySet[Author]:
        return Author.objects.for_page()


class Search(ListView):
    """A form, and the books that match it."""

    template_name = "shop/search.html"
    context_object_name = "books"
    paginate_by = 50
    extra_context = {"section": "search"}

    def get_queryset(self) -> QuerySet[Book]:
        self.form = SearchForm(self.request.GET or None, label_suffix="")
        wanted = self.form.cleaned_data if self.form.is_valid() else None
        return Book.objects.matching(wanted).for_cards()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(form=self.form, **kwargs)
