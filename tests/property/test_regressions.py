"""What the generated examples have found, each as a plain example."""

import pytest

from .keeping import HIDERS, KEPT
from .routes import Case, outcomes
from .test_differential import disagreement

pytestmark = pytest.mark.usefixtures("urls")


@pytest.fixture
def agree(loop):
    """Return a function: a case, or a template and a context -> stock's outcome; all agree."""

    def agree(case, context="{}", **options):
        if isinstance(case, str):
            case = Case({"main.html": case}, context, **options)
        found = outcomes(case, loop)
        assert disagreement(found, updates=True) is None
        return found["stock"]

    return agree


@pytest.mark.parametrize("source", ["n", "1", "flag", "1.5"])
def test_a_number_cannot_be_looped_over(agree, source):
    text = f"{{% for x in {source} %}}{{{{ x }}}}{{% endfor %}}"
    assert "object is not iterable" in agree(text, "{'n': 3, 'flag': True}").error


def test_a_loop_takes_the_length_that_an_object_says_it_has(agree):
    text = "{% for x in a %}{{ x }}{{ forloop.revcounter }}{{ forloop.last }} {% endfor %}"
    assert agree(text, "{'a': Liar(1, 2)}").output == "13False 22False "


def test_a_loop_backwards_takes_only_what_can_be_reversed(agree):
    text = "{% for x in a reversed %}{{ x }}{% endfor %}"
    assert "not reversible" in agree(text, "{'a': Bag(1, 2)}").error
    assert agree(text, "{'a': Sequence(1, 2)}").output == "21"
    assert agree(text, "{'a': gen(1, 2)}").output == "21"


def test_a_loop_that_fails_on_the_way_fails_where_stock_does(agree):
    text = "{% for x in a %}{{ x.absent }}{% endfor %}"
    found = agree(text, "{'a': Stream(1, 2, then='RuntimeError')}", logs=True, debug=True)
    assert "RuntimeError" in found.error


def test_a_dict_that_grows_in_the_loop_over_its_items_ends_the_loop(agree):
    text = "{% for k in keys %}{{ a.new }}{% endfor %}"
    context = "(lambda a: {'a': a, 'keys': a.keys()})(defaultdict(list, {'ab': 1}))"
    assert "changed size during iteration" in agree(text, context).error


def test_what_a_row_of_several_variables_sets_ends_with_the_row(agree):
    text = "{% for a, b in pairs %}[{{ v }}]{% firstof a as v %}{% names %}{% endfor %}"
    context = "{'pairs': [(1, 2), (3, 4)]}"
    assert agree(text, context).output.startswith("[]pairs; forloop; a,b,v[]")


def test_what_a_row_of_one_variable_sets_stays_for_the_next_row(agree):
    text = "{% for a in many %}[{{ v }}]{% firstof a as v %}{% endfor %}"
    assert agree(text, "{'many': [1, 2]}").output == "[][1]"


@pytest.mark.parametrize("names", ["forloop", "forloop, z"])
def test_a_loop_variable_may_be_called_forloop(agree, names):
    text = (
        f"{{% for {names} in pairs %}}{{{{ forloop }}}}{{% ifchanged %}}x{{% endifchanged %}}"
        "{% for y in many %}{{ forloop.parentloop }}{{ forloop.counter }}{% endfor %}{% endfor %}"
    )
    context = "{'pairs': [({}, 2), ({}, 4)], 'many': 'ab'}"
    agree(text, context)
    agree(text, "{'pairs': [{}, {}], 'many': 'ab'}")
    agree(text.replace("{% ifchanged %}x{% endifchanged %}", ""), context)


def test_ifchanged_renders_once_more_what_has_changed_to_nothing(agree):
    text = "{% for x in many %}{% ifchanged %}{{ absent }}{% cycle '' 'a' %}{% endifchanged %}"
    found = agree(text + "{% endfor %}", "{'many': 'abc'}", logs=True)
    assert found.output == "aa"
    assert len(found.records) == 4


def test_ifchanged_keeps_what_it_saw_in_the_dict_of_the_loop(agree):
    text = "{% for x in 'ab' %}{% ifchanged x %}.{% endifchanged %}{{ forloop|length }}{% endfor %}"
    agree(text)


def test_ifchanged_compares_with_what_needs_the_database(agree):
    text = "{% for x in many %}{% ifchanged x %}{{ x }}{% endifchanged %}{% endfor %}"
    assert agree(text, "{'many': [Guarded(1), Guarded(1), 1, 2]}").output


