"""The text of server-sent events, read by a parser that was written from the standard."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atemplates.delivery.event_format import HEARTBEAT, SseEvent, event_text, opening_text
from tests.delivery.event_stream import Message, Reader, read

ends = ["\r\n", "\r", "\n"]
others = ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\ufeff", "\0", ":", " ", "data: x"]
texts = st.lists(st.sampled_from(ends + others) | st.text(st.characters(codec="utf-8"), max_size=5))
data = texts.map("".join)
names = data.map(lambda text: re.sub(r"[\r\n]", "", text))
ids = names.map(lambda text: text.replace("\0", ""))
events = st.builds(
    SseEvent,
    event=st.none() | names,
    id=st.none() | ids | st.integers(),
    retry=st.none() | st.integers(0, 10**12),
    data=data,
)


def as_received(text):
    """A client joins lines by LF, whatever ended them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.lists(events), st.none() | st.integers(0, 10**6), st.data())
def test_what_is_sent_is_what_a_client_gets(sent, retry, draw):
    stream, expected, last_id, last_retry = opening_text(retry), [], "", retry
    for each in sent:
        if draw.draw(st.booleans()):
            stream += HEARTBEAT
        stream += event_text(each, each.data)
        last_id = last_id if each.id is None else str(each.id)
        last_retry = last_retry if each.retry is None else each.retry
        expected.append(Message(as_received(each.data), each.event or "message", last_id))
    content = stream.encode()
    reader = Reader()
    while content:  # in pieces of any size
        size = draw.draw(st.integers(1, max(1, len(content))))
        reader.feed(content[:size])
        content = content[size:]
    assert reader.messages == expected
    assert reader.last_event_id == last_id
    assert reader.retry == last_retry


@pytest.mark.parametrize(
    ("event", "name", "text"),
    [
        (SseEvent(), None, "data: <b>\n\n"),
        (SseEvent(), "row", "event: row\ndata: <b>\n\n"),
        (SseEvent(event="one"), "row", "event: one\ndata: <b>\n\n"),
        (SseEvent(event=""), "row", "event: \ndata: <b>\n\n"),
        (SseEvent(id=7), None, "id: 7\ndata: <b>\n\n"),
        (SseEvent(id=""), None, "id: \ndata: <b>\n\n"),
        (SseEvent(retry=0), None, "retry: 0\ndata: <b>\n\n"),
        (
            SseEvent(event="e", id="i", retry=1),
            None,
            "event: e\nid: i\nretry: 1\ndata: <b>\n\n",
        ),
    ],
)
def test_fields(event, name, text):
    assert event_text(event, "<b>", name) == text


@pytest.mark.parametrize("end", ends)
def test_each_end_of_a_line_begins_another_field(end):
    assert event_text(SseEvent(), f"a{end}{end}b{end}") == "data: a\ndata: \ndata: b\ndata: \n\n"


@pytest.mark.parametrize("other", others)
def test_nothing_else_ends_a_line(other):
    assert event_text(SseEvent(), f"a{other}b") == f"data: a{other}b\n\n"


def test_an_event_without_text_is_one_all_the_same():
    assert read(event_text(SseEvent(event="close"), "").encode()) == [Message("", "close")]


def test_a_heartbeat_is_nothing_to_a_client():
    reader = Reader()
    reader.feed((opening_text(None) + HEARTBEAT + opening_text(5)).encode())
    assert (reader.messages, reader.comments, reader.retry) == ([], 3, 5)


@pytest.mark.parametrize("end", ends)
@pytest.mark.parametrize("field", ["event", "id"])
def test_a_line_end_in_a_field_is_refused(field, end):
    word = "name" if field == "event" else "id"
    with pytest.raises(ValueError, match=f"The {word} of an event .*{re.escape(repr(end))[1:-1]}"):
        SseEvent({}, **{field: f"x{end}data: evil"})


def test_null_in_an_id_is_refused():
    with pytest.raises(ValueError, match="NULL"):
        SseEvent({}, id="a\0b")


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"event": 5}, TypeError, "name of an event must be a str, not 5"),
        ({"id": b"x"}, TypeError, "id of an event must be a str or an int, not b'x'"),
        ({"id": True}, TypeError, "id of an event"),
        ({"retry": -1}, ValueError, "retry must be a number of milliseconds from 0, not -1"),
        ({"retry": 1.5}, TypeError, "retry must be a whole number of milliseconds, not 1.5"),
        ({"retry": True}, TypeError, "retry must be"),
        ({"data": 1}, TypeError, "data of an event must be a str, not 1"),
        ({"data": "x", "context": {}}, ValueError, "either data"),
        ({"data": "x", "template_name": "t"}, ValueError, "either data"),
    ],
)
def test_wrong_fields(fields, error, message):
    with pytest.raises(error, match=message):
        SseEvent(**fields)


def test_the_context_comes_first():
    assert SseEvent({"a": 1}).context == {"a": 1}
