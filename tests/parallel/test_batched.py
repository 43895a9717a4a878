"""`batched`: calls of parts that are rendered at the same time become one call."""

import asyncio
from time import perf_counter

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.utils import translation

from atemplates import batched
from atemplates.engines.django import DjangoTemplates
from atemplates.parallel.batched import MissingKey
from tests.rendering import run_async

LOAD = "{% load atemplates %}"


def page(body, limit="", before="", after=""):
    loaders = [("django.template.loaders.locmem.Loader", {"inc.html": "[{{ row.name }}]"})]
    options = {"loaders": [("django.template.loaders.cached.Loader", loaders)], "debug": True}
    backend = DjangoTemplates({"NAME": "d", "DIRS": [], "APP_DIRS": False, "OPTIONS": options})
    source = f"{LOAD}{before}{{% parallel {limit} %}}{body}{{% endparallel %}}{after}"
    return backend.from_string(source)


class Loader:
    """Loads names by numbers, and notes what it was asked for."""

    def __init__(self, seconds=0.01, answer=None):
        self.seconds = seconds
        self.calls = []
        self.answer = answer or (lambda keys: {key: f"name {key}" for key in keys})

    @batched
    async def load(self, keys):
        self.calls.append(list(keys))
        await asyncio.sleep(self.seconds)
        return self.answer(keys)


class Row:
    def __init__(self, loader, number, **attributes):
        self.loader = loader
        self.number = number
        vars(self).update(attributes)

    async def name(self):
        return await self.loader.load(self.number)

    async def name_after_a_while(self):
        await asyncio.sleep(self.seconds)
        return await self.loader.load(self.number)

    async def names(self):
        return "+".join(
            await asyncio.gather(self.loader.load(self.number), self.loader.load(self.number + 100))
        )

    async def name_of_name(self):
        return await self.loader.load(await self.loader.load(self.number))

    async def other_name(self):
        return await self.other.load(self.number)

    async def name_or_error(self):
        try:
            return await self.name()
        except Exception as error:
            return type(error).__name__

    async def name_from_a_task(self):
        async def deeper(depth):
            if depth:
                return await asyncio.create_task(deeper(depth - 1))
            return await self.name()

        return await asyncio.create_task(deeper(2))

    def name_from_a_thread(self):
        return async_to_sync(self.name)()


def rows(loader, count=5, **attributes):
    return [Row(loader, number, **attributes) for number in range(count)]


LOOP = "{% for row in rows %}{{ row.name }};{% endfor %}"


def test_rows_ask_together():
    for _ in range(2):
        loader = Loader()
        text = run_async(page(LOOP).render_async, {"rows": rows(loader)})
        assert text == "name 0;name 1;name 2;name 3;name 4;"
        assert loader.calls == [[0, 1, 2, 3, 4]]


def test_parts_includes_and_rows_ask_together():
    loader = Loader()
    first, second, *rest = rows(loader, 6)
    body = "{{ first.name }}{% include 'inc.html' with row=second %}" + LOOP
    text = run_async(page(body).render_async, {"first": first, "second": second, "rows": rest})
    assert text == "name 0[name 1]name 2;name 3;name 4;name 5;"
    assert loader.calls == [[0, 1, 2, 3, 4, 5]]


def test_nested_parts_ask_with_those_around():
    loader = Loader()
    inner = "{% parallel %}{% for row in g %}{{ row.name }}{% endfor %}{% endparallel %}"
    body = "{{ first.name }}{% for g in groups %}" + inner + "{% endfor %}"
    first, *rest = rows(loader, 5)
    run_async(page(body).render_async, {"first": first, "groups": [rest[:2], rest[2:]]})
    assert loader.calls == [[0, 1, 2, 3, 4]]


def test_a_key_is_handed_on_once():
    loader = Loader()
    values = [*rows(loader, 3), *rows(loader, 3)]
    assert run_async(page(LOOP).render_async, {"rows": values}) == "name 0;name 1;name 2;" * 2
    assert loader.calls == [[0, 1, 2]]


def test_what_waits_for_something_else_is_not_waited_for():
    loader = Loader()
    values = rows(loader, 3, seconds=0) + rows(loader, 2, seconds=0.1)
    text = run_async(
        page("{% for row in rows %}{{ row.name_after_a_while }};{% endfor %}").render_async,
        {"rows": values},
    )
    assert text == "name 0;name 1;name 2;name 0;name 1;"
    assert loader.calls == [[0, 1, 2], [0, 1]]