def test_include_of_no_name_at_all(agree):
    assert "No template names provided" in agree("{% include a %}").error


def test_include_finds_its_template_before_it_resolves_its_variables(agree):
    text = "{% include 'absent.html' with x=y.z %}"
    found = agree(text, logs=True)
    assert "TemplateDoesNotExist" in found.error
    assert found.records == []


@pytest.mark.parametrize("tag", ["include", "extends"])
def test_a_template_name_whose_truth_needs_the_database(agree, tag):
    agree(f"{{% {tag} a %}}", "{'a': Guarded('main.html')}")


def test_firstof_gives_its_variable_a_safe_string(agree):
    found = agree("{% firstof a as x %}{{ x }}", "{'a': '<b>'}")
    assert found.output == "&lt;b&gt;"
    text = "{% autoescape off %}{% firstof a as x %}{% endautoescape %}{{ x }}"
    assert agree(text, "{'a': '<'}").output == "&lt;"


@pytest.mark.parametrize("tag", ["translate", "translate x|add:1 as y"])
def test_translate_leaves_string_if_invalid_alone(agree, tag):
    text = "{% translate a|add:1 %}{% translate a as y %}{{ y }}{% translate a %}"
    assert agree(text, string_if_invalid="Yes", language="de").output == "YesYesYes"


def test_translate_takes_a_lazy_translation(agree):
    assert agree('{% translate _("Yes") %}', language="de").output == "Ja"
    assert agree('{% translate _("Yes") noop %}', language="de").output == "Ja"


def test_blocktranslate_resolves_its_context_first_and_its_counter_last(agree):
    text = (
        "{% blocktranslate with x=b count n=x context c %}{{ n }}{% plural %}{{ n }}s"
        "{% endblocktranslate %}"
    )
    found = agree(text, "{'b': 2, 'x': 1, 'c': missing}".replace("missing", "Thing()"), logs=True)
    assert found.output == "2s"


def test_cache_complains_of_its_timeout_before_it_looks_further(agree):
    found = agree("{% cache n part a %}x{% endcache %}", logs=True)
    assert len(found.records) == 1


def test_regroup_goes_by_identity_first(agree):
    text = (
        "{% regroup many by a as groups %}"
        "{% for g in groups %}{{ g.grouper }}:{{ g.list|length }} {% endfor %}"
    )
    context = "(lambda nan: {'many': [Thing(a=nan), Thing(a=nan), Thing(a=1)]})(float('nan'))"
    assert agree(text, context).output == "nan:2 1:1 "
    agree(text, "{'many': Liar(Thing(a=1))}")
    agree(text, "{'many': [Thing(a=Odd('eq', 'ValueError')), Thing(a=1)]}")
    agree(text, "{'many': [Thing(a=Guarded(1)), Thing(a=1)]}")


@pytest.mark.parametrize(
    "value",
    [
        "later(Calling('once'))",
        "later(later('once'))",
        "promise(Calling(Calling('once')))",
        "lazy_object(later(Calling('once')))",
        "Thing(a=later(Calling('once')))",
        "GuardedAttributes(Calling(Calling('once')))",
        "GuardedAttributes(later(Calling('once')))",
    ],
)
def test_what_a_call_gives_is_not_called_again(agree, value):
    agree("{{ v }}{{ v.a }}{{ v.method }}", f"{{'v': {value}}}", asynchronous=True)
    agree("{% for x in '12' %}{{ v }}{{ v.a }}{{ v.method }}{% endfor %}", f"{{'v': {value}}}")


def test_a_tag_that_leaves_a_dict_in_the_context(agree):
    tag = "{% update 1 name='y' %}"
    for text in (
        f"{{% with x=2 %}}{tag}{{{{ y }}}}{{% endwith %}}{{{{ x }}}}{{{{ y }}}}",
        f"{{% for x in '12' %}}{tag}{{{{ y }}}}{{% endfor %}}{{{{ x }}}}{{{{ y }}}}",
        f"{{% for x, z in pairs %}}{tag}{{{{ y }}}}{{% endfor %}}{{{{ x }}}}{{{{ y }}}}",
        f"{{% block one %}}{tag}{{{{ y }}}}{{% endblock %}}{{{{ block.name }}}}{{{{ y }}}}",
    ):
        assert agree(text, "{'pairs': ['ab', 'cd']}").output
    templates = {"main.html": "{% include 'inc.html' with x=2 %}{{ x }}{{ y }}", "inc.html": tag}
    assert agree(Case(templates, "{}")).output == "2"


