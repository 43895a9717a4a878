"""Django's admin, rendered by our backend with the default context processors."""

import pytest
from django.template import engines
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertRedirects, assertTemplateUsed

from atemplates.engines.django import DjangoTemplates
from shop.models import Author, Book
from shop.pages import DEMO_PASSWORD, DEMO_USER

pytestmark = pytest.mark.django_db


@pytest.fixture
def anonymous(shelf, site):
    assert isinstance(engines["django"], DjangoTemplates)
    return Client()


@pytest.fixture
def staff(anonymous):
    assert anonymous.login(username=DEMO_USER, password=DEMO_PASSWORD)
    return anonymous


def test_login_by_its_form(anonymous):
    response = anonymous.get("/admin/", follow=True)
    assertTemplateUsed(response, "admin/login.html")
    assertContains(response, "csrfmiddlewaretoken")
    wrong = anonymous.post(response.request["PATH_INFO"], {"username": "demo", "password": "x"})
    assertContains(wrong, "Please enter the correct username and password")
    right = anonymous.post(
        "/admin/login/?next=/admin/", {"username": DEMO_USER, "password": DEMO_PASSWORD}
    )
    assertRedirects(right, "/admin/")


def test_index_and_list(staff):
    assertContains(staff.get("/admin/"), "Site administration")
    response = staff.get("/admin/shop/book/", {"q": "northanger", "language": "English"})
    assertContains(response, "Northanger Abbey")
    assertContains(response, "1 result")
    assertTemplateUsed(response, "admin/change_list.html")
    assertContains(response, "Rendered by <strong>django / sync</strong>")


def test_every_list_of_the_shop_opens(staff):
    for model in ("author", "book", "country", "publisher", "review", "tag"):
        response = staff.get(f"/admin/shop/{model}/")
        assertContains(response, "Rendered by")
        assert response.context["cl"].result_count > 0


def test_change_form_with_its_inlines_saves(staff):
    author = Author.objects.get(slug="saki")
    address = reverse("admin:shop_author_change", args=[author.pk])
    response = staff.get(address)
    assertTemplateUsed(response, "admin/change_form.html")
    values = {
        "name": "Saki",
        "sort_name": "Saki (H. H. Munro)",
        "slug": "saki",
        "born": "1870",
        "died": "1916",
        "profile-TOTAL_FORMS": "1",
        "profile-INITIAL_FORMS": "0",
        "profile-0-birthplace": "Akyab",
        "profile-0-biography": "Hector Hugh Munro.",
    }
    for formset in response.context["inline_admin_formsets"][1:]:
        prefix = formset.formset.prefix
        values |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    response = staff.post(address, values, follow=True)
    assertContains(response, "was changed successfully")
    author.refresh_from_db()
    assert (author.sort_name, author.profile.birthplace) == ("Saki (H. H. Munro)", "Akyab")


def test_change_form_of_a_book_shows_all_its_relations(staff):
    book = Book.objects.get(slug="frankenstein")
    response = staff.get(reverse("admin:shop_book_change", args=[book.pk]))
    for text in ("Mary Shelley", "Lackington", "three frames deep", "500 copies"):
        assert text.lower() in response.content.decode().lower()


def test_a_form_that_is_not_right_comes_back_with_its_errors(staff):
    response = staff.post("/admin/shop/tag/add/", {"name": "", "slug": "not a slug"})
    assertContains(response, "Please correct the errors below.")


async def test_an_async_client_gets_the_admin_as_well(signed_in):
    response = await signed_in.get("/admin/shop/book/")
    assert response.status_code == 200
    assert response["X-Atemplates-Mode"] == "sync"
