"""The polls of Django's tutorial, once with its generic views and once with only the import changed.

The bytes, headers and status of each answer are the same, under ASGI and under WSGI.
"""

from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import AsyncClient, Client
from django.urls import include, path
from django.utils import timezone

from tests.views.polls import views as stock
from tests.views.polls.models import Choice, Question

pytestmark = pytest.mark.django_db

IMPORT = "from django.views import generic"
OUR_IMPORT = "from atemplates import views as generic"
FOLDER = Path(stock.__file__).parent


def with_our_import():
    """The module of the views with one line changed."""
    source = Path(stock.__file__).read_text(encoding="utf-8")
    assert source.count(IMPORT) == 1
    module = ModuleType("tests.views.polls.our_views")
    exec(compile(source.replace(IMPORT, OUR_IMPORT), stock.__file__, "exec"), vars(module))
    return module


ours = with_our_import()


class Asked(NamedTuple):
    """A request: its method, its address after ``/polls/``, its data, and the status of the answer."""

    method: str
    path: str
    status: int
    data: dict[str, str] | None = None


# The first five questions have the keys 1 to 5, of which 5 is from tomorrow. Their answers are
# numbered through, three for each.
REQUESTS = [
    Asked("get", "", 200),
    Asked("head", "", 200),
    Asked("options", "", 200),
    Asked("post", "", 405),
    Asked("get", "1/", 200),
    Asked("get", "5/", 404),
    Asked("get", "99/", 404),
    Asked("get", "x/", 404),
    Asked("delete", "1/", 405),
    Asked("get", "1/results/", 200),
    Asked("get", "5/results/", 200),
    Asked("get", "99/results/", 404),
    Asked("get", "1/vote/", 200),
    Asked("post", "1/vote/", 200),
    Asked("post", "1/vote/", 200, {"choice": "4"}),
    Asked("post", "1/vote/", 302, {"choice": "1"}),
    Asked("post", "99/vote/", 404, {"choice": "1"}),
]


@pytest.fixture
def site(settings, monkeypatch):
    """The pages, and tokens that are the same each time."""
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [FOLDER / "pages"]}]
    monkeypatch.setattr(
        "django.middleware.csrf.get_random_string", lambda length, **_: "a" * length
    )


@pytest.fixture
def questions(site):
    now = timezone.now()
    for number, days in enumerate([0, 2, 3, 40, -1], 1):
        question = Question.objects.create(
            pk=number, text=f"Question <{number}>", published=now - timedelta(days=days)
        )
        for answer in range(3):
            Choice.objects.create(
                pk=3 * number - 2 + answer, question=question, text=f"{answer} & more", votes=answer
            )


def answer(module, client, asked, settings):
    """Make a request of a site and take the vote back; return all that came."""
    patterns = [path("polls/", include((module.urlpatterns, "polls")))]
    settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": patterns})
    send = getattr(client, asked.method)
    send = async_to_sync(send) if isinstance(client, AsyncClient) else send
    with transaction.atomic():
        response = send(f"/polls/{asked.path}", asked.data)
        votes = sum(Choice.objects.values_list("votes", flat=True))
        transaction.set_rollback(True)
    return response.status_code, dict(response.items()), response.content, votes


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: f"{asked.method} {asked.path}")
def test_the_same_answer(asked, questions, settings):
    answers = [
        answer(module, client(), asked, settings)
        for module in (stock, ours)
        for client in (AsyncClient, Client)
    ]
    assert answers[0][0] == asked.status
    for each in answers[1:]:
        assert each == answers[0]


def test_the_same_where_nothing_is_asked(site, settings):
    asked = REQUESTS[0]
    status, _, content, _ = expected = answer(stock, Client(), asked, settings)
    assert (status, b"We know everything." in content) == (200, True)
    for client in (AsyncClient, Client):
        assert answer(ours, client(), asked, settings) == expected


def test_the_pages_show_what_they_should(questions, settings):
    _, _, index, _ = answer(ours, AsyncClient(), Asked("get", "", 200), settings)
    assert [f"&lt;{number}&gt;".encode() in index for number in (1, 2, 3, 4, 5)] == [
        *(True, True, True, False, False)
    ]
    assert index.count(b"(new)") == 1
    status, headers, _, votes = answer(
        ours, AsyncClient(), Asked("post", "1/vote/", 302, {"choice": "1"}), settings
    )
    assert (status, headers["Location"], votes) == (302, "/polls/1/results/", 16)


def test_ours_are_async_views_and_djangos_are_not():
    for name in ("IndexView", "DetailView", "ResultsView"):
        assert getattr(ours, name).view_is_async
        assert not getattr(stock, name).view_is_async