def test_an_exception_whose_text_needs_the_database(agree):
    context = "{'a': GuardedAttributes('absent.html')}"
    found = agree("{% extends a %}", context, debug=True)
    assert found.debug["message"] == "<absent.html>"


def test_a_cached_loader_asks_less_of_a_name_that_it_knows_to_be_missing(agree):
    case = Case({"main.html": "{% extends a %}"}, "{'a': Spy('p', 1)}", cached=True)
    found = agree(case)
    assert "TemplateDoesNotExist" in found.error
    assert found.journal == ["p: bool()", "p: ==", "p: str()", "p: =="]


@pytest.mark.parametrize(
    "argument", ["t|center:t", "t.value_error", "t.type_error", "t|add:t.missing_inside", "t|add:x"]
)
def test_a_tag_that_catches_what_its_arguments_raise(agree, argument):
    context = "{'t': Thing(), 's': Spy('s', 1)}"
    for arguments in (f"{argument} s.a 3", f"s.a {argument} s.a", f"1 2 {argument}"):
        agree(f"[{{% widthratio {arguments} %}}]", context)
    agree(f"{{% lorem {argument} w %}}", context)


def test_an_argument_that_cannot_be_resolved_ends_the_resolving(agree):
    found = agree("{% widthratio x|add:y s.a 1 %}", "{'x': 1, 's': Spy('s', 1)}")
    assert found.output == ""
    assert found.journal == []


def test_the_rows_of_an_object_are_all_read_before_the_loop(agree):
    found = agree("{% for x in a %}{{ a }}{% endfor %}", "{'a': Spy('p')}")
    assert found.journal == ["p: len()", "p: row 0", "p: str()", "p: row 1", "p: str()"]


@pytest.mark.parametrize("name", ["lazy('inc.html')", "Text('inc.html')", "LoudText('inc.html')"])
def test_a_template_name_that_is_no_plain_string(agree, name):
    templates = {
        "main.html": "{% extends a %}",
        "outer.html": "{% include a %}",
        "inc.html": "{% for x in 'ab' %}{{ x.y }}{{ x }}{% endfor %}",
    }
    assert agree(Case(templates, f"{{'a': {name}}}")).output == "ab"
    templates["main.html"] = templates.pop("outer.html")
    agree(Case(templates, f"{{'a': {name}}}", debug=True, logs=True))


@pytest.mark.parametrize("tag", ["looked", "later_looked", "context_card", "later_context_card"])
def test_a_tag_finds_results_in_the_context(agree, tag):
    case = Case(
        {
            "main.html": f"{{% {tag} 'y' %}}{{% for x in 'ab' %}}{{% {tag} 'y' %}}{{% endfor %}}",
            "card.html": "{{ outer }}",
        },
        "{'y': promise('plain')}",
        asynchronous=True,
    )
    assert agree(case).output == "plain" * 3


def test_date_asks_no_truth_of_a_format_that_is_no_text(agree):
    found = agree("{{ a|date:a }}{{ when|date:a }}", "{'a': Spy('p'), 'when': date(2024, 2, 29)}")
    assert found.journal


ODD_RESULT = "{% filter make_list %}{% endfilter %}"


@pytest.mark.parametrize(
    "around",
    [
        "{% if 1 %}ODD{% endif %}",
        "{% if 0 %}{% elif 1 %}x{% if 1 %}ODD{% endif %}{% else %}{% endif %}",
        "{% with x=1 %}ODD{{ s.a }}{% endwith %}",
        "{% for x in 'ab' %}ODD{{ s.a }}{% endfor %}",
        "{% for x in '' %}{% empty %}ODD{% endfor %}",
        "{% for x, y in pairs %}{% firstof x as z %}{% if 1 %}{{ s.a }}{% endif %}ODD{% endfor %}",
        "{% autoescape off %}ODD{% endautoescape %}",
        "{% autoescape off %}{% looked 'n' %}{{ s.a }}{% endautoescape %}",
        "{% language 'de' %}ODD{% endlanguage %}",
        "{% timezone 'UTC' %}ODD{% endtimezone %}",
        "{% block one %}{% if 1 %}ODD{% endif %}{% endblock %}",
        "{% block one %}ODD{% endblock %}",
        "{% spaceless %}ODD{% endspaceless %}",
        "{% upper %}{% localize on %}ODD{% endlocalize %}{% endupper %}",
        "{% own_for x in 'ab' %}ODD{% endown_for %}",
        "{% ifchanged n %}ODD{% endifchanged %}",
        "{% include 'inc.html' %}",
        "{% if 1 %}{% include a %}{{ s.a }}{% endif %}",
        "{% if 1 %}{% include tpl %}{{ s.a }}{% endif %}",
        "ODD",
    ],
)
def test_a_result_that_is_no_string_fails_where_stock_joins_it(agree, around):
    text = around.replace("ODD", ODD_RESULT)
    templates = {"main.html": f"{{{{ n }}}}\n{text}{{{{ s.b }}}}", "inc.html": ODD_RESULT}
    context = "{'n': 1, 's': Spy('s'), 'pairs': ['ab', 'cd'], 'a': Renderer(), 'tpl': fresh(render=lambda self, context: 3)}"
    assert agree(Case(templates, context, debug=True, logs=True)).debug is not None


