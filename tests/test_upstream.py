"""Guards what we take for granted of Django's private names and of the code that we replace.

A failure here is no bug of ours yet: a Django that nobody has looked at does something in another
way. Compare it with the module named in the message, then add what is new here.
"""

import asyncio
import contextvars
import hashlib
import importlib
import inspect
import re

import django
import pytest
from asgiref.sync import AsyncToSync, SyncToAsync, async_to_sync, sync_to_async
from django.contrib.auth.models import Group
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connection
from django.template import Context, RequestContext, TemplateDoesNotExist, base, defaulttags
from django.template.base import FilterExpression, Node, NodeList, Template, Variable
from django.template.context import BaseContext, RenderContext
from django.template.loader_tags import BLOCK_CONTEXT_KEY, BlockNode
from django.template.loaders.cached import Loader as CachedLoader
from django.template.smartif import OPERATORS
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext, instrumented_test_render

from atemplates.compiler.conditions import COMPARISON_OPERATORS, OPERATOR_NAMES
from atemplates.compiler.nodes import NODES
from tests.rendering import SETUPS, new_engine, parse
from tests.upstream_sources import SOURCES

HAS_PARTIALS = django.VERSION >= (6, 0)


# -- the code that we replace ----------------------------------------------------------------------


def fingerprint(path):
    """Return a short hash of a function's source, white space aside."""
    module, _, name = path.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, (staticmethod, classmethod)):
        found = found.__func__
    elif isinstance(found, property):
        found = found.fget
    source = inspect.getsource(inspect.unwrap(found))
    return hashlib.sha256(re.sub(r"\s+", "", source).encode()).hexdigest()[:12]


@pytest.mark.parametrize("path", SOURCES)
def test_the_source_is_one_that_was_looked_at(path):
    ours, known = SOURCES[path]
    if not HAS_PARTIALS and "Partial" in path:
        pytest.skip("Django 6.0 brought partials")
    assert fingerprint(path) in known, f"{path} has changed; compare it with atemplates/{ours}"


def test_every_node_that_we_write_is_guarded():
    guarded = {path.partition(":")[2].partition(".")[0] for path in SOURCES}
    for kind in NODES:
        ours = kind is Node or not kind.__module__.startswith("django.")
        if not ours and "render" in vars(kind) and kind.__name__ not in COPIED:
            assert kind.__name__ in guarded, kind


COPIED = {
    # Their own render() is called, with arguments that are resolved already.
    "CsrfTokenNode",
    "DebugNode",
    "LoremNode",
    "NowNode",
    "WidthRatioNode",
    "URLNode",
    "StaticNode",
    "PrefixNode",
    "GetAvailableLanguagesNode",
    "GetCurrentLanguageNode",
    "GetLanguageInfoNode",
    "GetCurrentLanguageBidiNode",
    "GetLanguageInfoListNode",
    "GetCurrentTimezoneNode",
}


# -- what nodes look like --------------------------------------------------------------------------

