"""Sends the requests of Django's sync test client through its ASGI handler."""

from collections.abc import Iterator
from typing import Any

from asgiref.sync import async_to_sync
from django.core.handlers.wsgi import get_path_info, get_script_name
from django.test import client


class AsgiClientHandler:
    """Stands for ``django.test.client.ClientHandler``: the same call, answered on an event loop.

    The loop runs in another thread and brings sync code back to the test's, as a server's handler
    would to the thread of the request; there it finds the test's database connection.
    """

    def __init__(self, enforce_csrf_checks: bool = True, *args: Any, **kwargs: Any) -> None:
        self.handler = client.AsyncClientHandler(enforce_csrf_checks, *args, **kwargs)

    def __call__(self, environ: dict[str, Any]) -> Any:
        response = async_to_sync(self.handler)(scope_from(environ))
        response.wsgi_request = response.asgi_request  # the client, and some tests, look there
        return response

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handler, name)


def scope_from(environ: dict[str, Any]) -> dict[str, Any]:
    """The ASGI scope of a request that is given as a WSGI environment.

    An environment may hold more than a request, such as what a WSGI server adds to it. A scope has
    no place for that, so it is left out.
    """
    script_name = get_script_name(environ)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": environ["SERVER_PROTOCOL"].partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "root_path": script_name,
        "path": script_name.rstrip("/") + get_path_info(environ),
        "query_string": environ.get("QUERY_STRING", "").encode("iso-8859-1"),
        "headers": list(headers_of(environ)),
        "client": [environ["REMOTE_ADDR"], 0],
        "server": [environ["SERVER_NAME"], environ["SERVER_PORT"]],
        "_body_file": environ["wsgi.input"],
    }


def headers_of(environ: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    """The headers of a request that is given as a WSGI environment."""
    for name, value in environ.items():
        if name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            header = name
        elif name.startswith("HTTP_"):
            header = name.removeprefix("HTTP_")
        else:
            continue
        yield header.lower().replace("_", "-").encode("ascii"), str(value).encode("iso-8859-1")
