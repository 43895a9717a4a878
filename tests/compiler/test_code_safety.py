"""A template's text, names and literals never become code."""

import ast
import keyword

import pytest
from django.template import Context, TemplateSyntaxError
from hypothesis import given
from hypothesis import strategies as st

from atemplates.compiler.module import Module
from atemplates.compiler.writer import is_attribute_name
from atemplates.engines.django import render_template
from tests.rendering import parse

NASTY = [
    "'",
    '"',
    "'''",
    '"""',
    "\\",
    "\\'",
    '\\"',
    "\\n",
    "\\x41",
    "\\N{BULLET}",
    "\\u0041",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\0",
    "\x1b",
    "{",
    "}",
    "{x}",
    "{{",
    "{0}",
    "{!r}",
    "%s",
    "%(x)s",
    "$x",
    "#",
    "`",
    "f'{1}'",
    "');raise SystemExit#",
    '");raise SystemExit#',
    "\\');raise SystemExit#",
    "\u2028",
    "\u2029",
    "\x85",
    "\x0c",
    "\xa0",
    "\u202e",
    "\U0001f600",
    "\ud800",
    "\udfff",
    "é",
    "e\u0301",
    "ﬁ",
    "\ufeff",
    "__import__('os')",
    "\N{FULLWIDTH LATIN CAPITAL LETTER A}",
    "x" * 10_000,
]


def contents(text):
    """The text, where it may stand in a template without becoming a tag of it."""
    return text.replace("{{", "").replace("{%", "").replace("{#", "")


@pytest.mark.parametrize("nasty", NASTY, ids=ascii)
class TestNastyText:
    def test_between_tags(self, render, nasty):
        nasty = contents(nasty)
        assert render(nasty) == nasty
        assert render(f"{nasty} {{{{ x }}}}{nasty}", {"x": 1}) == f"{nasty} 1{nasty}"
        assert render(f"{{% for x in 'ab' %}}{nasty}{{% endfor %}}") == nasty * 2

    def test_as_a_value(self, render, nasty):
        assert render(
            "{{ x }}{% for y in 'a' %}{{ x }}{% endfor %}", {"x": nasty}, autoescape=False
        ) == (nasty * 2)

    def test_as_a_literal(self, render, nasty):
        if any(
            part in nasty for part in ("\n", "\r", "\x85", "}}", "%}", "\x0c", "\u2028", "\u2029")
        ):
            nasty = nasty.encode("unicode_escape").decode()
        for quote in "'\"":
            if "}}" in nasty or "%}" in nasty:
                return
            literal = quote + nasty.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote
            expected = nasty
            source = (
                f"{{{{ {literal} }}}}{{% firstof {literal} %}}"
                f"{{% with x={literal} %}}{{{{ x }}}}{{% endwith %}}"
            )
            outcome = render.outcome(source)
            # Stock does not take every text for a literal; where it does, so do we.
            if outcome.error is None and "%" not in nasty:
                assert outcome.output == expected * 3

    def test_as_a_filters_argument(self, render, nasty):
        assert render("{{ x|cut:y }}", {"x": f"a{nasty}b", "y": nasty}, autoescape=False) == "ab"

    def test_as_a_key(self, render, nasty):
        source = "{% for k, v in d.items %}{{ k }}{{ v }}{% endfor %}"
        assert render(source, {"d": {nasty: 1}}, autoescape=False) == f"{nasty}1"

    def test_as_a_templates_name(self, render, nasty):
        # What follows a # is a partial's name.
        nasty = nasty.replace("#", "x")
        assert render("{% include name %}", {"name": nasty}, templates={nasty: "x{{ y }}"}) == "x"

    def test_in_a_comment_and_in_verbatim(self, render, nasty):
        nasty = contents(nasty)
        assert render(f"{{% comment %}}{nasty}{{% endcomment %}}") == ""
        assert render(f"{{% verbatim %}}{nasty}{{% endverbatim %}}") == nasty

    def test_in_a_translation(self, render, nasty):
        nasty = contents(nasty).replace("%", "%%")
        source = (
            f"{{% load i18n %}}{{% blocktranslate %}}a{nasty} {{{{ x }}}}{{% endblocktranslate %}}"
        )
        outcome = render.outcome(source, {"x": 1})
        assert outcome.error is not None or outcome.output.endswith("1")


@pytest.mark.parametrize(
    "source",
    [
        "{{ \"'''\" }}",
        '{{ \'"""\' }}',
        "{{ '\\\\' }}",
        "{{ '\\\\\\\\' }}",
        "{{ '{x}' }}{{ '{{' }}",
        "{{ '\\'' }}",
        "{% cycle \"'''\" '\"' %}",
        "{% filter cut:\"'''\" %}a'''b{% endfilter %}",
        "{% if \"'\" == '\"' %}{% elif '\\\\' %}x{% endif %}",
        "'''{{ x }}\"\"\"{% if 1 %}\\{% endif %}",
        "{% block b-l.o'ck %}{{ block.name }}{% endblock %}",
        "{% with x='{0}' %}{x}{{ x }}{% endwith %}",
    ],
)
def test_quotes_and_braces(render, source):
    assert render.outcome(source, {"x": "x"}).error is None


