"""Lookups by Django's rules, without an event loop and without a database.

The oracle is ``Variable.resolve``: its value, its exception, the steps it takes, what it logs.
"""

import logging
import re

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.template import Context, Variable
from django.template.base import VariableDoesNotExist
from django.utils.functional import SimpleLazyObject

from atemplates.engines.django import render_template
from atemplates.engines.native import new_state
from atemplates.runtime.calls import call_or_await
from atemplates.runtime.paths import lookup_bit, lookup_name, resolve_path
from atemplates.runtime.sites import MISSING, Invalid, Site, SiteMode
from atemplates.runtime.waits import Kind, Pending
from tests.rendering import SETUPS, new_engine, parse, plain

STEPS: list[tuple] = []
"""What the objects below were asked for."""


class Everything:
    """Answers to every step, and notes it."""

    def __getitem__(self, key):
        STEPS.append(("getitem", key))
        raise KeyError(key)

    def __getattr__(self, name):
        STEPS.append(("getattr", name))
        raise AttributeError(name)

    def __dir__(self):
        STEPS.append(("dir",))
        return []


class HasItems(Everything):
    def __getitem__(self, key):
        STEPS.append(("getitem", key))
        return f"item {key}"


class HasAttributes(Everything):
    def __getattr__(self, name):
        STEPS.append(("getattr", name))
        return f"attribute {name}"


class HasIndexes(Everything):
    def __getitem__(self, key):
        STEPS.append(("getitem", key))
        if isinstance(key, int):
            return f"index {key}"
        raise TypeError


class WithoutItems:
    def __getattr__(self, name):
        STEPS.append(("getattr", name))
        raise AttributeError(name)


class Called:
    def __init__(self, result=None, **attributes):
        self.result = result
        self.__dict__.update(attributes)

    def __call__(self):
        STEPS.append(("call",))
        return self.result


class Raises:
    """Raises one error from each step."""

    def __init__(self, error, *steps):
        self.error = error
        self.steps = steps

    def __getitem__(self, key):
        if "getitem" in self.steps or ("index" in self.steps and isinstance(key, int)):
            raise self.error
        raise KeyError(key)

    def __getattr__(self, name):
        if "getattr" in self.steps:
            raise self.error
        raise AttributeError(name)


class Silent(Exception):
    silent_variable_failure = True


class Properties:
    plain_value = "plain"
    name = {"real": "name"}

    @property
    def attribute_error(self):
        raise AttributeError("inside")

    @property
    def type_error(self):
        raise TypeError("inside")

    @property
    def key_error(self):
        raise KeyError("inside")

    @property
    def zero_division(self):
        raise ZeroDivisionError("inside")

    @property
    def silent(self):
        raise Silent("inside")

    def method(self):
        return "method"

    def with_argument(self, argument):
        return argument

    def with_default(self, argument="default"):
        return argument

    def raises_type_error(self):
        raise TypeError("inside")

    def raises_silent(self):
        raise Silent("inside")

    def raises(self):
        raise ZeroDivisionError("inside")

    def alters(self):
        raise AssertionError("called")

    alters.alters_data = True

    def not_called(self):
        raise AssertionError("called")

    not_called.do_not_call_in_templates = True


class Slots:
    __slots__ = ("empty", "filled")

    def __init__(self):
        self.filled = "filled"


class Meta(type):
    def __getitem__(cls, key):
        return f"meta {key}"


class HasMeta(metaclass=Meta):
    pass


class Generic:
    attribute = "attribute"

    def __class_getitem__(cls, key):
        raise AssertionError("no subscript of an instance")


class Intercepts:
    def __getattribute__(self, name):
        if name == "x":
            return "intercepted"
        return object.__getattribute__(self, name)


