"""Suggested edits: the calls that load what a template reads, put into the view's source.

An edit is made where one expression of a queryset in a view feeds one variable of a template; for
all else the call and its place are said. Needs LibCST, the extra ``atemplates[edits]``.
"""

from __future__ import annotations

import difflib
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ..problems import INSTALLED, printable, relative
from .findings import Finding, Report, call_of
from .formats import source_of, where_loaded
from .matching import covers
from .origins import LoadingPlace

SourcePosition: TypeAlias = tuple[int, int]
"""Line (from 1) and column (from 0)."""


class MissingLibCST(Exception):
    """LibCST is not installed."""


class CannotRead(Exception):
    """LibCST does not know the syntax of a file."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A call to append to an expression of a file."""

    file: str
    start: tuple[int, int]
    """Line (from 1) and column (from 0) where the expression begins."""
    end: tuple[int, int]
    call: str
    is_new_line: bool = False
    """Whether it becomes ``queryset = …`` in a line of its own, below ``model = …``."""


def suggested_edits(
    report: Report,
    *,
    write: bool,
    folders: Iterable[Path] | None = None,
) -> str:
    """Return the edits as a unified diff, followed by what has to be done by hand.

    Args:
        write: change the files as well.
        folders: the project's; None for the current folder. Files elsewhere are not edited.

    Raises:
        MissingLibCST: it is not installed.
        OSError: a file cannot be read or written.
    """
    edits, by_hand = edits_for(report, folders)
    lines: list[str] = []
    written: list[str] = []
    for file, wanted in edits.items():
        path = Path(file)
        # read_text() would change the line ends.
        old = path.read_bytes().decode("utf-8")
        name = printable(relative(file))
        try:
            new = changed(old, wanted)
        except CannotRead as error:
            by_hand += [f"  {name}:{each.start[0]}: add {each.call} ({error})" for each in wanted]
            continue
        lines += [
            line.rstrip("\r\n")
            for line in difflib.unified_diff(
                old.splitlines(keepends=True),
                new.splitlines(keepends=True),
                f"a/{name}",
                f"b/{name}",
            )
        ]
        if write:
            path.write_bytes(new.encode("utf-8"))
            written.append(name)
    if not lines and not by_hand:
        return "Nothing to change."
    if by_hand:
        lines += [*([""] if lines else []), "By hand:", *map(printable, by_hand)]
    if written:
        lines += ["", f"Changed: {', '.join(written)}."]
    return "\n".join(lines)


def edits_for(
    report: Report, folders: Iterable[Path] | None = None
) -> tuple[dict[str, list[Edit]], list[str]]:
    """Decide what is edited, and what is said instead.

    Args:
        folders: the project's; None for the current folder.

    Returns:
        File -> its edits, and lines for what has to be done by hand.
    """
    folders = [Path.cwd()] if folders is None else list(folders)
    calls: dict[tuple[str, SourcePosition, SourcePosition], tuple[LoadingPlace, list[Finding]]] = {}
    by_hand: list[str] = []
    for key, findings in report.groups().items():
        view, template, _ = key
        needed = [each for each in findings if each.need is not None]
        who = f"view {view}, " if view else ""
        by_hand += [
            f"  {who}{template}, {each.what}: {each.advice}"
            for each in findings
            if each.need is None and each.advice
        ]
        if not needed:
            continue
        also = list(dict.fromkeys(each.also for each in needed if each.also))
        origins = report.origins.get(key, ())
        for origin in origins or (None,):
            loaded = origin.data.loads if origin is not None else ()
            call = call_of(needed, but=loaded)
            if not call:
                continue
            place = _place_of(origin, folders) if origin is not None and not also else None
            if origin is None or place is None:
                where = where_loaded(needed[0])
                if report.user is not None and not origin:
                    where = source_of(report, key, needed[0]).strip() or where
                by_hand.append(
                    f"  {who}{template}: add {call} {where}"
                    + (f" ({relative(origin.view_file)}:{origin.view_line})" if origin else "")
                    + "".join(f"; also {each}" for each in also)
                )
                continue
            left = [each for each in needed if each.need and not covers(loaded, each.need.lookup)]
            calls.setdefault(place, (origin, []))[1].extend(left)
    edits: dict[str, list[Edit]] = defaultdict(list)
    for (file, start, end), (origin, found) in calls.items():
        text = origin.addition(call_of(found))
        edits[file].append(Edit(file, start, end, text, origin.data.form == "attribute"))
    return dict(edits), by_hand