@pytest.mark.parametrize(
    "name",
    [
        *keyword.kwlist,
        *keyword.softkwlist,
        "print",
        "self",
        "dicts",
        "write",
        "state",
        "context",
        "out",
        "scan",
        "plain",
        "Wait",
        "Pending",
        "error",
        "k0",
        "v_1",
        "item_1",
        "index_1",
        "inert",
        "find",
        "places_plan",
        "plan",
    ],
)
def test_names_of_python_and_of_the_generated_code(render, name):
    """As variables, attributes, keys, loop variables, with names and targets."""
    if name.startswith("_"):
        pytest.skip("no variable in Django")

    class Obj:
        pass

    obj = Obj()
    setattr(obj, name, "attribute")
    context = {name: "value", "d": {name: "key"}, "o": obj, "rows": [obj]}
    source = (
        f"{{{{ d.{name} }}}}{{{{ o.{name} }}}}"
        f"{{% for r in rows %}}{{{{ r.{name} }}}}{{{{ r.{name}.x }}}}{{% endfor %}}"
        f"{{% for {name} in 'ab' %}}{{{{ {name} }}}}{{% endfor %}}"
        f"{{% firstof 'set' as {name} %}}{{{{ {name} }}}}"
    )
    if name not in ("not", "in", "is", "and", "or", "if"):
        assert render(source, context) == "keyattributeattributeabset"
        if name not in ("True", "False", "None"):
            assert render(f"{{{{ {name} }}}}", context) == "value"


@pytest.mark.parametrize("name", ["ﬁ", "ℌ", "K", "e\u0301", "é", "ſ", "µ", "ª", "x\u00b7", "名"])
def test_identifiers_that_python_would_change(render, name):
    """Python normalises identifiers (NFKC); a template's names are looked up as they are."""

    class Obj:
        pass

    obj = Obj()
    obj.__dict__[name] = "exact"
    source = f"{{% for r in rows %}}{{{{ r.{name} }}}},{{% endfor %}}{{{{ d.{name} }}}}"
    outcome = render.outcome(source, {"rows": [obj, {name: "key"}], "d": {name: "key"}})
    assert outcome.error is not None or outcome.output == "exact,key,key"


@pytest.mark.parametrize(
    "source",
    [
        "{{ x.__class__ }}",
        "{{ _x }}",
        "{{ x._y }}",
        "{{ __import__ }}",
        "{% if x.__class__ %}{% endif %}",
        "{% for _x in y %}{{ _x }}{% endfor %}",
        "{% with _x=1 %}{{ _x }}{% endwith %}",
        "{{ x|cut:y._z }}",
    ],
)
def test_private_names_are_refused_by_the_parser(render, source):
    with pytest.raises(TemplateSyntaxError, match="may not begin with underscores"):
        render(source)


@pytest.mark.parametrize("bit", ["a", "abc_1", "A9"])
def test_what_may_stand_behind_a_dot(bit):
    assert is_attribute_name(bit)
    ast.parse(f"x.{bit}")


@pytest.mark.parametrize(
    "bit",
    [
        "",
        "1",
        "a-b",
        "a b",
        "_a",
        "__class__",
        "é",
        "ﬁ",
        "a\n",
        "if",
        "None",
        "True",
        "async",
        "await",
        "yield",
        "a.b",
        "a()",
        "a;b",
        "a\0",
        "\ud800",
    ],
)
def test_what_may_not(bit):
    assert not is_attribute_name(bit)


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_at_all(text):
    text = contents(text)
    assert render_template(parse(text), Context()) == text
    source = text + "{{ x }}" + text
    if "{" not in text:
        assert render_template(parse(source), Context({"x": ""})) == text + text


def constants_of(source):
    """Every constant and every name in the generated code of a template."""
    module = Module(parse(source).nodelist, None, "")
    tree = ast.parse(module.source())
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return constants, names, attributes


def test_only_text_and_plain_attributes_are_in_the_source():
    """Names, literals, arguments and keys are constants that the source refers to by our names."""
    constants, names, attributes = constants_of(
        "text-here{{ variable_name.first_bit }}{{ 'literal-text' }}{{ a|cut:'argument-text' }}"
        "{% for loop_name in source_name %}{{ loop_name.plain_bit.keyword }}{{ loop_name.if }}"
        "{{ loop_name.with_é }}{% endfor %}{% with with_name='with-text' %}"
        "{{ with_name }}{% endwith %}"
        "{% cycle 'cycle-text' b as cycle_name %}{% include 'include-name' with include_arg=1 %}"
        "{% block block_name %}{% endblock %}{% if 'condition-text' == c %}{% endif %}"
        "{% firstof d as target_name %}"
    )
    texts = {constant for constant in constants if isinstance(constant, str)}
    assert any("text-here" in text for text in texts)
    for hidden in (
        "variable_name",
        "first_bit",
        "argument-text",
        "loop_name",
        "source_name",
        "with_name",
        "with-text",
        "cycle-text",
        "cycle_name",
        "include-name",
        "include_arg",
        "block_name",
        "condition-text",
        "target_name",
        "with_é",
    ):
        assert not any(hidden in text for text in texts), hidden
        assert not any(hidden in name for name in names | attributes), hidden
    assert "plain_bit" in attributes
    assert "if" not in attributes
