"""Values: one lookup step, one call, one filter, one output. Each gives a value, or a `Wait`.

Nothing here blocks on purpose and nothing awaits. The order of the steps, the exceptions and the
log records are those of ``django.template.base.Variable``; what is new is that on the event loop a
step that needs I/O, or runs code of others that has not earned to run there, becomes a wait for
this step in the request's thread, and that an awaitable is awaited.
"""

from .calls import (
    Steps,
    again_in_thread,
    async_twin,
    awaited,
    awaiting,
    call,
    complete,
    has_its_name,
    has_own_twin,
    may_replace,
    repeat_call,
    settle,
    stands_beside,
)
from .chains import Step, show_filtered
from .conditions import COMPARISONS, compare, compare_again, swallow
from .filters import apply_filter, apply_stock, apply_twin, filter_again
from .lookups import (
    attribute_failed,
    failed,
    find,
    follow,
    invalid,
    look_again,
    lookup,
    lookup_index,
    walk,
)
from .output import local_time, output, rendered, show
from .rows import Rows, container, holds, rows, truth, unpack
from .sites import MISSING, Invalid, Missing, Site

__all__ = [
    "COMPARISONS",
    "MISSING",
    "Invalid",
    "Missing",
    "Rows",
    "Site",
    "Step",
    "Steps",
    "again_in_thread",
    "apply_filter",
    "apply_stock",
    "apply_twin",
    "async_twin",
    "attribute_failed",
    "awaited",
    "awaiting",
    "call",
    "compare",
    "compare_again",
    "complete",
    "container",
    "failed",
    "filter_again",
    "find",
    "follow",
    "has_its_name",
    "has_own_twin",
    "holds",
    "invalid",
    "local_time",
    "look_again",
    "lookup",
    "lookup_index",
    "may_replace",
    "output",
    "rendered",
    "repeat_call",
    "rows",
    "settle",
    "show",
    "show_filtered",
    "stands_beside",
    "swallow",
    "truth",
    "unpack",
    "walk",
]
