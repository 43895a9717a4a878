"""What generated source refers to: its own constants, and the names of one table."""

import builtins
import symtable
from collections import defaultdict

import pytest
from django.template import TemplateSyntaxError
from django.template.base import Node
from hypothesis import given, settings

from atemplates.compiler import nodes
from atemplates.compiler.explain import node_lists
from atemplates.compiler.module import Module
from atemplates.compiler.nodes import NODES, NodeWriting, TagFamily, use_families
from atemplates.compiler.runtime_names import RUNTIME
from atemplates.tags import FAMILIES
from tests.property.routes import Kitchen
from tests.property.templates import template_sets
from tests.rendering import parse
from tests.test_upstream import ATTRIBUTES, HAS_PARTIALS


def global_names(table):
    """The global names that a source refers to, those that it defines by itself included."""
    names = {each.get_name() for each in table.get_symbols() if each.is_global()}
    return names.union(*map(global_names, table.get_children()))


def free_names(template):
    """The names in a template's plans that are neither defined there nor Python's."""
    found = set()
    for title, nodelist in node_lists(template):
        module = Module(nodelist, template, title)
        names = global_names(symtable.symtable(module.source(), "generated", "exec"))
        own = {name for name, _, _ in module.functions}
        own |= {f"places_{name}" for name in own}
        found |= names - own - module.constants.values.keys() - vars(builtins).keys()
    return found


SOURCES = [source for name, (source, _) in ATTRIBUTES.items() if HAS_PARTIALS or "arti" not in name]


@pytest.mark.parametrize("source", SOURCES)
def test_each_tag_refers_to_names_of_the_table(source):
    template = parse(source, libraries={"lib": "tests.tags.library_tags"})
    assert free_names(template) <= RUNTIME.keys()


@given(templates=template_sets())
@settings(max_examples=60, deadline=None)
def test_templates_refer_to_names_of_the_table(templates):
    kitchen = Kitchen(False, cached=False)
    kitchen.serve(templates)
    for name in templates:
        try:
            template = kitchen.engine.get_template(name)
        except TemplateSyntaxError:  # some are not valid on purpose
            continue
        assert free_names(template) <= RUNTIME.keys()


def test_a_name_has_one_meaning_in_all_families():
    meanings = defaultdict(list)
    for family in FAMILIES:
        for name, value in family.names.items():
            meanings[name].append(value)
    for name, values in meanings.items():
        assert all(value is RUNTIME[name] for value in values), name


def test_the_names_of_the_table_are_no_names_that_the_writer_makes():
    """Constants, temporaries and locals end in a number."""
    assert not [name for name in RUNTIME if name[-1].isdigit()]


def test_no_type_of_node_is_in_two_families():
    kinds = [kind for family in FAMILIES for kind in family.nodes]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) == NODES.keys()


@pytest.mark.parametrize(
    "family",
    [
        TagFamily(nodes={}, names={"compare": min}),
        TagFamily(nodes={Node: NodeWriting(lambda w, node: None, lambda node: None)}, names={}),
    ],
)
def test_a_family_that_says_something_else_is_refused(monkeypatch, family):
    monkeypatch.setattr(nodes, "NODES", dict(NODES))
    monkeypatch.setattr(nodes, "RUNTIME", dict(RUNTIME))
    use_families(FAMILIES)  # once more: it says the same
    with pytest.raises(ValueError, match="stands for"):
        use_families([family])