ATTRIBUTES = {
    "IfNode": ("{% if a %}{% endif %}", "conditions_nodelists"),
    "ForNode": (
        "{% for a in b %}{% empty %}{% endfor %}",
        "loopvars sequence is_reversed nodelist_loop nodelist_empty",
    ),
    "WithNode": ("{% with a=b %}{% endwith %}", "extra_context nodelist"),
    "IfChangedNode": (
        "{% ifchanged a %}{% endifchanged %}",
        "_varlist nodelist_true nodelist_false",
    ),
    "RegroupNode": ("{% regroup a by b as c %}", "target expression var_name"),
    "CycleNode": ("{% cycle a b as c %}", "cyclevars variable_name silent"),
    "ResetCycleNode": ("{% cycle a b %}{% resetcycle %}", "node"),
    "FirstOfNode": ("{% firstof a as b %}", "vars asvar"),
    "FilterNode": ("{% filter upper %}{% endfilter %}", "filter_expr nodelist"),
    "SpacelessNode": ("{% spaceless %}{% endspaceless %}", "nodelist"),
    "AutoEscapeControlNode": ("{% autoescape on %}{% endautoescape %}", "setting nodelist"),
    "VerbatimNode": ("{% verbatim %}{% endverbatim %}", "content"),
    "TemplateTagNode": ("{% templatetag openblock %}", "tagtype"),
    "CommentNode": ("{% comment %}{% endcomment %}", ""),
    "LoadNode": ("{% load i18n %}", ""),
    "URLNode": ("{% url a b %}", "view_name args kwargs asvar"),
    "WidthRatioNode": ("{% widthratio a b c %}", "val_expr max_expr max_width asvar"),
    "LoremNode": ("{% lorem a w %}", "count method common"),
    "NowNode": ("{% now 'Y' as a %}", "format_string asvar"),
    "CsrfTokenNode": ("{% csrf_token %}", ""),
    "DebugNode": ("{% debug %}", ""),
    "TextNode": ("text", "s"),
    "VariableNode": ("{{ a }}", "filter_expression"),
    "BlockNode": ("{% block a %}{% endblock %}", "name nodelist parent"),
    "ExtendsNode": ("{% extends a %}", "nodelist parent_name template_dirs blocks"),
    "IncludeNode": ("{% include a with b=c only %}", "template extra_context isolated_context"),
    "TranslateNode": (
        "{% load i18n %}{% translate a %}",
        "noop asvar message_context filter_expression",
    ),
    "BlockTranslateNode": (
        "{% load i18n %}{% blocktranslate %}{% endblocktranslate %}",
        "extra_context singular plural countervar counter message_context trimmed asvar tag_name",
    ),
    "LanguageNode": ("{% load i18n %}{% language a %}{% endlanguage %}", "nodelist language"),
    "GetLanguageInfoNode": (
        "{% load i18n %}{% get_language_info for a as b %}",
        "lang_code variable",
    ),
    "GetLanguageInfoListNode": (
        "{% load i18n %}{% get_language_info_list for a as b %}",
        "languages variable",
    ),
    "GetCurrentLanguageNode": ("{% load i18n %}{% get_current_language as a %}", "variable"),
    "GetCurrentLanguageBidiNode": (
        "{% load i18n %}{% get_current_language_bidi as a %}",
        "variable",
    ),
    "GetAvailableLanguagesNode": ("{% load i18n %}{% get_available_languages as a %}", "variable"),
    "GetCurrentTimezoneNode": ("{% load tz %}{% get_current_timezone as a %}", "variable"),
    "LocalTimeNode": ("{% load tz %}{% localtime %}{% endlocaltime %}", "nodelist use_tz"),
    "TimezoneNode": ("{% load tz %}{% timezone a %}{% endtimezone %}", "nodelist tz"),
    "LocalizeNode": ("{% load l10n %}{% localize %}{% endlocalize %}", "nodelist use_l10n"),
    "CacheNode": (
        "{% load cache %}{% cache a b %}{% endcache %}",
        "nodelist expire_time_var fragment_name vary_on cache_name",
    ),
    "StaticNode": ("{% load static %}{% static a %}", "path varname"),
    "PrefixNode": ("{% load static %}{% get_static_prefix %}", "varname name"),
    "SimpleNode": ("{% load lib %}{% join %}", "func takes_context args kwargs target_var"),
    "SimpleBlockNode": (
        "{% load lib %}{% wrapped %}{% endwrapped %}",
        "func takes_context args kwargs target_var nodelist",
    ),
    "InclusionNode": ("{% load lib %}{% show 1 %}", "func takes_context args kwargs filename"),
    "PartialDefNode": ("{% partialdef a %}{% endpartialdef %}", "partial_name inline nodelist"),
    "PartialNode": ("{% partial a %}", "partial_name partial_mapping"),
}


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_node_has_the_attributes_that_we_know(name):
    """An attribute that is new is an option that we ignore."""
    if not HAS_PARTIALS and name.startswith("Partial"):
        pytest.skip("Django 6.0 brought partials")
    source, attributes = ATTRIBUTES[name]
    nodes = parse(source, libraries={"lib": "tests.tags.library_tags"}).nodelist
    (node,) = [node for node in nodes if type(node).__name__ == name]
    assert set(vars(node)) - {"token", "origin"} == set(attributes.split())
    assert type(node) in NODES


