"""An editor for tests: pygls' own client, which starts a real server over pipes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient
from pygls.uris import to_fs_path

ROOT = Path(__file__).resolve().parents[3]
OWN_VARIABLES = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "DEBUG", "SECRET_KEY", "SHOP_LAZY"}
"""Variables of the test run that would be taken for those of the site that is edited."""
SECONDS = 20.0
"""How long a test waits for what has to come."""


class Editor(LanguageClient):
    """Opens files, types, and remembers what the server says."""

    def __init__(self) -> None:
        super().__init__("test-editor", "1")
        self.diagnostics: dict[str, list[types.Diagnostic]] = {}
        self.shown: list[str] = []
        self.logged: list[str] = []
        self.printed: list[str] = []
        self._changed = asyncio.Event()
        self._versions: dict[str, int] = {}
        for name, told in (
            (types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, self._publish),
            (types.WINDOW_SHOW_MESSAGE, self._show),
            (types.WINDOW_LOG_MESSAGE, self._log),
        ):
            self.feature(name)(partial(told))

    def _publish(self, params: types.PublishDiagnosticsParams) -> None:
        self.diagnostics[params.uri] = list(params.diagnostics)
        self._changed.set()

    def _show(self, params: types.ShowMessageParams) -> None:
        self.shown.append(params.message)
        self._changed.set()

    def _log(self, params: types.LogMessageParams) -> None:
        self.logged.append(params.message)
        self._changed.set()

    async def begin(self, folder: Path, *arguments: str, **environment: str) -> None:
        """Start a server as ``manage.py`` of a folder does, and say hello."""
        settings = {
            **{key: value for key, value in os.environ.items() if key not in OWN_VARIABLES},
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        }
        await self.start_io(
            sys.executable, "manage.py", "atemplates", "lsp", *arguments, cwd=folder, env=settings
        )
        self._reading = asyncio.ensure_future(self._read_errors())
        await self.hello(folder)

    async def _read_errors(self) -> None:
        """Read what the server prints, so that it never waits for a reader."""
        assert self._server is not None
        assert self._server.stderr is not None
        async for line in self._server.stderr:
            self.printed.append(line.decode())

    async def hello(self, folder: Path) -> None:
        """Say hello to a server."""
        await self.initialize_async(
            types.InitializeParams(types.ClientCapabilities(), root_uri=folder.as_uri())
        )
        self.initialized(types.InitializedParams())

    async def end(self) -> None:
        """Say good-bye."""
        await self.shutdown_async(None)
        self.exit(None)
        await self.stop()

    def open(self, file: Path, text: str | None = None) -> str:
        """Open a file, with another text than it has if there is one; return its address."""
        uri = file.as_uri()
        text = file.read_text(encoding="utf-8") if text is None else text
        self._versions[uri] = 1
        self.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "html", 1, text))
        )
        return uri

    def type(self, uri: str, text: str) -> None:
        """Make the text of an open file another one."""
        self._versions[uri] += 1
        self.diagnostics.pop(uri, None)
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self._versions[uri], uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def until(self, is_there: Callable[[], Any]) -> Any:
        """Wait until something is there, and return it."""
        try:
            async with asyncio.timeout(SECONDS):
                while not (found := is_there()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(
                f"shown: {self.shown}, logged: {self.logged}, printed: {self.printed[-9:]}"
            ) from None
        return found

    async def problems(self, uri: str) -> list[types.Diagnostic]:
        """What is wrong with a file, as soon as the server has said so."""
        await self.until(lambda: uri in self.diagnostics)
        return self.diagnostics[uri]

    async def hover(self, uri: str, line: int, character: int) -> str:
        """What hovering over a place shows; positions as in the protocol, from 0."""
        found = await self.text_document_hover_async(
            types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
        )
        return found.contents.value if found is not None else ""  # type: ignore[union-attr]

    async def completions(self, uri: str, line: int, character: int) -> set[str]:
        """The names that may be written at a place."""
        found: Any = await self.text_document_completion_async(
            types.CompletionParams(
                types.TextDocumentIdentifier(uri), types.Position(line, character)
            )
        )
        return {each.label for each in found}

    async def definition(self, uri: str, line: int, character: int) -> tuple[Path, int]:
        """The file and line where something is defined; from 0."""
        found: Any = await self.text_document_definition_async(
            types.DefinitionParams(
                types.TextDocumentIdentifier(uri), types.Position(line, character)
            )
        )
        return Path(to_fs_path(found.uri) or ""), found.range.start.line
