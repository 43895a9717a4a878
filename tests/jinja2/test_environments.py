"""Environments of all kinds: sandboxed, native, with classes of the user's own, with caches."""

import asyncio
import pickle

import jinja2
import jinja2.nativetypes
import jinja2.sandbox
import pytest
from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured

from atemplates.engines.jinja2.plans import Environment, use_plans

from .conftest import make_backend, outcome, run

SANDBOX = "jinja2.sandbox.SandboxedEnvironment"
IMMUTABLE = "jinja2.sandbox.ImmutableSandboxedEnvironment"
NATIVE = "jinja2.nativetypes.NativeEnvironment"


class Target:
    name = "n"
    _private = "p"

    def delete(self):
        return "deleted"

    delete.alters_data = True

    async def later(self):
        return self


ATTACKS = [
    "{{ t._private.x }}",
    "{{ t.__class__.__mro__ }}",
    "{{ (t|attr('__class__')).x }}",
    "{{ t['__class__'].x }}",
    "{{ t.delete() }}",
    "{{ t.delete.__func__.__globals__ }}",
    "{{ [t]|map(attribute='__class__')|map(attribute='__mro__')|list }}",
    "{{ [t]|map('attr', '__class__')|map(attribute='x')|list }}",
    "{{ [t]|sort(attribute='__class__.x') }}",
    "{{ [t]|groupby('__class__.x')|list }}",
    "{{ [t]|sum(attribute='__class__.x') }}",
    "{{ '{0.__class__.__mro__}'.format(t) }}",
    "{{ ''.format_map.__self__.__class__.x }}",
    "{% for x in [t.__init__.__globals__.x] %}{% endfor %}",
    "{% set x = t.__class__ %}{{ x.mro() }}",
    "{% macro m() %}{% endmacro %}{{ m.__call__.__func__.__globals__.x }}",
    "{{ m._func.x }}{{ loop._rows.x }}{{ (t.later().__class__).x }}",
    "{% for i in [1] %}{{ loop.__class__.x }}{% endfor %}",
    "{% block b %}{{ self.b.__class__.x }}{% endblock %}",
    "{{ (g.gi_frame).f_globals.x }}",
    "{{ range(10**9)|list }}",
]


@pytest.mark.parametrize("source", ATTACKS)
@pytest.mark.parametrize("kind", [SANDBOX, IMMUTABLE])
async def test_a_sandbox_holds(source, kind):
    backend = make_backend(environment=kind)
    template = backend.from_string(source)

    def values():
        return {"t": Target(), "g": (x for x in "a")}

    try:
        expected = backend.env.from_string(source).render(values())
    except Exception as error:
        expected = type(error)
    for render in (template.render_async, sync_to_async(template.render)):
        try:
            found = await render(values())
        except Exception as error:
            found = type(error)
        assert found == expected or found is jinja2.sandbox.SecurityError


async def test_a_sandbox_holds_for_what_was_awaited():
    template = make_backend(environment=SANDBOX).from_string("{{ t.later()._private.x }}")
    with pytest.raises(jinja2.sandbox.SecurityError):
        await template.render_async({"t": Target()})


@pytest.mark.parametrize("source", ["{{ xs.append(1) }}", "{{ d.clear() }}", "{{ s.add(1) }}"])
async def test_an_immutable_sandbox(source):
    template = make_backend(environment=IMMUTABLE).from_string(source)
    for render in (template.render_async, sync_to_async(template.render)):
        with pytest.raises(jinja2.sandbox.SecurityError):
            await render({"xs": [], "d": {}, "s": set()})


class Counting(jinja2.sandbox.SandboxedEnvironment):
    intercepted_binops = frozenset(["+", "**"])
    intercepted_unops = frozenset(["-"])

    def call_binop(self, context, operator, left, right):
        if operator == "**":
            raise jinja2.sandbox.SecurityError("no powers")
        return super().call_binop(context, operator, left, right) * 10

    def call_unop(self, context, operator, arg):
        return f"minus {arg}"


async def test_intercepted_operators():
    backend = make_backend(environment=f"{__name__}.Counting")
    template = backend.from_string("{{ a + 1 }}{{ -a }}{{ a * 2 }}{{ +a }}{{ a + a + a }}")
    expected = backend.env.from_string("{{ a + 1 }}{{ -a }}{{ a * 2 }}{{ +a }}{{ a + a + a }}")
    assert await template.render_async({"a": 2}) == expected.render(a=2)
    with pytest.raises(jinja2.sandbox.SecurityError, match="no powers"):
        await backend.from_string("{{ a ** 2 }}").render_async({"a": 2})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ x }}", [1, 2]),
        ("{{ x[0] }}", 1),
        ("{{ later() }}", {"a": 1}),
        ("{{ later().a + 1 }}", 2),
        ("{{ x|map('string')|list }}", ["1", "2"]),
        ("{% for i in x %}{{ i }}{% endfor %}", 12),
        ("a{{ x }}", "a[1, 2]"),
        ("{% macro m() %}{{ x[1] }}{% endmacro %}{{ m() }}", 2),
        ("{% set y = later() %}{{ y }}", {"a": 1}),
        ("", None),
        ("{{ none }}", None),
    ],
)
async def test_native_values(source, expected):
    async def later():
        return {"a": 1}

    template = make_backend(environment=NATIVE).from_string(source)
    assert await template.render_async({"x": [1, 2], "later": later}) == expected
    assert await sync_to_async(template.render)({"x": [1, 2], "later": later}) == expected


