"""Spans of Sentry, made by its own SDK; what would be sent is kept."""

import asyncio

import pytest
import sentry_sdk
from django.shortcuts import render
from django.test import RequestFactory
from sentry_sdk.transport import Transport

from atemplates import arender, arender_to_string, astream
from atemplates.response import TemplateResponse
from atemplates.testing import read_stream
from atemplates.trace import subscribe
from atemplates.trace.sentry import SentrySpans


class Kept(Transport):
    """Keeps what it is given."""

    def __init__(self, options=None):
        super().__init__(options)
        self.envelopes = []

    def capture_envelope(self, envelope):
        self.envelopes.append(envelope)


@pytest.fixture
def sentry():
    """Sentry, without the integrations that change Django for good; its transport."""
    transport = Kept()
    with sentry_sdk.isolation_scope():
        before = sentry_sdk.get_global_scope().client
        sentry_sdk.init(
            dsn="https://key@sentry.invalid/1",
            transport=transport,
            traces_sample_rate=1.0,
            default_integrations=False,
            auto_enabling_integrations=False,
        )
        end = subscribe(SentrySpans())
        yield transport
        end()
        sentry_sdk.get_global_scope().set_client(before)


def sent_spans(transport):
    (event,) = [
        item.payload.json
        for envelope in transport.envelopes
        for item in envelope.items
        if item.type == "transaction"
    ]
    return event["spans"], event


async def slow():
    await asyncio.sleep(0.002)
    return "x"


REQUEST = RequestFactory().get("/")


async def by_arender(values):
    return await arender(REQUEST, "page.html", values)


async def by_arender_to_string(values):
    return await arender_to_string("page.html", values)


async def by_response(values):
    return await TemplateResponse(REQUEST, "page.html", values).render()


async def by_astream(values):
    return await read_stream(await astream(REQUEST, "page.html", values))


@pytest.mark.parametrize("way", [by_arender, by_arender_to_string, by_response, by_astream])
async def test_each_way_to_render_has_the_span_of_render(sites, sentry, way):
    sites({"page.html": "{{ x }}{{ slow }}"})
    with sentry_sdk.start_transaction(op="http.server", name="page") as transaction:
        await way({"x": 1, "slow": slow(), "object": object()})
        assert sentry_sdk.get_current_span() is transaction
    found, event = sent_spans(sentry)
    (span,) = [each for each in found if each["op"] == "template.render"]
    assert span["description"] == "page.html"
    assert span["origin"] == "auto.http.django"
    assert span["parent_span_id"] == event["contexts"]["trace"]["span_id"]
    assert span["data"]["context"]["x"] == 1
    assert span["data"]["context"]["object"] == "<builtins.object>"
    waits = [each for each in found if each["op"] == "template.wait"]
    assert waits
    assert all(each["parent_span_id"] == span["span_id"] for each in waits)


def test_a_span_of_the_integration_is_not_made_twice(sites, sentry):
    sites({"page.html": "{{ x }}"})
    # As the integration does around django.shortcuts.render.
    with (
        sentry_sdk.start_transaction(op="http.server", name="page"),
        sentry_sdk.start_span(op="template.render", name="page.html") as around,
    ):
        render(REQUEST, "page.html", {"x": 1})
    found, _ = sent_spans(sentry)
    (span,) = [each for each in found if each["op"] == "template.render"]
    assert span["span_id"] == around.span_id
    assert span["data"]["template.engine"] == "traced"


async def test_an_error_marks_the_span(sites, sentry):
    def fail():
        raise ValueError("broken")

    sites({"page.html": "{{ fail }}"})
    with (
        sentry_sdk.start_transaction(op="http.server", name="page"),
        pytest.raises(ValueError, match="broken"),
    ):
        await arender(REQUEST, "page.html", {"fail": fail})
    found, _ = sent_spans(sentry)
    (span,) = [each for each in found if each["op"] == "template.render"]
    assert span["status"] == "internal_error"


async def test_without_a_transaction_there_is_nothing(sites, sentry):
    sites({"page.html": "{{ x }}"})
    assert await arender_to_string("page.html", {"x": 1}) == "1"
    assert not sentry.envelopes