def test_two_rounds():
    loader = Loader(answer=lambda keys: [key + 10 for key in keys])
    body = "{% for row in rows %}{{ row.name_of_name }};{% endfor %}"
    assert run_async(page(body).render_async, {"rows": rows(loader, 3)}) == "20;21;22;"
    assert loader.calls == [[0, 1, 2], [10, 11, 12]]


@pytest.mark.parametrize("method", ["names", "name_from_a_task"])
def test_what_a_part_has_started_asks_with_it(method):
    loader = Loader()
    body = f"{{% for row in rows %}}{{{{ row.{method} }}}};{{% endfor %}}"
    run_async(page(body).render_async, {"rows": rows(loader, 4)})
    assert len(loader.calls) == 1
    assert set(loader.calls[0]) >= {0, 1, 2, 3}


def test_code_in_the_thread_may_ask():
    loader = Loader()
    template = page("{% for row in rows %}{{ row.name_from_a_thread }};{{ row.name }};{% endfor %}")
    for _ in range(4):
        text = run_async(template.render_async, {"rows": rows(loader, 3)})
        assert text == "name 0;name 0;name 1;name 1;name 2;name 2;"


def test_two_functions_and_two_instances_are_called_each():
    one, other = Loader(), Loader()
    body = "{% for row in rows %}{{ row.name }}{{ row.other_name }};{% endfor %}"
    start = perf_counter()
    run_async(page(body).render_async, {"rows": rows(one, 3, other=other)})
    assert one.calls == other.calls == [[0, 1, 2]]
    assert perf_counter() - start < 1


def test_one_function_may_ask_another():
    outer_calls, inner = [], Loader()

    @batched
    async def outer(keys):
        outer_calls.append(list(keys))
        return await asyncio.gather(*[inner.load(key * 2) for key in keys])

    class Asking:
        def __init__(self, number):
            self.number = number

        async def name(self):
            return await outer(self.number)

    run_async(page(LOOP).render_async, {"rows": [Asking(1), Asking(2), Asking(3)]})
    assert outer_calls == [[1, 2, 3]]
    assert inner.calls == [[2, 4, 6]]


def test_with_a_limit_those_that_run_ask():
    loader = Loader()
    run_async(page(LOOP, "2").render_async, {"rows": rows(loader, 4)})
    assert [len(call) for call in loader.calls] == [2, 2]


def test_outside_each_call_is_made_alone():
    loader = Loader()

    async def ask():
        return await asyncio.gather(loader.load(1), loader.load(2))

    assert run_async(ask) == ["name 1", "name 2"]
    assert loader.calls == [[1], [2]]
    loader.calls.clear()
    source = page("", after="{{ a.name }}{{ b.name }}")
    first, second = rows(loader, 2)
    assert run_async(source.render_async, {"a": first, "b": second}) == "name 0name 1"
    assert loader.calls == [[0], [1]]


def test_in_a_sync_render_each_call_is_made_alone():
    loader = Loader(0)
    text = page(LOOP).render({"rows": rows(loader, 3)})
    assert text == "name 0;name 1;name 2;"
    assert loader.calls == [[0], [1], [2]]
    loader.calls.clear()
    assert run_async(sync_to_async(page(LOOP).render), {"rows": rows(loader, 3)}) == text
    assert loader.calls == [[0], [1], [2]]


def test_the_call_has_the_context_variables_around_the_tag():
    seen = []

    def answer(keys):
        seen.append(translation.get_language())
        return keys

    body = "{% language 'fr' %}" + "{{ a.name }}{% endlanguage %}{{ b.name }}"
    template = page(body, before="{% load i18n %}{% language 'de' %}", after="{% endlanguage %}")
    first, second = rows(Loader(answer=answer), 2)
    run_async(template.render_async, {"a": first, "b": second})
    assert seen == ["de"]


# -- what it returns -------------------------------------------------------------------------------