class OwnContext(jinja2.runtime.Context):
    def resolve_or_missing(self, key):
        return f"[{key}]" if key.startswith("own_") else super().resolve_or_missing(key)

    def call(self, function, *args, **kwargs):
        return f"called {super().call(function, *args, **kwargs)}"


class OwnTemplate(jinja2.Template):
    def render(self, *args, **kwargs):
        return f"own {super().render(*args, **kwargs)}"

    async def render_async(self, *args, **kwargs):
        return f"own {await super().render_async(*args, **kwargs)}"


class OwnGenerator(jinja2.compiler.CodeGenerator):
    def _output_const_repr(self, group):
        return repr("".join(map(str, group)).upper())


class OwnEnvironment(jinja2.Environment):
    context_class = OwnContext
    template_class = OwnTemplate
    code_generator_class = OwnGenerator

    def getattr(self, obj, attribute):
        return f"<{attribute}>"

    def getitem(self, obj, argument):
        return f"[{argument}]"

    def join_path(self, template, parent):
        return template.removeprefix("./")


async def test_classes_of_the_users_own():
    source = "{{ own_x }} {{ f() }} {{ f.name }} {{ f['k'] }}{% include './part' %}"
    templates = {"part": " part", "page": source}
    backend = make_backend(templates, environment=f"{__name__}.OwnEnvironment")
    values = {"f": lambda: "f"}
    template = backend.get_template("page")
    expected = backend.env.get_template("page").render(values)
    assert expected == "own [own_x] called f &lt;name&gt; [k] PART"
    assert await template.render_async(values) == expected
    assert await sync_to_async(template.render)(values) == expected


async def test_the_users_environment_stays_as_it_was():
    backend = make_backend({"x": "{{ x }}"})
    env = backend.env
    assert type(env) is jinja2.Environment
    assert not env.is_async
    assert env.code_generator_class is jinja2.Environment.code_generator_class
    assert env.filters["join"] is jinja2.filters.FILTERS["join"]
    assert type(env.get_template("x")) is jinja2.Template
    await (await backend.aget_template("x")).render_async()
    assert type(env.get_template("x")) is jinja2.Template


async def test_a_filter_of_the_users_own_is_kept():
    backend = make_backend(autoescape=False)
    backend.env.filters["join"] = lambda value: "mine"
    backend.env.tests["in"] = lambda value, seq: "mine"
    template = backend.from_string("{{ [1]|join }}{{ 1 is in [2] }}")
    assert await template.render_async() == "minemine"
    assert await sync_to_async(template.render)() == "minemine"


def test_environments_can_be_pickled():
    copied = pickle.loads(
        pickle.dumps(Environment(loader=jinja2.DictLoader({"a": "{{ x|join }}"})))
    )
    assert copied.get_template("a").render(x=[1, 2]) == "12"


def test_use_plans_twice_changes_nothing():
    environment = use_plans(use_plans(jinja2.Environment()))
    assert environment.from_string("{{ [1, 2]|join }}").render() == "12"


class TestBytecode:
    async def render(self, folder, source, **options):
        cache = jinja2.FileSystemBytecodeCache(str(folder))
        backend = make_backend({"page": source}, bytecode_cache=cache, **options)
        stock = backend.env.get_template("page").render(x=[1, 2])
        template = await backend.aget_template("page")
        assert await template.render_async({"x": [1, 2]}) == stock
        assert await sync_to_async(template.render)({"x": [1, 2]}) == stock
        return len(list(folder.iterdir()))

    async def test_modes_are_kept_apart(self, tmp_path):
        source = "{% for i in x %}{{ i }}{{ loop.last }}{% endfor %}{{ x|join }}"
        assert await self.render(tmp_path, source) == 3
        assert await self.render(tmp_path, source) == 3
        assert await self.render(tmp_path, source + "!") == 3
        assert await self.render(tmp_path, source, environment=SANDBOX) == 6 - 1

    async def test_from_the_cache_it_is_not_compiled_again(self, tmp_path, monkeypatch):
        await self.render(tmp_path, "{{ x }}")

        def never(*args, **kwargs):
            raise AssertionError("compiled again")

        monkeypatch.setattr(jinja2.Environment, "compile", never)
        await self.render(tmp_path, "{{ x }}")

    async def test_in_djangos_cache(self, settings):
        settings.CACHES = {
            "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
            "code": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "c"},
        }
        caches["default"].clear()  # other tests may have kept something there
        for _ in range(2):
            backend = make_backend(
                {"page": "{{ x }}"}, environment=None, bytecode_cache={"cache": "code"}
            )
            template = await backend.aget_template("page")
            assert await template.render_async({"x": 1}) == "1"
        assert len(caches["code"]._cache) == 1
        assert not caches["default"]._cache

    async def test_in_a_folder(self, tmp_path):
        backend = make_backend(
            {"page": "{{ x }}"}, environment=None, bytecode_cache=str(tmp_path / "new")
        )
        await backend.aget_template("page")
        assert len(list((tmp_path / "new").iterdir())) == 1

    @pytest.mark.parametrize("value", [True, 5, {"name": "x"}, {"cache": "a", "other": 1}, []])
    def test_nonsense_is_refused(self, value):
        with pytest.raises(ImproperlyConfigured, match="bytecode_cache"):
            make_backend(environment=None, bytecode_cache=value)


