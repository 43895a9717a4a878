"""Generated Jinja2 templates with ``{% parallel %}``: the output of stock without the tag."""

import re
import warnings

import jinja2
import pytest
from hypothesis import HealthCheck, Phase, event, given, note, reject, seed, settings

from atemplates.engines.jinja2.plans import use_plans
from atemplates.runtime.drivers import close_awaitable

from .test_differential import (
    ROUNDS,
    SEED,
    cases,
    copied,
    loop,
    make,
    result,
    same,
    to_be_awaited,
)

__all__ = ["loop"]


def without_tag(source):
    """The same template with an ``{% if %}`` in the place of each tag: spaces are trimmed alike."""
    source = re.sub(r"\{% parallel [^%]*%\}", "{% if true %}", source)
    return source.replace("{% endparallel %}", "{% endif %}")


def agree(ours, stock):
    """Compare outcomes. Of two errors in a template, another one may come first."""
    if issubclass(stock[0], Exception):
        return issubclass(ours[0], Exception)
    return same(ours, stock)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("number", "examples"), list(enumerate(ROUNDS)))
def test_parts_at_the_same_time_give_what_stock_gives(loop, number, examples):
    @seed(SEED + number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases("anywhere"))
    def compare(case):
        kind, templates, options, values = case
        for name, text in templates.items():
            note(f"{name}: {text}")
        if not any("{% parallel" in text for text in templates.values()):
            reject()
        bare = {name: without_tag(text) for name, text in templates.items()}
        with warnings.catch_warnings(record=True) as forgotten:
            warnings.simplefilter("always", RuntimeWarning)
            warnings.simplefilter("ignore", SyntaxWarning)
            try:
                env = make(kind, bare, options)
                stock = result(lambda: env.get_template("page").render(copied(values)))
            except RecursionError:
                reject()
            if stock[0] is RuntimeError and "during iteration" in stock[1]:
                reject()
            event("error" if issubclass(stock[0], Exception) else "output")
            env = use_plans(make(kind, templates, options))
            for _ in range(2):
                ours = result(lambda: env.get_template("page").render(copied(values)))
                assert agree(ours, stock)
            env = use_plans(make(kind, templates, options, enable_async=True))
            for given in (copied, to_be_awaited, lambda values: to_be_awaited(copied(values))):
                waiting = given(values)
                ours = result(
                    lambda waiting=waiting: loop.run_until_complete(
                        env.get_template("page").render_async(waiting)
                    )
                )
                for value in waiting.values():
                    close_awaitable(value)
                assert agree(ours, stock)
        assert [str(warning.message) for warning in forgotten] == []  # coroutines never awaited

    compare()


def test_the_oracle_renders_one_part_after_the_other():
    source = "{% parallel 2%}{{ 1 }}{{ 2 }}{% endparallel %}"
    assert without_tag(source) == "{% if true %}{{ 1 }}{{ 2 }}{% endif %}"
    assert jinja2.Environment().from_string(without_tag(source)).render() == "12"
