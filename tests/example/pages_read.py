"""Reads pages of the shop, also those that are sent while they are rendered."""

import re


async def fetch(client, *args, **kwargs):
    """Get a page and read all of it."""
    response = await client.get(*args, **kwargs)
    if response.streaming:
        response.read = [chunk async for chunk in response]
    return response


def text_of(response):
    """The text of a page as it was sent."""
    return b"".join(response.read if response.streaming else [response.content]).decode()


def in_place(html):
    """Put what has followed out of order into its place, as a browser does."""
    html = re.sub(r"<script[^>]*>.*?</script>", "", html, flags=re.S)
    fill = re.compile(r'<template for="([^"]+)">(.*?)</template>(?:<!---->)?', re.S)
    for name, text in fill.findall(html):
        placeholder = re.compile(rf'<\?start name="{name}">.*?<\?end>', re.S)
        html, number = placeholder.subn(lambda _, text=text: text, html)
        assert number == 1, name
    html = fill.sub("", html)
    assert "<?" not in html
    return html
