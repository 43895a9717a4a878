"""What leaves when of a page whose parts follow when they are ready."""

import re

import pytest

from atemplates.streaming.out_of_order import OutOfOrder
from atemplates.streaming.sink import Sink

PLACEHOLDER = '<?start name="{0}">waiting for {0}<?end>'


class Page:
    """A page with parts, and what was sent of it, without the script."""

    def __init__(self):
        self.order = OutOfOrder()
        self.sink = Sink()

    def hole(self, name, sink=None):
        return (self.sink if sink is None else sink).new_hole(name, name and f"waiting for {name}")

    def ready(self, hole, *texts):
        hole.fill(texts)
        if hole.is_sent:
            self.order.ready(hole)

    def take(self):
        return re.sub("<script.*?</script>", "", self.order.take(self.sink))

    def rest(self):
        return re.sub("<script.*?</script>", "", self.order.rest(self.sink))


@pytest.fixture
def page():
    page = Page()
    page.sink.append("<html><body>")
    return page


def filled(name, text):
    return f'<template for="{name}">{text}</template><!---->'


def test_a_placeholder_and_what_is_for_it(page):
    hole = page.hole("a")
    page.sink.append("after")
    assert page.take() == "<html><body>" + PLACEHOLDER.format("a") + "after"
    page.ready(hole, "part ", "a")
    assert page.take() == filled("a", "part a")
    page.sink.append("</body></html>")
    assert page.rest() == "</body></html>"


def test_a_part_that_is_ready_in_time_stands_in_its_place(page):
    page.ready(page.hole("a"), "part")
    page.sink.append("</body>")
    assert page.take() + page.rest() == "<html><body>part</body>"


@pytest.mark.parametrize("before", ["<p title='", "<svg>", "<textarea>", "<!-- "])
def test_the_page_waits_where_no_placeholder_may_stand(page, before):
    page.sink.append(before)
    hole = page.hole("a")
    page.sink.append("after")
    assert page.take() == "<html><body>" + before
    assert page.take() == ""
    page.ready(hole, "part")
    assert page.take() == "partafter"


def test_the_page_waits_for_a_part_without_a_placeholder(page):
    hole = page.hole("")
    assert page.take() == "<html><body>"
    page.ready(hole, "part")
    assert page.take() == "part"


def test_the_end_of_the_body_waits_for_all_parts(page):
    hole = page.hole("a")
    page.sink.append("text</body></html>\n")
    assert page.take() == "<html><body>" + PLACEHOLDER.format("a") + "text"
    page.ready(hole, "part")
    assert page.take() == filled("a", "part")
    assert page.rest() == "</body></html>\n"


def test_no_part_is_sent_inside_of_a_tag_or_a_script(page):
    hole = page.hole("a")
    page.take()
    for inside, outside in (("<b class=", "'x'>"), ("<script>", "</script>")):
        page.sink.append(inside)
        page.ready(hole, "part")
        assert page.take() == inside
        page.sink.append(outside)
        assert outside in page.order.take(page.sink)
        hole = page.hole("b" + inside[1])
        page.take()


def test_a_part_in_a_part_follows_by_itself(page):
    outer = page.hole("a")
    page.take()
    part = Sink()
    part.append("<b>")
    inner = page.hole("b", part)
    part.append("</b>")
    page.ready(outer, *part)
    assert page.take() == filled("a", f"<b>{PLACEHOLDER.format('b')}</b>")
    page.ready(inner, "inner")
    assert page.take() == filled("b", "inner")


def test_a_part_waits_for_one_in_it_that_takes_no_placeholder(page):
    outer = page.hole("a")
    page.take()
    part = Sink()
    part.append("<b title='")
    inner = page.hole("b", part)
    part.append("'></b>")
    page.ready(outer, *part)
    assert page.take() == ""
    page.ready(inner, "inner")
    assert page.take() == filled("a", "<b title='inner'></b>")


def test_the_script_is_sent_once_with_its_nonce(page):
    page.order.nonce = lambda: 'n"1'
    holes = [page.hole(name) for name in "ab"]
    page.take()
    page.ready(holes[0], "part")
    first = page.order.take(page.sink)
    assert first.startswith('<script nonce="n&quot;1">')
    page.ready(holes[1], "part")
    assert "<script" not in page.order.take(page.sink)


def test_a_page_without_parts_has_no_script(page):
    page.sink.append("</body>")
    assert page.order.take(page.sink) + page.order.rest(page.sink) == "<html><body></body>"