def test_every_node_that_we_write_is_in_the_table():
    kinds = {kind.__name__ for kind in NODES if kind.__module__.startswith("django.")} - {"Node"}
    assert kinds == set(ATTRIBUTES) - (set() if HAS_PARTIALS else {"PartialNode", "PartialDefNode"})


def test_no_tag_of_django_is_foreign():
    """Every node class of Django's own modules has a writer, or is a base of others."""
    bases = {"Node", "TagHelperNode", "ConstantIncludeNode"}
    for module in (
        "template.base",
        "template.defaulttags",
        "template.loader_tags",
        "template.library",
        "templatetags.i18n",
        "templatetags.l10n",
        "templatetags.tz",
        "templatetags.cache",
        "templatetags.static",
    ):
        for name, kind in vars(importlib.import_module(f"django.{module}")).items():
            if isinstance(kind, type) and issubclass(kind, Node) and name not in bases:
                assert kind in NODES, name


# -- expressions -----------------------------------------------------------------------------------


def test_a_variable():
    variable = Variable("a.b")
    assert variable.lookups == ("a", "b")
    assert variable.var == "a.b"
    assert set(Variable.__slots__) == {"var", "literal", "lookups", "translate", "message_context"}
    assert Variable("5").lookups is None
    assert Variable("_('x')").translate is True
    with pytest.raises(base.VariableDoesNotExist) as caught:
        Variable("a").resolve(Context())
    assert caught.value.msg == "Failed lookup for key [%s] in %r"
    assert caught.value.params[0] == "a"


def test_a_filter_expression():
    (node,) = parse("{{ a|cut:b|cut:'c' }}").nodelist
    expression = node.filter_expression
    assert set(FilterExpression.__slots__) == {"token", "filters", "var", "is_var"}
    assert expression.token == "a|cut:b|cut:'c'"
    assert type(expression.var) is Variable
    (first, [(is_variable, argument)]), (_, [(second_is_variable, second)]) = expression.filters
    assert first is defaulttags.register.filters.get("cut", first)
    assert (is_variable, type(argument)) == (True, Variable)
    assert (second_is_variable, second) == (False, "c")
    (literal,) = parse("{{ 'a' }}").nodelist
    assert literal.filter_expression.var == "a"
    assert type(literal.filter_expression.var).__name__ == "SafeString"


def test_the_class_of_an_expression_and_a_node_list_can_be_replaced():
    """`compiler.foreign.adopt` does so: no slots may be in the way."""
    assert "__dict__" not in dir(FilterExpression)
    assert issubclass(NodeList, list)
    assert "__slots__" not in vars(NodeList)
    assert isinstance(parse("a").nodelist.__dict__, dict)


class TestConditions:
    def test_the_operators_are_those_we_write(self):
        assert set(OPERATORS) == {"or", "and", "not", *COMPARISON_OPERATORS}
        assert set(OPERATOR_NAMES) == set(OPERATORS.values())
        assert set(OPERATOR_NAMES.values()) == set(OPERATORS)

    def test_the_tree(self):
        (node,) = parse("{% if a and not b %}{% else %}{% endif %}").nodelist
        (condition, nodelist), (otherwise, other) = node.conditions_nodelists
        assert type(condition) is OPERATORS["and"]
        assert type(condition.first) is defaulttags.TemplateLiteral
        assert type(condition.first.value) is FilterExpression
        assert type(condition.second) is OPERATORS["not"]
        assert type(condition.second.first) is defaulttags.TemplateLiteral
        assert otherwise is None
        assert type(nodelist) is type(other) is NodeList


def test_a_grouped_result():
    assert defaulttags.GroupedResult._fields == ("grouper", "list")


# -- contexts --------------------------------------------------------------------------------------


def test_a_context_is_a_list_of_dicts():
    context = Context({"a": 1})
    assert context.dicts == [{"True": True, "False": False, "None": None}, {"a": 1}]
    with context.push(b=2):
        assert context.dicts[-1] == {"b": 2}
        assert context["b"] == 2
    assert type(context).__getitem__ is BaseContext.__getitem__
    assert set(vars(context)) == {
        "autoescape",
        "use_l10n",
        "use_tz",
        "template_name",
        "render_context",
        "template",
        "dicts",
    }


