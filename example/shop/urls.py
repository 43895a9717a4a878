"""The addresses of the shop."""

from django.urls import path

from . import views

app_name = "shop"
urlpatterns = [
    path("", views.book_list, name="book_list"),
    path("books/<slug:slug>/", views.book_detail, name="book_detail"),
    path("authors/", views.author_list, name="author_list"),
    path("authors/<slug:slug>/", views.author_detail, name="author_detail"),
    path("search/", views.search, name="search"),
    path("jinja2/", views.book_list, {"using": "jinja2"}, name="jinja2_book_list"),
    path(
        "jinja2/books/<slug:slug>/",
        views.book_detail,
        {"using": "jinja2"},
        name="jinja2_book_detail",
    ),
]
