"""The language server: diagnostics, hover, completion and definitions, over the protocol."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from os.path import realpath
from typing import Any, TypeAlias

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import TextDocument
from pygls.workspace.position_codec import ServerTextPosition, ServerTextRange

from .channels import private_channels
from .worker_process import WorkerError, WorkerProcess

SERVER_NAME = "atemplates"
STILL = 0.15
"""Seconds without a keystroke before a text is looked at."""
LINE_BREAKS = re.compile(r"\r\n|\r|\n")
SEVERITIES = {
    1: types.DiagnosticSeverity.Error,
    2: types.DiagnosticSeverity.Warning,
    3: types.DiagnosticSeverity.Information,
}
PlaceParams: TypeAlias = types.HoverParams | types.CompletionParams | types.DefinitionParams


class TemplateServer(LanguageServer):
    """Serves one editor.

    Args:
        version: of this package.
        command: the command line of a worker.
    """

    def __init__(self, version: str, command: Sequence[str]) -> None:
        super().__init__(
            SERVER_NAME, version or "0", text_document_sync_kind=types.TextDocumentSyncKind.Full
        )
        self.worker = WorkerProcess(command)
        self._looking: dict[str, asyncio.Task[None]] = {}
        """Document -> who looks at it, or waits to."""
        self._told: set[str] = set()
        """What was shown to the user already."""
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- what is asked of the worker ---------------------------------------------------------------

    def texts(self) -> dict[str, str]:
        """The texts of the open files, by their real paths."""
        documents = self.workspace.text_documents.values()
        return {file: document.source for document in documents if (file := file_of(document))}

    async def ask(self, what: str, **details: Any) -> Any:
        """Ask the worker; what goes wrong is shown once, and the server goes on.

        Returns:
            The answer, or None when there is none.
        """
        try:
            answer = await self.worker.ask(what, texts=self.texts(), **details)
        except WorkerError as error:
            self.tell(f"atemplates: the site cannot be read: {error}", is_error=True)
            return None
        self._told.clear()
        return answer

    def tell(self, text: str, *, is_error: bool = False) -> None:
        """Show a message, unless it was the last that was shown."""
        if text in self._told:
            return
        self._told.add(text)
        kind = types.MessageType.Error if is_error else types.MessageType.Warning
        self.window_show_message(types.ShowMessageParams(kind, text))

    def note(self, text: str) -> None:
        """Write a line to the editor's log of the server."""
        self.window_log_message(types.LogMessageParams(types.MessageType.Info, text))

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside what is asked."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- diagnostics -------------------------------------------------------------------------------

    async def read_site(self) -> None:
        """Have the site read, before the first question needs it."""
        found = await self.ask("read")
        if found is None:
            return
        self.note(
            f"atemplates: read {found['templates']} templates of {', '.join(found['engines'])}, "
            f"rendered by {found['views']} views."
        )
        for problem in found["problems"]:
            self.note(f"atemplates: {problem}")
        if not found["engines"]:
            self.tell("atemplates: TEMPLATES in the settings has no engine of atemplates.")

    def look_at(self, uri: str, *, after: float = STILL, saved: bool = False) -> None:
        """Look at a document soon; a look that is waiting is put off."""
        before = self._looking.pop(uri, None)
        if before is not None:
            before.cancel()
        task = asyncio.ensure_future(self._look(uri, after, saved))
        self._looking[uri] = task

    def forget(self, uri: str) -> None:
        """Take the diagnostics of a document that was closed away."""
        task = self._looking.pop(uri, None)
        if task is not None:
            task.cancel()
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    async def _look(self, uri: str, after: float, saved: bool) -> None:
        await asyncio.sleep(after)
        document = self.workspace.get_text_document(uri)
        file = file_of(document)
        if not file:
            return
        version = document.version
        found = await self.ask("problems", file=file, saved=saved)
        if found is None or document.version != version:
            return
        if not found["is_template"]:
            self.note(
                f"atemplates: no loader of TEMPLATES finds {file}, or another file has its name."
            )
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri,
                [self._diagnostic(document, each) for each in found["diagnostics"]],
                version=version,
            )
        )

    def _diagnostic(self, document: TextDocument, found: dict[str, Any]) -> types.Diagnostic:
        return types.Diagnostic(
            self.range_of(document, found["line"], found["column"], found["width"]),
            found["message"],
            severity=SEVERITIES[found["severity"]],
            code=found["code"] or None,
            source=SERVER_NAME,
        )

    # -- places ------------------------------------------------------------------------------------

    def range_of(
        self, document: TextDocument, line: int, column: int | None, width: int
    ) -> types.Range:
        """Return the protocol's range of a place.

        Args:
            line: from 1.
            column: in characters, from 1; None for what stands in the line.
        """
        lines = LINE_BREAKS.split(document.source)
        number = min(max(line, 1), len(lines)) - 1
        text = lines[number]
        if column is None:
            start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        else:
            start, end = column - 1, column - 1 + width
        return document.position_codec.range_to_client_units(
            lines,
            ServerTextRange(
                ServerTextPosition(number, start), ServerTextPosition(number, max(end, start))
            ),
        )

    async def ask_at(self, what: str, params: PlaceParams) -> tuple[TextDocument, Any]:
        """Ask about a place of a document.

        Returns:
            The document, and the answer or None.
        """
        document = self.workspace.get_text_document(params.text_document.uri)
        file = file_of(document)
        if not file:
            return document, None
        lines = LINE_BREAKS.split(document.source)
        place = document.position_codec.position_from_client_units(lines, params.position)
        found = await self.ask(what, file=file, line=place.line + 1, column=place.character + 1)
        return document, found


