"""Functions that only work on their arguments need not be watched; all others are."""

from __future__ import annotations

from typing import Any

import pytest
from django import template
from django.template.defaultfilters import stringfilter
from django.utils.safestring import mark_safe

from atemplates.engines.django import DjangoTemplates
from atemplates.placement.visible_code import is_visible

BY_GLOBAL = 3


def capitals(text: Any) -> Any:
    return text.upper()


def joined(text: Any, end: Any = "!") -> Any:
    shown = f"{text}: {end!r}"
    return shown + end


def chosen(number: Any) -> Any:
    if number is None:
        return ""
    return "one" if number == 1 and not number < 0 else number


@stringfilter
def start(text: Any) -> Any:
    return text[:1]


def constant() -> str:
    return "hello"


@pytest.mark.parametrize("function", [capitals, joined, chosen, start, constant])
def test_works_on_arguments_only(function: Any) -> None:
    assert is_visible(function)


def uses_global(text: Any) -> Any:
    return BY_GLOBAL


def calls_builtin(text: Any) -> Any:
    return len(text)


def imports(text: Any) -> Any:
    import os

    return os


def loops(text: Any) -> Any:
    while text:
        text = text[1:]
    return text


def goes_through(text: Any) -> Any:
    return [each for each in text]  # noqa: C416


def multiplies(text: Any) -> Any:
    return text * 1000


def raises_to(number: Any) -> Any:
    return number**number


def formats_wide(number: Any, width: Any = 3) -> Any:
    return f"{number:{width}}"


def centers(text: Any) -> Any:
    return text.center(10)


def raises_by_name(number: Any) -> Any:
    return number.__pow__(number)


def sets(item: Any) -> Any:
    item.name = 1


def sets_item(item: Any) -> Any:
    item[0] = 1


def catches(text: Any) -> Any:
    try:
        return text.upper()
    except AttributeError:
        return ""


def generates(text: Any) -> Any:
    yield text


async def awaits(text: Any) -> Any:
    return text


def holds_a_list(text: Any, seen: Any = []) -> Any:  # noqa: B006
    return seen


def closes_over(value: Any) -> Any:
    def function(text: Any) -> Any:
        return value

    return function


class Callable:
    def __call__(self, text: Any) -> Any:
        return text


@pytest.mark.parametrize(
    "function",
    [
        *(uses_global, calls_builtin, imports, loops, goes_through, multiplies, raises_to),
        *(
            formats_wide,
            centers,
            raises_by_name,
            sets,
            sets_item,
            catches,
            generates,
            awaits,
            holds_a_list,
        ),
        *(closes_over(1), Callable(), stringfilter(calls_builtin), str.upper, len, "text"),
    ],
)
def test_may_do_anything(function: Any) -> None:
    assert not is_visible(function)


register = template.Library()
attempts: list[Any] = []


@register.filter
def loud(text: Any, end: Any = "") -> Any:
    return text.upper() + end


@register.filter
def measured(text: Any) -> Any:
    return f"{len(text)}"


@register.filter(is_safe=True)
def kept(text: Any) -> Any:
    return text + ""


@register.simple_tag
def label(text: Any, size: Any = 1) -> Any:
    return f"{text}: {size}"


BACKEND = {
    "NAME": "visible",
    "DIRS": [],
    "APP_DIRS": False,
    "OPTIONS": {"libraries": {"visible": __name__}, "inline_tags": [__name__]},
}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The functions that were called under watch after the first time."""
    from atemplates.runtime import placed_steps

    seen: list[Any] = []
    real = placed_steps.quick_attempt

    def noted(record: Any, function: Any, *args: Any) -> Any:
        seen.append(function)
        return real(record, function, *args)

    monkeypatch.setattr(placed_steps, "quick_attempt", noted)
    return seen


ROWS = ["a<", mark_safe("<b>"), 5, None, "c"]


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        ('{{ row|loud:"!" }}', []),
        ("{{ row|kept }}", []),
        ("{% label row %}", []),
        ("{% label row size=5 %}", []),
        ("{{ row|measured }}", [measured]),
    ],
)
async def test_what_is_seen_through_is_not_watched(
    text: str, functions: list[Any], watched: list[Any]
) -> None:
    ours = DjangoTemplates(BACKEND)
    source = "{% load visible %}{% for row in rows %}" + text + "{% endfor %}"
    rows = [row for row in ROWS if type(row) is not int and row is not None]
    page = ours.from_string(source)
    expected = page.render({"rows": rows})
    assert await page.render_async({"rows": rows}) == expected
    assert list(dict.fromkeys(watched)) == functions


@pytest.mark.parametrize("text", ["{{ row|loud:end }}", "{% label row size=end %}"])
async def test_an_argument_with_code_of_its_own_is_placed_as_ever(
    text: str, watched: list[Any]
) -> None:
    source = "{% load visible %}{% for row in rows %}" + text + " {% endfor %}"
    page = DjangoTemplates(BACKEND).from_string(source)
    values = {"rows": ["a", "b", "c"], "end": Loud("!")}
    assert await page.render_async(values) == page.render(values)


class Loud(str):
    """A text that has methods of its own, which may do anything."""

    def upper(self) -> str:
        attempts.append(self)
        return "own"


async def test_a_value_with_code_of_its_own_is_placed_as_ever(watched: list[Any]) -> None:
    page = DjangoTemplates(BACKEND).from_string(
        "{% load visible %}{% for row in rows %}{{ row|loud }} {% endfor %}"
    )
    assert await page.render_async({"rows": ["a", "b", Loud("c"), "d"]}) == "A B own D "
    assert attempts == ["c"]


async def test_an_error_is_the_functions_own() -> None:
    page = DjangoTemplates(BACKEND).from_string(
        "{% load visible %}{% for row in rows %}{{ row|loud }}{% endfor %}"
    )
    with pytest.raises(AttributeError, match="'int' object has no attribute 'upper'"):
        await page.render_async({"rows": ["a", "b", 5]})