def _place_of(
    origin: LoadingPlace, folders: Iterable[Path]
) -> tuple[str, SourcePosition, SourcePosition] | None:
    """The file, the begin and the end of an expression that can be edited."""
    node = origin.data.expression
    if node is None or node.end_lineno is None or not is_project_file(origin.file, folders):
        return None
    end = (node.end_lineno, node.end_col_offset or 0)
    return origin.file, (node.lineno, node.col_offset), end


def is_project_file(file: str, folders: Iterable[Path]) -> bool:
    """Whether a file is the project's own, wherever a link may lead.

    Args:
        folders: the project's. The root of a file system is none, wherever the command was called.
    """
    real = Path(file).resolve()
    if not INSTALLED.isdisjoint((*Path(file).parts, *real.parts)):
        return False
    python = Path(sys.prefix).resolve()
    for folder in map(Path.resolve, folders):
        if folder != Path(folder.anchor) and real.is_relative_to(folder):
            # A virtual environment inside the project holds what others maintain.
            return not (folder in python.parents and real.is_relative_to(python))
    return False


def changed(source: str, edits: Iterable[Edit]) -> str:
    """Append the calls to their expressions.

    Lines and columns are those of the parsed source; what is not touched keeps its format.

    Raises:
        MissingLibCST: it is not installed.
        CannotRead: it does not know the syntax.
    """
    try:
        import libcst
        from libcst.metadata import MetadataWrapper, PositionProvider
    except ImportError as error:
        raise MissingLibCST(
            "--diff needs LibCST: pip install 'atemplates[edits]'. Without --diff the calls and "
            "their places are printed."
        ) from error

    class Append(libcst.CSTTransformer):
        METADATA_DEPENDENCIES = (PositionProvider,)

        def __init__(self, wanted: dict[tuple[int, int, int, int], Edit]) -> None:
            super().__init__()
            self.wanted = wanted
            self.new_lines: list[Any] = []
            """The querysets of lines that go below the one that is visited."""

        def _append(self, original: Any, updated: Any) -> Any:
            span: Any = self.get_metadata(PositionProvider, original)
            begin, end = span.start, span.end
            place = (begin.line, begin.column, end.line, end.column)
            edit = self.wanted.get(place)
            if edit is None:
                return updated
            if edit.is_new_line:
                self.new_lines.append(extended(original, edit.call))
                return updated
            return extended(updated, edit.call)

        def leave_Call(self, original_node: Any, updated_node: Any) -> Any:
            return self._append(original_node, updated_node)

        def leave_Name(self, original_node: Any, updated_node: Any) -> Any:
            return self._append(original_node, updated_node)

        def leave_SimpleStatementLine(self, original_node: Any, updated_node: Any) -> Any:
            made, self.new_lines = self.new_lines, []
            lines = [
                libcst.SimpleStatementLine(
                    [libcst.Assign([libcst.AssignTarget(libcst.Name("queryset"))], each)]
                )
                for each in made
            ]
            return libcst.FlattenSentinel([updated_node, *lines]) if lines else updated_node

        def leave_Attribute(self, original_node: Any, updated_node: Any) -> Any:
            return self._append(original_node, updated_node)

    def extended(node: Any, call: str) -> Any:
        """The calls of ``.select_related(...).prefetch_related(...)`` around a node."""
        made = libcst.parse_expression(f"_{call}")
        return made.deep_replace(_innermost(made), node)

    def _innermost(node: Any) -> Any:
        while not isinstance(node, libcst.Name):
            node = node.func if isinstance(node, libcst.Call) else node.value
        return node

    columns = [line.encode("utf-8") for line in source.splitlines()]

    def characters(line: int, column: int) -> tuple[int, int]:
        # ast counts bytes, LibCST counts characters
        return line, len(columns[line - 1][:column].decode("utf-8"))

    wanted = {(*characters(*each.start), *characters(*each.end)): each for each in edits}
    try:
        module = libcst.parse_module(source)
    except libcst.ParserSyntaxError as error:
        raise CannotRead(f"LibCST cannot read line {error.raw_line}") from error
    return MetadataWrapper(module).visit(Append(wanted)).code
