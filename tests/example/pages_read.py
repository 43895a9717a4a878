"""Reads pages of the shop, also those that are sent while they are rendered."""


async def fetch(client, *args, **kwargs):
    """Get a page and read all of it."""
    response = await client.get(*args, **kwargs)
    if response.streaming:
        response.read = [chunk async for chunk in response]
    return response


def text_of(response):
    """The text of a page as it was sent."""
    return b"".join(response.read if response.streaming else [response.content]).decode()