@pytest.mark.parametrize("invalid", ["", "INVALID", "<no %s>"])
def test_translate_of_a_value_whose_text_does_not_exist(agree, invalid):
    text = "[{% translate d %}{% translate d|upper %}{% translate d.d as x %}{{ x }}]"
    case = {"string_if_invalid": invalid, "debug": True, "logs": True}
    assert agree(text, "{'d': Falling(name='Missing')}", **case).output
    assert agree(text, "{'d': {'d': Falling(name='Missing')}}", **case).error


REACHING = "{% upper %}{% cycle 1 2 as y %}{% endupper %}"


@pytest.mark.parametrize(
    "around",
    [
        "{% with z=1 %}REACHING{% endwith %}{{ y }}",
        "{% with z=1 %}REACHING{{ y }}{% endwith %}",
        "{% for x in '' %}{% empty %}REACHING{% endfor %}{{ y }}",
        "{% for x in 'ab' %}REACHING{{ y }}{% endfor %}{{ y }}",
        "{% for x in 'ab' %}{% with z=1 %}{% with z=2 %}REACHING{% endwith %}{{ y }}{% endwith %}"
        "{% endfor %}{{ y }}",
        "{% with z=1 %}{% own_for x in 'ab' %}{% cycle 1 2 as y %}{% endown_for %}{% endwith %}"
        "{{ y }}",
        "{% with z=1 %}{% boxed 1 %}{% cycle 1 2 as y %}{% endboxed %}{% endwith %}{{ y }}",
        "{% with z=1 %}{% later_upper %}{% cycle 1 2 as y %}{% endlater_upper %}{% endwith %}"
        "{{ y }}",
        "{% with z=1 %}{% nested 'inc.html' %}{% endwith %}{{ y }}",
        "{% with z=1 %}{% include 'inc.html' %}{% firstof 5 as y %}{% endwith %}{{ y }}",
        "{% with z=1 %}{% set_variable y 5 %}REACHING{% endwith %}{{ y }}",
        "{% for i, z in pairs %}{% include 'inc.html' %}{% firstof 5 as y %}{% endfor %}{{ y }}",
    ],
)
def test_a_name_that_is_set_inside_a_foreign_node_wherever_it_stands(agree, around):
    text = around.replace("REACHING", REACHING)
    inc = "{% cycle 1 2 as y %}"
    for main in (
        f"{{% with y='' %}}{text}{{% endwith %}}{{{{ y }}}}",
        f"{{% for y in 'cd' %}}{text}{{{{ y }}}}{{% endfor %}}",
        f"{{% with y='' %}}{{{{ y }}}}{{% for k in 'cd' %}}{text}{{% endfor %}}{{% endwith %}}",
        f"{{{{ y }}}}{{% for k in 'cd' %}}{{{{ y }}}}{text}{{% endfor %}}{{{{ y }}}}",
    ):
        templates, context = {"main.html": main, "inc.html": inc}, "{'y': 'q', 'pairs': [(1, 2)]}"
        assert agree(Case(templates, context)).output
        agree(Case(templates, context, asynchronous=True))


@pytest.mark.parametrize("timeout", ["60", "None", "d"])
def test_what_a_fragment_varies_on_may_need_the_database(agree, timeout):
    text = f"{{% cache {timeout} part d flag %}}{{{{ d }}}}{{% endcache %}}"
    agree(f"{text}{text}", "{'d': Guarded(Html('a & b')), 'flag': True}")


