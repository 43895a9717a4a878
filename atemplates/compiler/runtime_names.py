"""What generated source may refer to besides its constants.

One dict, so that a reader of a compiled template finds every name in one place. What only some tags
need stands with them, in their `TagFamily`; `use_families` adds it.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.utils.safestring import SafeString, mark_safe

from ..placement.python_code import CODELESS_TYPES
from ..runtime.calls import await_value
from ..runtime.comparisons import compare, condition_failed
from ..runtime.escaping import as_django_quotes, scan
from ..runtime.fast.date_formats import TWO_DIGITS
from ..runtime.filter_chains import render_filtered
from ..runtime.filters import apply_fast_path, apply_filter, apply_own, apply_stock
from ..runtime.iteration import container, loop_rows, truth_of_value, truth_of_variable, unpack
from ..runtime.lasting import lasting_text, lasting_truth
from ..runtime.output import local_time, render_value, render_variable
from ..runtime.paths import (
    USUAL_CONTEXTS,
    dicts_of,
    lookup_name,
    reread_dicts,
    resolve_path,
)
from ..runtime.sites import MISSING, Invalid
from ..runtime.types import INERT, SIMPLE
from ..runtime.usual_paths import ROWS, access_failed, resolve_further, resolve_long_path
from ..runtime.waits import Kind, Pending, Wait
from .failures import note_error_place

RUNTIME: dict[str, Any] = {
    "AWAIT": Kind.AWAIT,
    "Invalid": Invalid,
    "MISSING": MISSING,
    "SafeString": SafeString,
    "SynchronousOnlyOperation": SynchronousOnlyOperation,
    "Pending": Pending,
    "Wait": Wait,
    "note_error_place": note_error_place,
    "access_failed": access_failed,
    "apply_filter": apply_filter,
    "apply_own": apply_own,
    "apply_stock": apply_stock,
    "apply_fast_path": apply_fast_path,
    "as_django_quotes": as_django_quotes,
    "await_value": await_value,
    "compare": compare,
    "container": container,
    "reread_dicts": reread_dicts,
    "dicts_of": dicts_of,
    # In the place of `except ... as error`, which takes CPython much longer to compile.
    "exception": sys.exception,
    "lasting_text": lasting_text,
    "lasting_truth": lasting_truth,
    "lookup_name": lookup_name,
    "resolve_further": resolve_further,
    "resolve_long_path": resolve_long_path,
    "rows": ROWS,
    "truth_of_variable": truth_of_variable,
    "inert": INERT,
    "local_time": local_time,
    "render_value": render_value,
    "loop_rows": loop_rows,
    "mark_safe": mark_safe,
    "scan": scan,
    "render_variable": render_variable,
    "render_filtered": render_filtered,
    "scalars": CODELESS_TYPES,
    "simple": SIMPLE,
    "condition_failed": condition_failed,
    "truth_of_value": truth_of_value,
    "two_digits": TWO_DIGITS,
    "unpack": unpack,
    "usual_contexts": USUAL_CONTEXTS,
    "resolve_path": resolve_path,
}
"""A name -> what it is. Tags add theirs when an engine's module is imported."""