VALUES = {
    "d": {
        "key": "value",
        "items": "own items",
        1: "int key",
        "1": "text key",
        "none": None,
        "call": lambda: "called",
        "nested": {"key": {"key": "deep"}},
    },
    "list": ["zero", "one", ["nested"]],
    "tuple": ("zero",),
    "text": "text",
    "number": 5,
    "none": None,
    "has_items": HasItems(),
    "has_attributes": HasAttributes(),
    "has_indexes": HasIndexes(),
    "nothing_works": Everything(),
    "without_items": WithoutItems(),
    "p": Properties(),
    "slots": Slots(),
    "a_class": Properties,
    "meta": HasMeta,
    "generic": Generic(),
    "intercepts": Intercepts(),
    "called": Called("result"),
    "called_dict": Called({"key": "from call"}),
    "twice": Called(Called("inner")),
    "alters": Called("never", alters_data=True),
    "not_called": Called("never", do_not_call_in_templates=True, x="attribute"),
    "both": Called("never", do_not_call_in_templates=True, alters_data=True),
    "builtin": len,
    "no_signature": max,
    "lazy": SimpleLazyObject(lambda: Properties()),
    "does_not_exist": Raises(ObjectDoesNotExist("gone"), "getattr"),
    "value_error": Raises(ValueError("x"), "getitem"),
    "zero_item": Raises(ZeroDivisionError("x"), "getitem"),
    "zero_index": Raises(ZeroDivisionError("x"), "index"),
    "zero_attr": Raises(ZeroDivisionError("x"), "getattr"),
    "type_attr": Raises(TypeError("x"), "getattr"),
    "context": Context({"inner": "value"}),
}
PATHS = """
d d.key d.items d.values d.1 d.none d.none.x d.call d.call.upper d.nested.key.key d.missing
d.missing.x d.key.upper d.key.0 list list.0 list.1 list.2.0 list.7 list.x list.count tuple.0
text.0 text.upper text.missing text.9 number.real number.0 number.x none.x missing missing.x
missing.x.y True True.real has_items.x has_items.0 has_attributes.x has_attributes.0
has_indexes.0 has_indexes.x nothing_works.x nothing_works.0 without_items.x without_items.0
p.plain_value p.name.real p.attribute_error p.type_error p.key_error p.zero_division p.silent
p.silent.x p.method p.method.upper p.with_argument p.with_argument.x p.with_default
p.raises_type_error p.raises_silent p.raises p.alters p.alters.upper p.not_called p.not_called.x
p.missing p.0 slots.filled slots.empty slots.missing a_class a_class.plain_value a_class.method
meta.x meta.0 generic.attribute generic.x intercepts.x intercepts.y called called.x
called_dict.key twice twice.x alters alters.x not_called not_called.x both builtin builtin.x
no_signature lazy.plain_value lazy.method lazy.missing does_not_exist.x value_error.x
zero_item.x zero_index.0 zero_index.x zero_attr.x type_attr.x context.inner context.push
context.missing context.template_name dicts push template_name render_context autoescape request
use_tz
""".split()  # noqa: SIM905


class Recorder(logging.Handler):
    def __init__(self):
        super().__init__(logging.DEBUG)
        self.records = []

    def emit(self, record):
        kind, error, _ = record.exc_info
        self.records.append(
            (
                record.name,
                record.levelno,
                record.msg,
                record.args,
                kind,
                shown(str(error)),
                shown(repr(error.args)),
            )
        )


whole_context = re.compile(r"\[\{'True': True,.*", re.DOTALL)


def shown(text):
    """Leave out addresses, and the context: frames that nobody looks at are not made."""
    return plain(whole_context.sub("CONTEXT", text))


@pytest.fixture
def records():
    recorder = Recorder()
    logger = logging.getLogger("django.template")
    level = logger.level
    logger.addHandler(recorder)
    logger.setLevel(logging.DEBUG)
    yield recorder.records
    logger.removeHandler(recorder)
    logger.setLevel(level)


@pytest.fixture(params=["", "INVALID", "bad %s"])
def context(request):
    engine = new_engine({"main": ""}, SETUPS[0]._replace(string_if_invalid=request.param))
    context = Context(VALUES)
    with context.bind_template(engine.get_template("main")):
        context.template_name = "page.html"
        yield context


def site(path, mode=SiteMode.RAISE):
    return Site(tuple(path.split(".")), path, mode)


def ours(context, path, mode=SiteMode.RAISE):
    state = new_state(context.template, context, on_loop=False)
    bits = path.split(".")
    return resolve_path(state, context, lookup_name(context.dicts, bits[0]), site(path, mode))


def outcome(function, *args):
    STEPS.clear()
    try:
        value = function(*args)
    except Exception as error:
        return type(error), shown(str(error)), shown(repr(error.args)), list(STEPS)
    return type(value), plain(repr(value)), list(STEPS)


@pytest.mark.parametrize("path", PATHS)
def test_value_error_and_steps(context, path):
    stock = outcome(lambda: Variable(path).resolve(context))
    assert outcome(ours, context, path) == stock


@pytest.mark.parametrize("path", PATHS)
def test_log(context, records, path):
    outcome(lambda: Variable(path).resolve(context))
    stock = records.copy()
    records.clear()
    outcome(ours, context, path)
    assert records == stock
    assert len(records) <= 1


def compiled(path):
    """Where compiled code has ways of its own for a path: template, and context to render with."""
    root, _, rest = path.partition(".")
    for source in (
        "{{ PATH }}",
        "{% for x in 'a' %}{{ PATH }}{% endfor %}",
        "{% for x in rows %}{{ x.PATH }}{% endfor %}",
        "{% if PATH %}{% endif %}",
        "{{ PATH|default:1 }}",
        "{{ 1|default:PATH }}",
        "{% with y=PATH %}{% endwith %}",
    ):
        source = source.replace("x.PATH", f"x.{rest}" if rest else "x").replace("PATH", path)
        yield source, {**VALUES, "rows": [VALUES[root]] if root in VALUES else []}


@pytest.mark.parametrize("path", PATHS)
def test_steps_of_compiled_code(path):
    for source, values in compiled(path):
        stock = outcome(parse(source).render, Context(values))
        assert outcome(render_template, parse(source), Context(values)) == stock, source