@pytest.mark.parametrize(
    "inside",
    [
        "{% later_joined y %}",
        "{{ y|later_shout }}{% later_card y %}",
        "{% later_boxed %}{{ y }}{{ forloop.counter }}{% endlater_boxed %}",
        "{% cycle 'a' 'b' %}{% ifchanged %}{{ y }}{% endifchanged %}{% set_variable z y %}",
        "{% own_for z in 'ab' %}{{ z }}{{ forloop.parentloop.counter }}{% later_joined z %}"
        "{% endown_for %}",
        "{% include 'inc.html' %}",
        "{{ obj.broken }}",
        "{% include 'absent.html' %}",
        "{{ forloop.parentloop }}{% names %}",
        "",
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_a_loop_of_a_class_that_derives_from_djangos(agree, inside, debug):
    main = f"{{% own_for y in 'xy' %}}{inside}{{% endown_for %}}{{{{ z }}}}"
    for text in (main, f"{{% for x in 'ab' %}}{main}{{% endfor %}}"):
        templates = {"main.html": text, "inc.html": "({% later_joined y %})"}
        for asynchronous in (False, True):
            agree(
                Case(templates, "{'obj': Thing()}", asynchronous=asynchronous, debug=debug),
            )


def test_a_reversed_loop_asks_no_further_for_the_length(agree):
    found = agree("{% for a in a reversed %}{% endfor %}", "{'a': Spy('r', Falling(name='Other'))}")
    assert found.journal == ["r: len()", "r: len()", "r: [1]", "r: [0]"]


def test_a_coroutine_function_takes_what_needs_the_database_to_a_thread(agree):
    base = "{% later_boxed block b k=3.5 %}{% endlater_boxed %}{% later_joined block %}"
    templates = {"base0.html": base, "main.html": '{% extends "base0.html" %}'}
    agree(Case(templates, "{'block': GuardedAttributes('>x')}", asynchronous=True))


@pytest.mark.parametrize("text", ["a", "ü\\x17×", "a b"])
def test_an_address_asks_an_argument_for_its_text_as_often_as_stock(agree, text):
    agree("{% url 'property-item' d %}", f"{{'d': promise(Spy('p', '{text}'))}}")
    agree("{% url 'property-item' d %}", f"{{'d': Spy('p', '{text}')}}")


def test_a_reversed_loop_may_read_its_rows_before_the_first_is_rendered(agree):
    agree("{% for x in a reversed %}{{ a }}{{ a.0 }}{% endfor %}{{ a.1 }}", "{'a': Spy('p', 'v')}")


KEEPING = (
    "{{ keep.prop }}|{{ keep.method }}|{{ keep }}|{{ keep.by_getattr }}|{% if keep %}y{% endif %}"
)


@pytest.mark.usefixtures("a_group")
@pytest.mark.parametrize("state", sorted(KEPT))
@pytest.mark.parametrize("hide", sorted(HIDERS))
def test_objects_that_keep_state_and_hide_that_they_were_refused(agree, state, hide):
    keep, other = f"kept({state!r}, 's', {hide!r})", f"kept({state!r}, 'h', {hide!r})"
    context = f"{{'keep': {keep}, 'many': [{other}]}}"
    text = (
        KEEPING + "{% for x in keep %}{{ x }}{% endfor %}{% for x in many %}{{ x|answered }}{{ x }}"
        "{% endfor %}{% answer keep as y %}{{ y }}{% answer_in 'keep' %}{% answer_node keep %}"
        "{% asking '" + hide + "' %}{{ keep.key }}"
    )
    assert "hidden" not in agree(text, context).output


@pytest.mark.usefixtures("a_group")
def test_an_async_def_of_a_site_sees_to_the_database_by_itself(agree):
    context = "{'keep': kept('Appending', 'o', 'by_bare_except')}"
    agree("{% later_joined keep %}{{ keep|later_shout }}", context, asynchronous=True)


@pytest.mark.usefixtures("a_group")
@pytest.mark.parametrize("value", ["{}", "[{}, {}]", "[{}]", "[[{}]]", "{{'a': {}}}"])
@pytest.mark.parametrize("given", ["x=v", "v", "v x=v"])
def test_a_simple_tag_of_djangos_may_run_what_its_arguments_hold(agree, value, given):
    keep = "kept('Appending', 'o', 'by_bare_except')"
    context = f"{{'v': {value.format(keep, keep)}}}"
    agree(f"{{% querystring {given} %}}", context, request=True)
