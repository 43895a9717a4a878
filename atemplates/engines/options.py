"""The OPTIONS of a backend: ours are checked and taken out, the others have to be known.

Each backend declares a table of its own; what both take is in `COMMON_OPTIONS`. An option that
does not exist, or has a wrong value, raises an error that names the allowed ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ..compiler.module import CACHE_ATTRIBUTE
from ..runtime.policy import POLICIES, YIELD_AFTER
from ..streaming.crawlers import is_crawler

if TYPE_CHECKING:
    from django.template.engine import Engine

    from ..migration.recorder import Recorder


class Option(NamedTuple):
    """One of our own OPTIONS: its default, and either its allowed values or a check."""

    default: Any
    allowed: tuple[Any, ...] = ()
    check: Callable[[Any], bool] | None = None
    expected: str = ""

    def accepts(self, value: Any) -> bool:
        if self.check is not None:
            return self.check(value)
        return isinstance(value, str) and value in self.allowed

    def describe(self) -> str:
        return self.expected or "one of " + ", ".join(map(repr, self.allowed))


def list_of_strings(value: Any) -> bool:
    """Whether ``value`` is a list, tuple or set that holds nothing but strings."""
    return isinstance(value, (list, tuple, set, frozenset)) and all(
        isinstance(item, str) for item in value
    )


def path_or_none(value: Any) -> bool:
    """Whether ``value`` is None or the path of a file."""
    return value is None or (isinstance(value, (str, Path)) and bool(str(value)))


def number_at_a_time(value: Any) -> bool:
    """Whether ``value`` says how many at a time: a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def seconds_or_none(value: Any) -> bool:
    """Whether ``value`` is None or a time above 0, in seconds."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value is None or (is_number and 0 < value < inf)


def recorder_options(value: Any) -> bool:
    """Whether ``value`` says how to record: None, or a dict with ``file`` and perhaps ``rate``."""
    if value is None:
        return True
    if not isinstance(value, dict) or not {"file"} <= set(value) <= {"file", "rate"}:
        return False
    rate = value.get("rate", 1)
    number = isinstance(rate, (int, float)) and not isinstance(rate, bool)
    return (
        isinstance(value["file"], (str, Path))
        and bool(value["file"])
        and number
        and (0 <= rate <= 1)
    )


def stream_options(value: Any) -> bool:
    """Whether ``value`` says how pages are streamed: a dict, with ``complete_for`` perhaps."""
    if not isinstance(value, dict) or not set(value) <= {"complete_for"}:
        return False
    given = value.get("complete_for")
    return given is None or callable(given) or (isinstance(given, str) and "." in given)


def complete_for(value: dict[str, Any]) -> Callable[[Any], Any]:
    """Return what says, given a request, whether it gets its page whole.

    Args:
        value: the checked option ``stream``.

    Raises:
        ImportError: there is nothing by the path that it has.
    """
    given = value.get("complete_for", is_crawler)
    if given is None:
        return no_request
    return import_string(given) if isinstance(given, str) else given  # type: ignore[no-any-return]


def no_request(request: Any) -> bool:
    """Say that no request gets its page whole."""
    return False


def let_load(number: int) -> None:
    """Let as many querysets be loaded at the same time as an engine's OPTIONS say."""
    if number > 1:
        from ..parallel.workers import allow  # only where something is loaded so

        allow(number)


RECORDER = "atemplates_recorder"
"""The attribute of an engine or environment that holds its recorder."""
ALIAS = "atemplates_alias"
"""The attribute of an engine or environment that holds the alias of its backend."""

COMMON_OPTIONS: dict[str, Option] = {
    "parallel": Option(
        1,
        check=number_at_a_time,
        expected="how many querysets may be loaded at the same time, a whole number above 0 "
        "(1: one after the other)",
    ),
    "recorder": Option(
        None,
        check=recorder_options,
        expected="None or {'file': path, 'rate': a number from 0 to 1 (default: 1)}",
    ),
    "relations": Option("batch", allowed=POLICIES),
    "stream": Option(
        {},
        check=stream_options,
        expected="a dict with 'complete_for' or nothing: a function of the request, or the path "
        "to import it by, or None",
    ),
    "yield_after": Option(
        YIELD_AFTER,
        check=seconds_or_none,
        expected="after how many seconds of computing the event loop has its turn, a number above "
        "0, or None (not before the page is rendered)",
    ),
}
"""What both backends take."""


def read_options(
    params: Mapping[str, Any],
    known: Mapping[str, Option],
    handed_on: Callable[[dict[str, Any]], Iterable[str] | None],
    **defaults: Any,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take a backend's own options out of its parameters.

    Args:
        params: the parameters, which are not changed.
        known: the options of this backend besides `COMMON_OPTIONS`.
        handed_on: the names of the options that may be handed on, given those that are; None if
            any may.
        defaults: the values of options that are handed on where none were given.

    Returns:
        The parameters without our options, and these by name, defaults filled in.

    Raises:
        ImproperlyConfigured: OPTIONS is no dict, or an option is unknown or has a wrong value.
    """
    alias = params["NAME"]
    if not isinstance(params["OPTIONS"], dict):
        raise ImproperlyConfigured(
            f"TEMPLATES engine {alias!r}: OPTIONS is {params['OPTIONS']!r}; expected a dict."
        )
    ours = {**COMMON_OPTIONS, **known}
    options = {**defaults, **params["OPTIONS"]}
    own = take_options(options, ours, alias)
    others = handed_on(options)
    if others is not None:
        refuse_unknown(options, (*ours, *others), alias)
    return {**params, "OPTIONS": options}, own


def take_options(
    options: dict[str, Any], known: Mapping[str, Option], alias: str
) -> dict[str, Any]:
    """Remove our own options from ``options`` and return them, defaults filled in.

    Raises:
        ImproperlyConfigured: an option has a value that is not allowed.
    """
    taken = {}
    for name, option in known.items():
        value = options.pop(name, option.default)
        if not option.accepts(value):
            raise ImproperlyConfigured(
                f"TEMPLATES engine {alias!r}: OPTIONS[{name!r}] is {value!r}; "
                f"expected {option.describe()}."
            )
        taken[name] = value
    return taken


def refuse_unknown(options: Iterable[str], allowed: Iterable[str], alias: str) -> None:
    """Raise when ``options`` has a name that is not in ``allowed``.

    Raises:
        ImproperlyConfigured: naming the option, the nearest allowed one, and all allowed ones.
    """
    allowed = sorted(allowed)
    for name in options:
        if name not in allowed:
            from difflib import get_close_matches  # only for the message

            close = get_close_matches(str(name), allowed, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ImproperlyConfigured(
                f"TEMPLATES engine {alias!r}: unknown option {name!r} in OPTIONS.{hint} "
                f"Allowed: {', '.join(allowed)}."
            )


def new_recorder(value: dict[str, Any] | None) -> Recorder | None:
    """Make the recorder that a checked option describes."""
    if value is None:
        return None
    from ..migration.recorder import Recorder  # a site that records nothing need not import it

    return Recorder(Path(value["file"]), float(value.get("rate", 1)))


def set_plan_cache(engine: Engine, folder: Any) -> None:
    """Have the code of an engine's templates kept in a folder, or not."""
    cache = None
    if folder is not None:
        from ..compiler.plan_cache import PlanCache  # hashes and more that others need not import

        cache = PlanCache(Path(folder))
    setattr(engine, CACHE_ATTRIBUTE, cache)