RESULTS = {
    "a mapping": (lambda keys: {key: key + 1 for key in keys}, "1;2;3;"),
    "a list": (lambda keys: [key + 1 for key in keys], "1;2;3;"),
    "a tuple": (lambda keys: tuple(keys), "0;1;2;"),
    "None for a key": (lambda keys: {0: 1, 1: None, 2: 3}, "1;None;3;"),
    "a key is missing": (lambda keys: {0: 1, 2: 3}, "1;MissingKey;3;"),
    "an exception for a key": (lambda keys: [1, OSError("x"), 3], "1;OSError;3;"),
    "an exception in a mapping": (lambda keys: {0: 1, 1: OSError("x"), 2: 3}, "1;OSError;3;"),
    "too few": (lambda keys: [1], "ValueError;ValueError;ValueError;"),
    "too many": (lambda keys: [1, 2, 3, 4], "ValueError;ValueError;ValueError;"),
    "something else": (lambda keys: "abc", "TypeError;TypeError;TypeError;"),
    "nothing": (lambda keys: None, "TypeError;TypeError;TypeError;"),
    "it fails": (lambda keys: 1 / 0, "ZeroDivisionError;" * 3),
    "a StopIteration for a key": (lambda keys: [1, StopIteration(), 3], "1;RuntimeError;3;"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results(name):
    answer, expected = RESULTS[name]
    body = "{% for row in rows %}{{ row.name_or_error }};{% endfor %}"
    loader = Loader(answer=answer)
    assert run_async(page(body).render_async, {"rows": rows(loader, 3)}) == expected
    assert loader.calls == [[0, 1, 2]]


def test_an_exception_surfaces_at_its_line():
    def answer(keys):
        raise LookupError("no database")

    template = page("a\n{% for row in rows %}\n{{ row.name }}{% endfor %}")
    with pytest.raises(LookupError, match="no database") as caught:
        run_async(template.render_async, {"rows": rows(Loader(answer=answer), 3)})
    assert caught.value.template_debug["line"] == 3


def test_errors_say_what_was_expected():
    async def ask(answer):
        await Loader(answer=answer).load(7)

    for answer, error, words in (
        (lambda keys: {}, MissingKey, ("Loader.load()", "without the key 7", "found.get(key)")),
        (lambda keys: [], ValueError, ("Loader.load()", "0 values for 1 keys", "in order")),
        (lambda keys: 7, TypeError, ("Loader.load()", "returned 7", "expected a mapping")),
    ):
        with pytest.raises(error) as caught:
            run_async(ask, answer)
        for word in words:
            assert word in str(caught.value)


@pytest.mark.parametrize("in_order", [True, False])
def test_keys_without_a_hash(in_order):
    def answer(keys):
        return [key["n"] for key in keys] if in_order else {1: 2}

    loader = Loader(answer=answer)
    values = [Row(loader, {"n": 1}), Row(loader, {"n": 1}), Row(loader, {"n": 2})]
    body = "{% for row in rows %}{{ row.name_or_error }};{% endfor %}"
    expected = "1;1;2;" if in_order else "TypeError;" * 3
    assert run_async(page(body).render_async, {"rows": values}) == expected
    assert loader.calls == [[{"n": 1}, {"n": 1}, {"n": 2}]]


@pytest.mark.parametrize("function", [lambda keys: keys, None, 3, asyncio.sleep(0)])
def test_only_async_functions_can_be_batched(function):
    with pytest.raises(TypeError, match="async def"):
        batched(function)
    if asyncio.iscoroutine(function):
        function.close()


def test_it_is_still_the_function():
    assert Loader.load.__name__ == "load"
    assert Loader.load.__qualname__ == "Loader.load"
    assert Loader.load.__wrapped__ is Loader.load.function


# -- cancelling ------------------------------------------------------------------------------------


def test_a_cancelled_render_cancels_the_call():
    ended = []

    @batched
    async def slow(keys):
        try:
            await asyncio.sleep(5)
        finally:
            ended.append(list(keys))

    class Asking:
        async def name(self):
            return await slow(1)

    async def render():
        before = asyncio.all_tasks()
        task = asyncio.ensure_future(page(LOOP).render_async({"rows": [Asking(), Asking()]}))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == before

    run_async(render)
    assert ended == [[1]]


def test_a_part_that_fails_takes_its_key_back():
    loader = Loader(0.05)

    class Failing:
        async def name(self):
            await asyncio.sleep(0.01)
            raise ValueError("wrong")

    async def render():
        before = asyncio.all_tasks()
        with pytest.raises(ValueError, match="wrong"):
            await page(LOOP).render_async({"rows": [*rows(loader, 2), Failing()]})
        assert asyncio.all_tasks() == before

    run_async(render)


def test_renders_at_the_same_time_ask_apart():
    loader = Loader()

    async def render():
        template = page(LOOP)
        await template.render_async({"rows": rows(loader, 2)})
        loader.calls.clear()
        return await asyncio.gather(
            *[template.render_async({"rows": rows(loader, 3)}) for _ in range(4)]
        )

    assert run_async(render) == ["name 0;name 1;name 2;"] * 4
    assert loader.calls == [[0, 1, 2]] * 4