def test_a_request_context_runs_its_processors_when_it_is_bound():
    request = RequestFactory().get("/")
    context = RequestContext(request, {"a": 1}, processors=[lambda request: {"b": 2}])
    assert context._processors_index == 2
    assert len(context._processors) == 1
    template = parse("{{ b }}")
    with context.bind_template(template):
        assert context.dicts[context._processors_index]["b"] == 2
        assert context.template is template
    assert context.dicts[context._processors_index] == {}
    assert context.template is None
    assert RequestContext.bind_template.__module__ == RequestContext.__module__


def test_a_copied_context_keeps_what_it_carries():
    """`Context.new` is how an isolated include gets the state of its render."""
    context = Context()
    context._atemplates_state = "state"
    assert context.new({"a": 1})._atemplates_state == "state"


def test_a_render_context():
    render_context = RenderContext()
    render_context["a"] = 1
    assert render_context.template is None
    template = parse("x")
    with render_context.push_state(template):
        assert render_context.template is template
        assert len(render_context.dicts) == 2
        assert "a" not in render_context
        assert render_context.get("a") is None
    assert render_context["a"] == 1
    assert BLOCK_CONTEXT_KEY == "block_context"


def test_super_is_found_by_its_function():
    context = Context()
    node = BlockNode("b", NodeList())
    node.context = context
    assert node.super.__func__ is BlockNode.super


# -- templates -------------------------------------------------------------------------------------


def test_the_test_runner_replaces_a_methods_of_this_name():
    """`compiler.templates.body_plan` sends the signal itself when it meets this one."""
    assert instrumented_test_render.__code__.co_name == "instrumented_test_render"
    # pytest-django has put it there, as Django's own runner does.
    assert Template._render is instrumented_test_render
    assert "template_rendered.send(sender=self, template=self, context=context)" in (
        inspect.getsource(instrumented_test_render)
    )


def test_a_template():
    template = parse("text", setup=SETUPS[1])
    assert template.source == "text"
    assert type(template.nodelist) is NodeList
    assert template.origin.template_name == template.name == "main"
    assert template.engine.debug
    assert {"get_exception_info", "render", "_render"} <= set(dir(Template))


def test_what_is_noted_on_an_exception():
    def fail():
        raise ZeroDivisionError

    template = parse("a\n{{ fail }}", setup=SETUPS[1])
    with pytest.raises(ZeroDivisionError) as caught:
        template.render(Context({"fail": fail}))
    assert type(caught.value._culprit_node).__name__ == "VariableNode"
    assert set(caught.value.template_debug) == {
        "message",
        "source_lines",
        "before",
        "during",
        "after",
        "top",
        "bottom",
        "total",
        "line",
        "name",
        "start",
        "end",
    }


def test_a_node_knows_its_place():
    (node,) = parse("{{ a }}").nodelist
    assert node.token.lineno == 1
    assert node.token.contents == "a"
    assert node.token.token_type is base.TokenType.VAR
    assert node.origin.template_name == "main"
    assert base.UNKNOWN_SOURCE == "<unknown source>"


class TestTheCachedLoader:
    def test_what_it_keeps(self):
        engine = new_engine({"a": "text"})
        (loader,) = engine.template_loaders
        assert type(loader) is CachedLoader
        template = engine.get_template("a")
        assert loader.get_template_cache == {"a": template}
        assert loader.cache_key("a", None) == loader.cache_key("a") == "a"
        assert "template_loaders" in vars(engine)

    @pytest.mark.parametrize("debug", [False, True])
    def test_what_it_keeps_of_a_missing_template(self, debug):
        engine = new_engine({}, SETUPS[0]._replace(debug=debug))
        with pytest.raises(TemplateDoesNotExist):
            engine.get_template("a")
        (kept,) = engine.template_loaders[0].get_template_cache.values()
        assert kept is TemplateDoesNotExist or (debug and type(kept) is TemplateDoesNotExist)

    def test_its_key_with_templates_to_skip(self):
        (loader,) = new_engine({"a": "text"}).template_loaders
        origin = base.Origin("b", "a", loader.loaders[0])
        assert loader.cache_key("a", [origin]) != "a"


