"""Templates that Python names where no view is known to render them."""

import ast

import pytest

from atemplates.inference import template_mentions
from atemplates.inference.template_mentions import mentioned_elsewhere
from atemplates.inference.views import read_views
from tests.inference import given_views


@pytest.mark.parametrize(
    ("text", "is_elsewhere"),
    [
        ('def mail():\n    send("a.html")\n', True),
        ('PAGE = "a.html"\n', False),
        ('PAGE = "a.html"\ndef mail():\n    send(PAGE)\n', True),
        ('class View:\n    template_name = "a.html"\n', True),
        ('urlpatterns = [path("", as_view(template_name="a.html"))]\n', False),
        ('@register.inclusion_tag("a.html")\ndef tag():\n    return {}\n', True),
        ('@rendered_by("a.html")\ndef view(request):\n    return {}\n', False),
        ('def mail():\n    send("b.html")\n', False),
        ("not Python\n", False),
    ],
)
def test_what_counts(tmp_path, text, is_elsewhere):
    file = tmp_path / "mails.py"
    file.write_text(text, encoding="utf-8")
    found = mentioned_elsewhere({"a.html"}, set(), [str(file)])
    assert found == ({"a.html"} if is_elsewhere else set())


def test_what_a_view_was_seen_to_read_does_not_count(tmp_path):
    file = tmp_path / "mails.py"
    file.write_text('def view():\n    return render("a.html")\n', encoding="utf-8")
    (constant,) = (
        each
        for each in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(each, ast.Constant)
    )
    read = {(str(file), constant.lineno, constant.col_offset)}
    assert mentioned_elsewhere({"a.html"}, read, [str(file)]) == set()


def test_the_views_are_seen_to_read_all_of_theirs():
    site = read_views(given_views.__name__)
    names = {each.template for each in site.renderings}
    elsewhere = mentioned_elsewhere(names, site.read_texts, [given_views.__file__])
    assert elsewhere == {"given/annotated.html"}  # by mail(), which is no view
    assert len(names) > 20


def test_a_template_that_a_mail_renders_may_be_given_other_names(monkeypatch):
    # The files of these tests are no files of a site, until here.
    monkeypatch.setattr(template_mentions, "site_files", lambda: {given_views.__file__})
    site = read_views(given_views.__name__)
    open_ones = {each.template for each in site.renderings if not each.is_complete}
    assert open_ones == {"given/annotated.html", "given/unknown.html"}