def file_of(document: TextDocument) -> str:
    """The real path of a document; empty for one that is no file."""
    if not document.uri.startswith("file:"):
        return ""
    return realpath(to_fs_path(document.uri) or "")


def make_server(version: str, command: Sequence[str]) -> TemplateServer:
    """Make a server with everything that it answers.

    Args:
        version: of this package.
        command: the command line of a worker.
    """
    server = TemplateServer(version, command)
    for name, options, answer in FEATURES:
        server.feature(name, options)(answer)
    return server


# -- what the protocol asks ------------------------------------------------------------------------


async def initialized(server: TemplateServer, params: types.InitializedParams) -> None:
    """Read the site, and ask to be told of files that change."""
    server.begin(server.read_site())
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace else None
    if watching is None or not watching.dynamic_registration:
        return
    patterns = ["**/*.py", "**/*.html", "**/*.txt", "**/*.xml", "**/*.jinja", "**/*.j2"]
    watchers = [types.FileSystemWatcher(glob_pattern=each) for each in patterns]
    await server.client_register_capability_async(
        types.RegistrationParams(
            [
                types.Registration(
                    "atemplates-files",
                    types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                    types.DidChangeWatchedFilesRegistrationOptions(watchers),
                )
            ]
        )
    )


def did_open(server: TemplateServer, params: types.DidOpenTextDocumentParams) -> None:
    """Look at a document."""
    server.look_at(params.text_document.uri, after=0)


def did_change(server: TemplateServer, params: types.DidChangeTextDocumentParams) -> None:
    """Look at a document when nobody types any more."""
    server.look_at(params.text_document.uri)


def did_save(server: TemplateServer, params: types.DidSaveTextDocumentParams) -> None:
    """Look at a document in all pages that it is part of, and at the others that are open."""
    for uri in list(server.workspace.text_documents):
        server.look_at(uri, after=0, saved=uri == params.text_document.uri)


def did_close(server: TemplateServer, params: types.DidCloseTextDocumentParams) -> None:
    """Forget a document."""
    server.forget(params.text_document.uri)


def did_change_files(server: TemplateServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Look again at what is open: another template may have changed, or the site's Python."""
    if any(change.uri.endswith(".py") for change in params.changes):
        server.begin(server.worker.replace())
    for uri in list(server.workspace.text_documents):
        server.look_at(uri)


async def answer_hover(server: TemplateServer, params: types.HoverParams) -> types.Hover | None:
    """Say what is known of what is pointed at."""
    document, found = await server.ask_at("hover", params)
    if found is None:
        return None
    return types.Hover(
        types.MarkupContent(types.MarkupKind.Markdown, found["text"]),
        server.range_of(document, found["line"], found["column"], found["width"]),
    )


async def answer_completion(
    server: TemplateServer, params: types.CompletionParams
) -> list[types.CompletionItem]:
    """Say what may be written."""
    _, found = await server.ask_at("complete", params)
    return [
        types.CompletionItem(
            each["name"], kind=types.CompletionItemKind.Property, detail=each["detail"]
        )
        for each in found or ()
    ]


async def answer_definition(
    server: TemplateServer, params: types.DefinitionParams
) -> types.Location | None:
    """Say where something is defined."""
    _, found = await server.ask_at("define", params)
    if found is None:
        return None
    place = types.Position(found["line"] - 1, 0)
    uri = from_fs_path(found["file"])
    return types.Location(uri, types.Range(place, place)) if uri else None


async def shutdown(server: TemplateServer, params: Any) -> None:
    """End the worker."""
    await server.worker.stop()


FEATURES: list[tuple[str, Any, Callable[..., Any]]] = [
    (types.INITIALIZED, None, initialized),
    (types.TEXT_DOCUMENT_DID_OPEN, None, did_open),
    (types.TEXT_DOCUMENT_DID_CHANGE, None, did_change),
    (types.TEXT_DOCUMENT_DID_SAVE, None, did_save),
    (types.TEXT_DOCUMENT_DID_CLOSE, None, did_close),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, None, did_change_files),
    (types.TEXT_DOCUMENT_HOVER, None, answer_hover),
    (
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=["."]),
        answer_completion,
    ),
    (types.TEXT_DOCUMENT_DEFINITION, None, answer_definition),
    (types.SHUTDOWN, None, shutdown),
]


def serve(version: str, command: Sequence[str], tcp: int | None = None) -> None:
    """Serve an editor until it says good-bye.

    Args:
        version: of this package.
        command: the command line of a worker.
        tcp: a port of this machine to listen at; None for standard input and output.
    """
    server = make_server(version, command)
    if tcp is not None:
        server.start_tcp("127.0.0.1", tcp)
        return
    questions, answers = private_channels()
    server.start_io(questions, answers)