def test_the_extends_node_keeps_its_history():
    node = parse("{% extends 'a' %}", {"a": ""}).nodelist[0]
    assert node.context_key == "extends_context"


@pytest.mark.skipif(not HAS_PARTIALS, reason="Django 6.0 brought partials")
def test_partials():
    template = new_engine(
        {"a": "{% partialdef p %}x{% endpartialdef %}{% partial p %}"}
    ).get_template("a#p")
    assert type(template) is base.PartialTemplate
    assert type(template.nodelist) is NodeList
    assert template.origin.template_name == "a"
    (definition, use) = (
        new_engine({"a": "{% partialdef p %}x{% endpartialdef %}{% partial p %}"})
        .get_template("a")
        .nodelist
    )
    assert type(definition) is defaulttags.PartialDefNode
    assert type(use.partial_mapping["p"]) is base.PartialTemplate
    assert base.PartialTemplate._render is not None


async def test_the_guard_raises_before_anything_is_done(transactional_db):
    """A step of Django's own that met the guard runs in the thread: nothing may have happened."""
    queryset = Group.objects.all()
    capture = await sync_to_async(CaptureQueriesContext)(connection)
    await sync_to_async(capture.__enter__)()
    for step in (
        lambda: list(queryset),
        queryset.count,
        Group.objects.first,
        lambda: Group.objects.create(name="x"),
    ):
        with pytest.raises(SynchronousOnlyOperation):
            step()
    await sync_to_async(capture.__exit__)(None, None, None)
    assert capture.captured_queries == []
    assert await Group.objects.acount() == 0


def test_what_a_queryset_loads_is_where_we_look_for_it():
    """`atemplates.relations.querysets` reads these names, for which Django has no public ones."""
    from django.db.models import Prefetch
    from django.db.models.query import ModelIterable, ValuesIterable

    rows = Group.objects.prefetch_related(Prefetch("permissions", to_attr="some"))
    (lookup,) = vars(rows)["_prefetch_related_lookups"]
    assert (lookup.prefetch_to, lookup.prefetch_through) == ("some", "permissions")
    assert (lookup.to_attr, lookup.queryset) == ("some", None)
    assert vars(rows)["_iterable_class"] is ModelIterable
    assert vars(rows.values("name"))["_iterable_class"] is ValuesIterable
    assert not issubclass(ValuesIterable, ModelIterable)
    assert rows.query.get_select_mask() == {}
    columns = {field: {} for field in Group._meta.concrete_fields}
    assert rows.only("name").query.get_select_mask() == columns


# -- asgiref ---------------------------------------------------------------------------------------


def test_where_asgiref_keeps_what_a_cancelled_call_leaves_behind():
    """`atemplates.runtime.hops` reads and sets these names, for which asgiref has no public ones."""
    seen = []

    def note():
        seen.append(getattr(AsyncToSync.executors, "current", None))
        seen.append(SyncToAsync.deadlock_context.get(False))

    async def back_on_the_loop():
        note()

    def in_the_thread():
        note()
        async_to_sync(back_on_the_loop)()
        note()

    async def main():
        note()
        await sync_to_async(in_the_thread)()
        note()

    asyncio.run(main())
    outside, in_thread, back, in_thread_again, outside_again = zip(
        seen[::2], seen[1::2], strict=True
    )
    assert outside == outside_again == (None, False)
    assert in_thread == in_thread_again == (None, True)
    assert hasattr(back[0], "run_until_future")


def test_asgiref_sets_the_variables_of_another_context():
    from asgiref.sync import _restore_context

    variable = contextvars.ContextVar("variable", default="before")
    context = contextvars.copy_context()
    context.run(variable.set, "after")
    contextvars.copy_context().run(_restore_context, context)
    assert variable.get() == "before"
    here = contextvars.copy_context()
    here.run(_restore_context, context)
    assert here[variable] == "after"
