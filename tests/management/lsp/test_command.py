"""The command itself: without pygls, and over TCP."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.management.lsp.client import OWN_VARIABLES, ROOT, Editor
from tests.management.lsp.small_site import small_site


def test_without_pygls_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "atemplates.management.lsp.server", raising=False)
    for name in [each for each in sys.modules if each.partition(".")[0] == "pygls"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    with pytest.raises(CommandError, match=r"pip install 'atemplates\[lsp\]'"):
        call_command("atemplates", "lsp")


@pytest.mark.processes
async def test_it_listens_at_a_port(tmp_path: Path) -> None:
    page = small_site(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {key: value for key, value in os.environ.items() if key not in OWN_VARIABLES}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "manage.py", "atemplates", "lsp", "--tcp", str(port)),
        cwd=tmp_path,
        env={**own, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    editor = Editor()
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    await editor.start_tcp("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.1)
            await editor.hello(tmp_path)
            assert await editor.problems(editor.open(page)) == []
            await editor.end()
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()