@pytest.mark.parametrize("path", PATHS)
def test_log_of_compiled_code(records, path):
    for source, values in compiled(path):
        records.clear()
        outcome(parse(source).render, Context(values))
        stock = records.copy()
        records.clear()
        outcome(render_template, parse(source), Context(values))
        assert records == stock, source


class TestModes:
    """What stands in the place of a variable that does not exist."""

    def test_output(self, context):
        text = context.template.engine.string_if_invalid
        assert ours(context, "missing.x", SiteMode.OUTPUT) == text.replace("%s", "missing.x")
        assert ours(context, "missing.x", SiteMode.TEXT) == text.replace("%s", "missing.x")

    def test_under_a_filter(self, context):
        """A filter must not be applied to string_if_invalid, unless it is empty."""
        state = new_state(context.template, context, on_loop=False)
        found = resolve_path(
            state, context, MISSING, Site(("missing",), "missing", SiteMode.OUTPUT, filtered=True)
        )
        text = context.template.engine.string_if_invalid
        if text:
            assert type(found) is Invalid
            assert found.text == text.replace("%s", "missing")
        else:
            assert found == ""

    def test_none(self, context):
        assert ours(context, "missing", SiteMode.NONE) is None
        assert ours(context, "d.missing", SiteMode.NONE) is None

    def test_raise(self, context):
        with pytest.raises(VariableDoesNotExist):
            ours(context, "missing")

    @pytest.mark.parametrize("mode", SiteMode)
    def test_silent_failures_and_others(self, context, mode):
        text = context.template.engine.string_if_invalid
        assert ours(context, "p.silent", mode) == text
        with pytest.raises(ZeroDivisionError):
            ours(context, "p.zero_division", mode)

    def test_text_that_cannot_be_decoded(self, context):
        class Broken:
            @property
            def x(self):
                return b"\xff".decode()

        context["broken"] = Broken()
        assert ours(context, "broken.x", SiteMode.TEXT) == ""
        with pytest.raises(UnicodeDecodeError):
            ours(context, "broken.x", SiteMode.OUTPUT)


class TestFind:
    def test_the_innermost_wins(self):
        assert lookup_name([{"a": 1}, {"a": 2}, {"b": 3}], "a") == 2
        assert lookup_name([{"a": 1}, {"a": None}], "a") is None
        assert lookup_name([{"a": 1}], "b") is MISSING
        assert lookup_name([], "a") is MISSING
        assert repr(MISSING) == "MISSING"


class TestLookup:
    def test_its_error_says_what_was_looked_for(self):
        with pytest.raises(VariableDoesNotExist, match=r"Failed lookup for key \[x\] in 5"):
            lookup_bit(5, "x")

    def test_a_value_that_changes_its_type(self, context):
        """What is known of a type is never taken for another's."""
        for value in (Properties(), {"plain_value": "key"}, Properties(), HasItems()):
            context["value"] = value
            expected = Variable("value.plain_value").resolve(context)
            assert ours(context, "value.plain_value") == expected


class TestAwaitables:
    """Met off the loop too: the step becomes a wait."""

    def wait_of(self, context, path):
        found = ours(context, path)
        assert type(found) is Pending
        return found.plan

    def test_a_wait_and_the_rest_of_the_path(self, context):
        async def value():
            raise AssertionError("nobody awaits here")

        coroutine = value()
        context["x"] = coroutine
        plan = self.wait_of(context, "x.key.upper")
        wait = next(plan)
        assert wait.kind is Kind.AWAIT
        assert wait.subject is coroutine
        with pytest.raises(StopIteration) as stop:
            plan.send({"key": "answer"})
        assert stop.value.value == "ANSWER"
        coroutine.close()

    def test_an_async_method(self, context):
        class Row:
            async def name(self):
                raise AssertionError("nobody awaits here")

        context["row"] = Row()
        plan = self.wait_of(context, "row.name.first")
        wait = next(plan)
        assert wait.kind is Kind.AWAIT
        wait.subject.close()
        with pytest.raises(StopIteration) as stop:
            plan.send({"first": "F"})
        assert stop.value.value == "F"

    def test_an_error_thrown_in_is_the_lookups(self, context, records):
        async def value():
            raise AssertionError("nobody awaits here")

        context["x"] = value()
        plan = self.wait_of(context, "x.key")
        next(plan).subject.close()
        with pytest.raises(ZeroDivisionError):
            plan.throw(ZeroDivisionError("in the awaitable"))
        assert [record[3] for record in records] == [("x", "page.html")]

    def test_what_is_awaited_and_callable_is_called(self, context):
        async def value():
            raise AssertionError("nobody awaits here")

        context["x"] = value()
        plan = self.wait_of(context, "x")
        next(plan).subject.close()
        with pytest.raises(StopIteration) as stop:
            plan.send(lambda: "called")
        assert stop.value.value == "called"

    def test_no_type_is_awaited_by_its_looks(self, context):
        class Looks:
            """An instance attribute makes nothing awaitable."""

            def __init__(self):
                self.__await__ = lambda: iter(())

        state = new_state(context.template, context, on_loop=False)
        value = Looks()
        assert call_or_await(state, value) is value
