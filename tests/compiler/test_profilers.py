"""Profilers see the template: its file and its line, in each way to render it.

What they look at is the same everywhere: the file and the lines of a code object, and the line that a
frame is at. Jinja2's code has the template's file, and lines of its own, which Jinja2 translates.
"""

import asyncio
import cProfile
import pstats
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from tests.event_loop import PATIENCE

PAGES = {
    "page.html": "{% extends 'base.html' %}\n\n{% block a %}\n\n{{ slow }}{% endblock %}",
    "base.html": "<p>\n{% block a %}{% endblock %}\n{% include 'part.html' %}",
    "part.html": "\n\n{% for x in 'ab' %}\n{{ x|upper }}{{ slow }}{% endfor %}",
    "page.jinja": "{% extends 'base.jinja' %}\n\n{% block a %}\n\n{{ slow() }}{% endblock %}",
    "base.jinja": "<p>\n{% block a %}{% endblock %}\n{% include 'part.jinja' %}",
    "part.jinja": "{% macro m() %}\n{{ slow() }}{% endmacro %}\n{% for x in 'ab' %}\n{{ m() }}{% endfor %}",
}
IN_BLOCK = [("page.html", 5), ("base.html", 2), ("page.html", 1)]
IN_INCLUDE = [("part.html", 4), ("base.html", 3), ("page.html", 1)]
IN_JINJA2_BLOCK = [("page.jinja", 5), ("base.jinja", 2), ("page.jinja", 1)]
IN_MACRO = [("part.jinja", 2), ("part.jinja", 4), ("base.jinja", 3), ("page.jinja", 1)]
WARM = 4
"""After so many quick runs code of others is called on the loop, with the plan on the stack."""
WAYS = ["sync", "async", "streamed"]


@pytest.fixture
def folder(tmp_path):
    for name, source in PAGES.items():
        (tmp_path / name).write_text(source)
    return tmp_path


def page_of(folder, kind, name):
    return kind({"NAME": "x", "DIRS": [folder], "APP_DIRS": False, "OPTIONS": {}}).get_template(
        name
    )


async def whole_stream(page, values):
    return "".join([chunk async for chunk in page.stream_async(values)])


def render(page, values, way):
    """Render a page in one of `WAYS`, on a loop in this thread: profilers look at one."""
    if way == "sync":
        return page.render(values)
    if way == "streamed":
        return asyncio.run(whole_stream(page, values))
    return asyncio.run(page.render_async(values))


def lines_on_stack(folder, frame):
    """The template's frames among a frame and those around it, the innermost first."""
    found = []
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.parent == folder:
            found.append((file.name, template_line(frame)))
        frame = frame.f_back
    return found


def template_line(frame):
    """The line that a frame is at, by Jinja2's own table for code of Jinja2."""
    translate = frame.f_globals.get("__jinja_template__")
    return translate.get_corresponding_lineno(frame.f_lineno) if translate else frame.f_lineno


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        (DjangoTemplates, "page.html", [IN_BLOCK, IN_INCLUDE, IN_INCLUDE]),
        (Jinja2, "page.jinja", [IN_JINJA2_BLOCK, IN_MACRO, IN_MACRO]),
    ],
    ids=["django", "jinja2"],
)
def test_what_samples_the_stack_sees_each_line(folder, kind, name, wanted, way):
    """`sys._current_frames` in another thread, as a sampling profiler has it."""
    seen, is_sampling = [], False

    def slow():
        if not is_sampling:
            return "x"
        thread = threading.get_ident()

        def sample():
            seen.append(lines_on_stack(folder, sys._current_frames()[thread]))

        sampler = threading.Thread(target=sample)
        sampler.start()
        sampler.join()
        return "x"

    page = page_of(folder, kind, name)
    for _ in range(WARM):
        render(page, {"slow": slow}, way)
    is_sampling = True
    render(page, {"slow": slow}, way)
    assert seen == wanted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        (
            DjangoTemplates,
            "page.html",
            {"page.html": {"template", "block a"}, "base.html": {"template"}},
        ),
        (Jinja2, "page.jinja", {"page.jinja": {"root", "block_a"}, "base.jinja": {"root"}}),
    ],
    ids=["django", "jinja2"],
)
def test_cprofile_names_the_template_and_its_block(folder, kind, name, wanted, way):
    page = page_of(folder, kind, name)
    for _ in range(WARM):
        render(page, {"slow": lambda: "x"}, way)
    profiled = cProfile.Profile()

    profiled.runcall(render, page, {"slow": lambda: "x"}, way)
    found = {}
    for file, line, function in pstats.Stats(profiled).stats:
        if Path(file).parent == folder:
            found.setdefault(Path(file).name, set()).add(function)
            if kind is DjangoTemplates:
                count = PAGES[Path(file).name].count("\n") + 1
                assert 1 <= line <= count
    for file, functions in wanted.items():
        assert found[file] == functions
    # On 3.11, cProfile does not report the included one when the page is awaited; a profiler that
    # samples and `sys.setprofile` see it there, too.
    if way == "sync" or sys.version_info >= (3, 12):
        assert len(found) == 3


@pytest.mark.parametrize("way", WAYS)
def test_setprofile_is_told_of_calls_by_line(folder, way):
    page = page_of(folder, DjangoTemplates, "page.html")
    values = {"slow": lambda: "x"}
    for _ in range(WARM):
        render(page, values, way)
    seen = set()

    def told(frame, event, argument):
        if event == "c_call" or frame.f_code.co_name == "<lambda>":
            seen.update(lines_on_stack(folder, frame)[:1])

    sys.setprofile(told)
    try:
        render(page, values, way)
    finally:
        sys.setprofile(None)
    assert {("page.html", 5), ("part.html", 4)} <= seen


SCRIPT = """
import sys, time
from django.conf import settings
import django
settings.configure()
django.setup()
from atemplates.engines.django import DjangoTemplates
page = DjangoTemplates(
    {"NAME": "x", "DIRS": [sys.argv[1]], "APP_DIRS": False, "OPTIONS": {}}
).get_template("page.html")
def slow():
    time.sleep(0.05)
    return "x"
for _ in range(8):
    page.render({"slow": slow})
"""


@pytest.mark.processes
@pytest.mark.skipif(shutil.which("py-spy") is None, reason="py-spy is not on this machine")
def test_py_spy_samples_template_lines(folder):
    output = folder / "stacks.txt"
    command = ["py-spy", "record", "--format", "raw", "--rate", "50", "--output", str(output)]
    command += ["--", sys.executable, "-c", SCRIPT, str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    stacks = output.read_text()
    assert "page.html:5)" in stacks
    assert "part.html:4)" in stacks
