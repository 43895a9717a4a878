"""The bookshop served by uvicorn, requested over a real socket."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from shop.pages import PAGES
from tests.event_loop import PATIENCE

EXAMPLE = Path(__file__).resolve().parents[2] / "example"


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    """A shop of its own, on SQLite, in which any warning is an error."""
    database = tmp_path_factory.mktemp("shop") / "db.sqlite3"
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DJANGO_SETTINGS_MODULE", "DEBUG", "SECRET_KEY", "SHOP_LAZY"}
    }
    return inherited | {
        "DATABASE_URL": f"sqlite:///{database}",
        "PYTHONPATH": str(EXAMPLE.parent),
        "PYTHONWARNINGS": "error",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(scope="module")
def served(variables):
    """The address of a running uvicorn, and the lines that it has logged."""
    for command in (["migrate", "--verbosity=0"], ["load_books"]):
        subprocess.run([sys.executable, EXAMPLE / "manage.py", *command], env=variables, check=True)
    command = ["-m", "uvicorn", "--app-dir", EXAMPLE, "--port", "0"]
    with (
        subprocess.Popen(
            [sys.executable, *command, "bookshop_site.asgi:application"],
            env=variables,
            stdout=subprocess.DEVNULL,  # the access log
            stderr=subprocess.PIPE,
            text=True,
        ) as server,
        ThreadPoolExecutor(1) as reader,
    ):
        lines = []
        for line in server.stderr:
            lines.append(line)
            if running := re.search(r"running on (http://\S+)", line):
                break
        else:
            pytest.fail(f"uvicorn did not start:\n{''.join(lines)}")
        # Read on, or the pipe fills up and the server stops.
        reader.submit(lines.extend, server.stderr)
        yield running[1], lines
        server.send_signal(signal.SIGINT)
        server.wait(PATIENCE)


def test_every_page_arrives_and_nothing_is_complained_about(served):
    root, log = served
    with httpx.Client(base_url=root, timeout=PATIENCE) as client:
        for page in PAGES:
            if page.signed_in:
                continue
            response = client.get(page.path)
            assert response.status_code == 200, page.path
            assert page.text in response.text
            assert response.headers["X-Atemplates-Engine"] == page.engine
        style = client.get(re.search(r'href="([^"]+\.css)"', client.get("/").text)[1])
        assert style.headers["Content-Type"].startswith("text/css")
        assert ".cover" in style.text
    assert [line for line in log if "Warning" in line or "Error" in line] == []


def test_many_requests_at_once_are_all_answered_right(served):
    root, _ = served
    pages = [page for page in PAGES if page.is_async] * 3
    with httpx.Client(base_url=root, timeout=PATIENCE) as client, ThreadPoolExecutor(8) as visitors:
        responses = list(visitors.map(lambda page: client.get(page.path), pages))
    for page, response in zip(pages, responses, strict=True):
        assert response.status_code == 200
        assert page.text in response.text
        assert response.headers["X-Atemplates-Engine"] == page.engine