class Soon:
    """Something to await, as often as one likes."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.value


class Intercepting(jinja2.sandbox.SandboxedEnvironment):
    """Is asked about some operators, and says which it was asked about."""

    intercepted_binops = frozenset(["**", "+", "%"])
    intercepted_unops = frozenset(["-"])

    def call_binop(self, context, operator, left, right):
        return f"({left}{operator}{right})"

    def call_unop(self, context, operator, arg):
        return f"{operator}{arg}"


class Refusing(Intercepting):
    def call_binop(self, context, operator, left, right):
        raise jinja2.sandbox.SecurityError(f"no {operator}")

    def call_unop(self, context, operator, arg):
        raise jinja2.sandbox.SecurityError(f"no {operator}")


def chains(length):
    """Expressions of as many operators, of one kind and mixed."""
    for symbol in ("+", "-", "*", "//", "/", "**", "%"):
        if symbol != "**":  # it would be too large a number where nobody intercepts it
            yield f" {symbol} ".join(["a"] * (length + 1))
        yield "a" + f" {symbol} 1" * length
        yield f"a {symbol} 2" + " * 1" * (length - 1)
        yield "a" + " * 1" * (length - 1) + f" {symbol} 2"
        yield f"b {symbol} 1" + " - 1" * (length - 1)
        yield "a" + " * 1" * (length // 2) + f" {symbol} b" + " * 1" * (length - length // 2 - 1)
    yield "a" + "".join(f" {'+-*'[number % 3]} {number % 4}" for number in range(length))
    yield "a" + "".join(f" {'*%-'[number % 3]} (a + b)" for number in range(length))
    yield "- " * length + "a"
    yield "-a" + " * -a" * length
    yield "+ " * length + "a"
    yield " < ".join(["a + 1", *["a - b"] * length])
    yield " == ".join(["a"] * length) + " != a + 1"
    yield "a" + " ~ a + 1" * length
    yield " and ".join(["a ** 1"] * length) + " or -a"
    yield "a if " + " or ".join(["not a + 1"] * length) + " else -a"


@pytest.mark.parametrize(
    ("kind", "length"),
    [*(("Intercepting", length) for length in (1, 8, 9, 40)), ("Refusing", 9), ("Refusing", 40)],
)
async def test_operators_are_intercepted_in_expressions_of_any_length(kind, length):
    backend = make_backend(environment=f"{__name__}.{kind}")
    for number, expression in enumerate(chains(length)):
        source = f"{{{{ {expression} }}}}"
        if number % 2:
            source = f"{{% if ({expression}) %}}t{{% endif %}}"
        template = backend.from_string(source)
        expected = run(backend.env.from_string(source).render, {"a": 3, "b": 2})
        for found in (
            run(template.render, {"a": 3, "b": 2}),
            await outcome(template.render_async, {"a": 3, "b": 2}),
            await outcome(template.render_async, {"a": Soon(3), "b": Soon(2)}),
        ):
            assert found == expected, expression
            assert str(found.error) == str(expected.error)


def test_a_sandbox_runs_no_code_that_was_written_for_another_environment(tmp_path):
    """Environments of one name may share a cache, and ask their sandbox about different things."""

    def environment(base, **members):
        kind = type("Environment", (base,), members)
        cache = jinja2.FileSystemBytecodeCache(str(tmp_path))
        loader = jinja2.DictLoader({"call": "{{ f() }}", "sum": "{{ a + 1 }}"})
        return use_plans(kind(bytecode_cache=cache, loader=loader))

    @jinja2.sandbox.unsafe
    def f():
        return "called"

    assert environment(jinja2.Environment).get_template("call").render(f=f) == "called"
    sandbox = jinja2.sandbox.SandboxedEnvironment
    assert environment(sandbox).get_template("sum").render(a=1) == "2"
    with pytest.raises(jinja2.sandbox.SecurityError):
        environment(sandbox).get_template("call").render(f=f)
    asked = environment(
        sandbox, intercepted_binops=frozenset("+"), call_binop=lambda *arguments: "asked"
    )
    assert asked.get_template("sum").render(a=1) == "asked"
