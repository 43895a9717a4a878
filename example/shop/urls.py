"""The addresses of the shop."""

from django.urls import path

from .dashboard import dashboard
from .views import AuthorList, AuthorPage, BookList, BookPage, Search

app_name = "shop"
urlpatterns = [
    path("", BookList.as_view(), name="book_list"),
    path("books/<slug:slug>/", BookPage.as_view(), name="book_detail"),
    path("authors/", AuthorList.as_view(), name="author_list"),
    path("authors/<slug:slug>/", AuthorPage.as_view(), name="author_detail"),
    path("search/", Search.as_view(), name="search"),
    path("dashboard/", dashboard, name="dashboard"),
    path("dashboard/<slug:delivery>/", dashboard, name="dashboard_by"),
    path("jinja2/", BookList.as_view(template_engine="jinja2"), name="jinja2_book_list"),
    path(
        "jinja2/books/<slug:slug>/",
        BookPage.as_view(template_engine="jinja2"),
        name="jinja2_book_detail",
    ),
]
