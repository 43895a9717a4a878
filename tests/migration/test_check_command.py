"""``manage.py atemplates check``: what does not compile, and what differs on the event loop."""

import json
import re
from contextlib import suppress
from inspect import getsourcelines
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings
from jinja2 import Environment

from atemplates.management.check_text import marked
from atemplates.placement import records
from atemplates.problems import PROBLEM_RULES
from tests.testapp.models import Animal

from . import some_tags
from .test_sarif import valid


def processor(request):
    """A context processor that may query."""
    return {}


async def awaited(request):
    return {}


def careless(value):
    """A filter that catches everything."""
    try:
        return value.home.name
    except Exception:
        return "unknown"


def careful(value):
    try:
        return value.home.name
    except AttributeError:
        return "unknown"


def logging(value):
    try:
        return value.home.name
    except Exception:
        print("failed")
        raise


def in_a_tuple(value):
    try:
        return value.home.name
    except (KeyError, BaseException):
        return "unknown"


def suppressed(value):
    with suppress(Exception):
        return value.home.name


def bare(value):
    try:
        return value.home.name
    except:  # noqa: E722
        return "unknown"


def environment(**options):
    made = Environment(**options)
    made.filters.update(careless=careless, careful=careful)
    made.tests["suppressed"] = suppressed
    made.globals["bare"] = bare
    return made


def entries(django=None, jinja2=None, **options):
    """TEMPLATES with the templates of both engines."""
    from jinja2 import DictLoader

    found = []
    if django is not None:
        found.append(
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [("django.template.loaders.locmem.Loader", django)],
                    "libraries": {
                        "some_tags": "tests.migration.some_tags",
                        "access_tags": "tests.analysis.access_tags",
                    },
                    **options,
                },
            }
        )
    if jinja2 is not None:
        found.append(
            {
                "BACKEND": "atemplates.engines.jinja2.Jinja2",
                "OPTIONS": {
                    "environment": f"{__name__}.environment",
                    "loader": DictLoader(jinja2),
                    "context_processors": [f"{__name__}.processor", f"{__name__}.awaited"],
                },
            }
        )
    return found


def check(*arguments, **site):
    """Return the exit code and what was printed."""
    out = StringIO()
    with override_settings(TEMPLATES=entries(**site)):
        try:
            call_command("atemplates", "check", *arguments, stdout=out)
        except CommandError as error:
            return error.returncode, out.getvalue() + f"\n{error}"
    return 0, out.getvalue()


def data_of(*arguments, **site):
    code, text = check("--format", "json", *arguments, **site)
    return code, json.loads(text.rpartition("\n}")[0] + "\n}")


def test_both_engines_are_compiled():
    code, text = check(django={"a.html": "{{ a }}", "b.txt": ""}, jinja2={"c.html": "{{ c }}"})
    assert code == 0
    assert "Compiled: 2 templates of 'django', 1 template of 'jinja2'; 0 problems." in text
    assert "jinja2" not in check("--engine", "django", django={}, jinja2={"c.html": ""})[1]
    _, data = data_of("--engine", "jinja2", django={"a.html": ""}, jinja2={"c.html": ""})
    assert list(data["engines"]) == ["jinja2"]
    _, text = check("--template", "c.html", django={"a.html": ""}, jinja2={"c.html": ""})
    assert "0 templates of 'django', 1 template of 'jinja2'; 0 problems." in text


def test_no_such_engine_or_template():
    code, text = check("--engine", "mako", django={})
    assert code == 1
    assert "There is no template engine 'mako'" in text
    code, text = check("--template", "no.html", django={}, jinja2={})
    assert code == 2
    assert "no.html" in text


def test_what_is_wrong_has_file_and_line_and_the_rest_goes_on():
    django = {
        "bad.html": "a\n{% if %}",
        "tag.html": "\n\n{% nothing %}",
        "filter.html": "{{ a|nothing }}",
        "open.html": "{% block a %}",
        "parent.html": "{% extends 'none.html' %}",
        "good.html": "{{ a }}",
    }
    jinja2 = {
        "bad.jinja": "a\n{% if %}",
        "tag.jinja": "\n\n{% nothing %}",
        "filter.jinja": "\n{{ a|nothing }}",
        "test.jinja": "\n{{ a is nothing }}",
        "open.jinja": "{% block a %}",
        "parent.jinja": "\n{% extends 'none.jinja' %}",
        "good.jinja": "{{ a }}",
    }
    code, text = check(django=django, jinja2=jinja2)
    assert code == 2
    for place, said in [
        ("bad.html:2", "does not parse"),
        ("tag.html:3", "nothing"),
        ("filter.html:1", "nothing"),
        ("open.html:1", "Unclosed tag"),
        ("parent.html:1", "names the template 'none.html', which does not exist"),
        ("bad.jinja:2", "does not parse"),
        ("tag.jinja:3", "does not parse: Encountered unknown tag 'nothing'"),
        ("filter.jinja:2", "does not compile: No filter named 'nothing'"),
        ("test.jinja:2", "does not compile: No test named 'nothing'"),
        ("open.jinja:1", "does not parse"),
        ("parent.jinja:2", "names the template 'none.jinja', which does not exist"),
    ]:
        (line,) = [each for each in text.splitlines() if re.match(rf"{place}:(\d+:)? ", each)]
        assert said in line
    assert "2 templates of 'django', 2 templates of 'jinja2'; 11 problems." in text
    _, data = data_of(django=django, jinja2=jinja2)
    assert {"file": "tag.html", "line": 3} in [
        {name: each[name] for name in ("file", "line")} for each in data["problems"]
    ]
    assert len(data["problems"]) == 11


UNTIL = "in the request's thread until it has been quick three times"
TAGS = {"a.html": "{% load some_tags %}{% stamp %}\n{% stamp %}", "b.html": "{{ a }}"}


def test_tags_that_cost_a_hop_are_counted():
    code, text = check(django=TAGS)
    assert code == 0
    assert f"{{% stamp %}} of {some_tags.__name__}: 2x, a.html:1, a.html:2: {UNTIL}\n" in text
    assert "  A page that has to go to the thread goes there once, however many such tags" in text
    assert "inline_tags" not in text
    assert "2 uses of 1 tag and 0 context processors run in the request's thread." in text
    _, data = data_of(django=TAGS)
    (hop,) = data["engines"]["django"]["hops"]
    assert hop == {
        "tag": "stamp",
        "module": some_tags.__name__,
        "where": UNTIL,
        "places": ["a.html:1", "a.html:2"],
    }


def test_many_places_are_cut_short():
    _, text = check(django={"a.html": "{% load some_tags %}" + "\n{% stamp %}" * 5})
    assert "5x, a.html:2, a.html:3, a.html:4 and 2 more" in text


@pytest.mark.parametrize("option", [{"inline_tags": ["some_tags"]}, {"sync_tags": "inline"}])
def test_tags_that_run_on_the_loop_are_said(option):
    _, text = check(django=TAGS, **option)
    assert "django: tags of others that run on the event loop" in text
    assert "2x, a.html:1, a.html:2: on the loop, as OPTIONS say\n" in text
    assert "0 uses of 0 tags" in text


def settle(tmp_path, *runs):
    """Leave a file in which another process tells of a tag and of a context processor."""
    for function in (some_tags.StampNode.render, processor):
        for asked in runs:
            records.function_record(function).note(0.00008, asked)
    records.save(tmp_path / "learned.json")
    records.RECORDS.clear()
    return {
        "learned": tmp_path / "learned.json",
        "context_processors": [f"{__name__}.processor"],
    }


def test_tags_and_context_processors_of_which_was_learned_that_they_are_quick(tmp_path):
    options = settle(tmp_path, False, False, False)
    code, text = check("--fail-on-hops", django=TAGS, **options)
    assert code == 0
    assert "2x, a.html:1, a.html:2: learned: on the loop (3 runs, slowest 0.08 ms)\n" in text
    assert "0 uses of 0 tags and 0 context processors run in the request's thread." in text
    _, data = data_of(django=TAGS, **options)
    (tag,) = data["engines"]["django"]["inline"]
    assert tag["where"] == "learned: on the loop (3 runs, slowest 0.08 ms)"


def test_tags_and_context_processors_of_which_was_learned_that_they_ask(tmp_path):
    options = settle(tmp_path, True)
    said = "learned: in the thread, because it asks the database"
    code, text = check("--fail-on-hops", django=TAGS, **options)
    assert code == 1
    assert f"2x, a.html:1, a.html:2: {said}\n" in text
    assert f"  {__name__}.processor: {said}\n" in text
    _, data = data_of(django=TAGS, **options)
    assert data["engines"]["django"]["processors_where"] == {f"{__name__}.processor": said}


def test_everything_in_the_thread():
    code, text = check("--fail-on-hops", django=TAGS, async_mode="thread")
    assert code == 0
    assert "django: each render is one hop, as async_mode='thread' says." in text
    assert "stamp" not in text


def test_context_processors_that_cost_a_hop():
    names = [f"{__name__}.processor", f"{__name__}.awaited"]
    names.append("django.template.context_processors.request")
    _, data = data_of(django={}, jinja2={}, context_processors=names)
    for alias in ("django", "jinja2"):
        assert data["engines"][alias]["processors"] == [f"{__name__}.processor"]
    code, text = check("--fail-on-hops", django={}, context_processors=names)
    assert code == 1
    assert f"django: context processors that run in the request's thread:\n  {__name__}." in text
    assert f"  {__name__}.processor: {UNTIL}\n" in text
    _, text = check(jinja2={})
    assert f"  {__name__}.processor: in the request's thread; one that does no I/O can" in text


def line_of(function, text):
    """The file's line of a function on which something stands."""
    lines, first = getsourcelines(function)
    (at,) = [number for number, line in enumerate(lines, first) if text in line]
    return at


def test_python_that_catches_the_guard():
    jinja2 = {
        "a.html": "{{ x|careless }}\n{{ y|careless }}{{ x|careful }}{{ bare(x) }}",
        "b.html": "{% if x is suppressed %}{% endif %}{{ careless }}",
    }
    _, text = check(jinja2=jinja2)
    file = "tests/migration/test_check_command.py"
    said = [each.strip() for each in text.splitlines() if file in each]
    assert said == [
        f"{__name__}.bare, {file}:{line_of(bare, 'except')}: a.html:2",
        f"{__name__}.careless, {file}:{line_of(careless, 'except')}: a.html:1, a.html:2",
        f"{__name__}.suppressed, {file}:{line_of(suppressed, 'suppress(')}: b.html:1",
    ]
    _, data = data_of(jinja2=jinja2)
    assert len(data["engines"]["jinja2"]["swallowers"]) == 3


def test_properties_methods_and_filters_that_catch_the_guard(monkeypatch):
    monkeypatch.setattr(Animal, "unsure", property(careless), raising=False)
    monkeypatch.setattr(Animal, "method", in_a_tuple, raising=False)
    monkeypatch.setattr(Animal, "sure", property(careful), raising=False)
    monkeypatch.setattr(Animal, "logged", property(logging), raising=False)
    monkeypatch.setattr(some_tags.register, "filters", {"bare": bare})
    django = {
        "a.html": "{{ a.unsure }}{% for b in c %}\n{{ b.method }}{{ b.sure }}{{ a.logged }}{% endfor %}",
        "b.html": "{% load some_tags %}{% if a and b|bare %}{% endif %}",
    }
    _, data = data_of(django=django)
    found = {
        each["name"].rpartition(".")[2]: each["places"]
        for each in data["engines"]["django"]["swallowers"]
    }
    assert found == {"careless": ["a.html:1"], "in_a_tuple": ["a.html:2"], "bare": ["b.html:1"]}


def test_what_can_make_a_page_wrong_comes_first_and_in_the_exit_code(monkeypatch):
    monkeypatch.setattr(some_tags.register, "filters", {"bare": bare})
    django = {**TAGS, "c.html": "{% load some_tags %}{{ a|bare }}"}
    code, text = check(django=django)
    assert code == 1
    said = [
        text.index(part) for part in (f"{__name__}.bare, ", "in the request's thread:", "Compiled:")
    ]
    assert said == sorted(said)
    assert "0 problems. 1 function catches every exception. 2 uses of 1 tag" in text
    assert text.endswith(
        "0 problems; 1 function catches every exception; "
        "2 uses of 1 tag and 0 context processors run in the request's thread."
    )
    assert check(django={**django, "bad.html": "{% if %}"})[0] == 3
    code, text = check("--ignore", f"{__name__}.bare", django=django)
    assert code == 0
    assert "catch" not in text


LIBRARIES = {f"{letter}.html": "\n{% load some_tag %}" for letter in "abcdef"}


@pytest.mark.parametrize("subcommand", ["check", "lazy"])
def test_an_unregistered_library_is_said_once_and_shortly(subcommand):
    django = {
        **LIBRARIES,
        "child.html": "{% extends 'a.html' %}",
        "from.html": "{% load x from some_tag %}",
        "other.html": "{% load nothing_like_it %}",
    }
    out = StringIO()
    with override_settings(TEMPLATES=entries(django=django)), pytest.raises(CommandError) as caught:
        call_command("atemplates", subcommand, stdout=out)
    assert caught.value.returncode == 2
    text = out.getvalue()
    said = "the tag library 'some_tag' is not registered"
    (line,) = [each.strip() for each in text.splitlines() if said in each]
    place, _, message = line.partition(": does not parse: ")
    assert place == {"check": "a.html:2:4: error[does-not-parse]", "lazy": "a.html:2"}[subcommand]
    assert message == (
        "the tag library 'some_tag' is not registered. Did you mean "
        "'some_tags'? Also at b.html:2, c.html:2, d.html:2 and 3 more."
    )
    assert "'nothing_like_it' is not registered." in text
    assert "Must be one of" not in text
    assert "admin_list" not in text
    assert len(text.splitlines()) < 20


@pytest.fixture
def packages(tmp_path, settings):
    """A site with a package of somebody else; returns a function that runs a subcommand."""
    own, theirs = tmp_path / "site", tmp_path / "venv" / "site-packages" / "package" / "templates"
    for folder in (own, theirs):
        folder.mkdir(parents=True)
    settings.ROOT_URLCONF = "tests.urls"
    (theirs / "optional.html").write_text("{% load not_installed %}")
    (theirs / "broken.html").write_text("{% if %}")
    (theirs / "missing.html").write_text("{% extends 'not/installed.html' %}")
    (own / "page.html").write_text("{{ a }}")

    def run(*arguments):
        out = StringIO()
        backend = {"BACKEND": "atemplates.engines.django.DjangoTemplates", "DIRS": [own, theirs]}
        with override_settings(TEMPLATES=[backend]):
            try:
                call_command("atemplates", *arguments, stdout=out)
            except CommandError as error:
                return error.returncode, f"{out.getvalue()}\n{error}"
        return 0, out.getvalue()

    run.own = own
    return run


@pytest.mark.django_db
@pytest.mark.parametrize("subcommand", ["check", "lazy", "plan"])
def test_templates_of_installed_packages_are_no_failure(packages, subcommand):
    code, text = packages(subcommand)
    assert code == 0
    if subcommand == "lazy":
        said = text.partition("in packages of others, which is no failure:\n")[2].splitlines()[:3]
        assert all(each.startswith("  ") for each in said)
        assert all(any(name in each for each in said) for name in ("broken", "missing", "optional"))
    (packages.own / "page.html").write_text("{% load not_installed %}")
    code, text = packages(subcommand)
    assert code == 2
    assert "page.html" in text
    assert "1 problem" in text or subcommand == "plan"


def test_templates_of_installed_packages_are_left_out_unless_all_are_wanted(packages):
    code, text = packages("check")
    assert code == 0
    assert "broken" not in text
    assert "Left out: 3 templates of installed packages or excluded; --all looks at the" in text
    code, text = packages("check", "--all")
    assert code == 0
    assert "0 problems, 3 in packages of others." in text
    assert "Left out" not in text
    said = [each for each in text.splitlines() if ": note[" in each]
    assert ["broken" in said[0], "missing" in said[1], "optional" in said[2]] == [True] * 3


def test_a_template_of_a_package_that_is_asked_for_is_a_failure(packages):
    assert packages("check", "--template", "broken.html")[0] == 2
    assert packages("check", "--template", "page.html")[0] == 0


def test_optional_problems_in_json(packages):
    code, text = packages("check", "--format=json")
    assert code == 0
    data = json.loads(text)
    assert data["problems"] == []
    assert data["left_out"] == 3
    code, text = packages("check", "--format=json", "--all")
    assert code == 0
    problems = json.loads(text)["problems"]
    assert {each["optional"] for each in problems} == {True}
    assert {each["level"] for each in problems} == {"note"}


def test_both_exit_codes_at_once():
    code, text = check("--fail-on-hops", django={**TAGS, "bad.html": "{% if %}"})
    assert code == 3
    assert text.endswith(
        "1 problem; 2 uses of 1 tag and 0 context processors run in the request's thread."
    )


def test_the_exit_codes_are_in_the_help(capsys):
    with pytest.raises(SystemExit):
        call_command("atemplates", "check", "--help")
    text = capsys.readouterr().out
    assert "exit codes:" in text
    for code in "0123":
        assert f"\n  {code}  " in text


MISTAKEN = {
    "a.html": "{# atemplates: animal = testapp.Animal #}\n\t{{ animal.naem }}",
    "legacy/b.html": "{# atemplates: animal = testapp.Animal #}\n{{ animal.naem|default:1 }}",
}


def test_mistakes_are_printed_as_compilers_do():
    code, text = check(django=MISTAKEN)
    assert code == 2
    assert text.startswith(
        "a.html:2:12: error[unknown-attribute]: Animal has no attribute 'naem'\n"
        "    {{ animal.naem }}\n"
        "              ^^^^\n"
        "    did you mean 'name'?\n"
        "legacy/b.html:2:11: possible[unknown-attribute]: Animal has no attribute 'naem'\n"
    )
    assert "; 1 problem, 1 possible. 0 uses" in text


def test_what_is_possible_fails_only_where_it_is_strict():
    possible = {"b.html": MISTAKEN["legacy/b.html"]}
    assert check(django=possible)[0] == 0
    code, text = check("--strict", django=possible)
    assert code == 2
    assert "error[unknown-attribute]" in text


def test_excluded_templates(settings):
    code, text = check("--exclude", "a.*", django=MISTAKEN)
    assert code == 0
    assert "a.html" not in text
    assert "Left out: 1 template" in text
    settings.ATEMPLATES = {"check": {"exclude": ["legacy/*"]}}
    _, data = data_of(django=MISTAKEN)
    assert [each["file"] for each in data["problems"]] == ["a.html"]
    assert data["left_out"] == 1
    # One that is asked for by its name is looked at.
    _, data = data_of("--template", "legacy/b.html", django=MISTAKEN)
    assert [each["file"] for each in data["problems"]] == ["legacy/b.html"]


def test_ignored_rules(settings):
    assert check("--ignore", "unknown-attribute", django=MISTAKEN)[0] == 0
    settings.ATEMPLATES = {"check": {"ignore": ["unknown-attribute"]}}
    assert data_of(django=MISTAKEN)[1]["problems"] == []
    code, text = check("--ignore", "unknown", django=MISTAKEN)
    assert code == 1
    assert "There is no rule 'unknown'" in text


def test_ignored_lines():
    line = MISTAKEN["a.html"]
    jinja2 = {"c.html": line + "{# atemplates: ignore[unknown-attribute] #}\n{{ animal.naem }}"}
    _, data = data_of(django={"a.html": line + "{# atemplates: ignore #}"}, jinja2=jinja2)
    assert [(each["file"], each["line"]) for each in data["problems"]] == [("c.html", 3)]


def test_the_fields_of_a_problem_in_json():
    _, data = data_of(django=MISTAKEN)
    assert data["version"] == 2
    assert data["problems"][0] == {
        "file": "a.html",
        "template": "a.html",
        "line": 2,
        "column": 12,
        "width": 4,
        "rule": "unknown-attribute",
        "level": "error",
        "message": "Animal has no attribute 'naem'",
        "hint": "did you mean 'name'?",
        "possible": False,
        "optional": False,
    }


def test_a_fault_in_a_part_of_many_pages_is_said_once():
    pages = {f"{number}.html": "{% include 'part.html' %}" for number in range(30)}
    _, data = data_of(django={**pages, "part.html": MISTAKEN["a.html"]})
    assert len(data["problems"]) == 1


def test_workflow_commands_of_github(monkeypatch):
    monkeypatch.setattr(some_tags.register, "filters", {"bare": bare})
    bad = {"bad.html": "{% load some_tags %}\n{{ a|bare }}", **MISTAKEN}
    code, text = check("--format", "github", django=bad)
    assert code == 3
    lines = text.splitlines()[:3]
    assert lines[0] == (
        "::error file=a.html,line=2,col=12,endColumn=15,title=unknown-attribute::"
        "Animal has no attribute 'naem'. Did you mean 'name'?"
    )
    assert lines[1].startswith("::warning file=legacy/b.html,line=2,col=11,")
    assert lines[2].startswith("::warning file=tests/migration/test_check_command.py,line=")
    assert "title=catches-everything::" in lines[2]


def test_sarif(monkeypatch):
    monkeypatch.setattr(some_tags.register, "filters", {"bare": bare})
    django = {
        **TAGS,
        **MISTAKEN,
        "tags.html": TAGS["a.html"],
        "bad.html": "{% load some_tags %}{% if %}{{ a|bare }}",
    }
    _, text = check("--format", "sarif", "--fail-on-hops", "--cost", django=django)
    log = valid(text.rpartition("\n}")[0] + "\n}")
    (run,) = log["runs"]
    results = {each["ruleId"]: each for each in reversed(run["results"])}
    assert set(results) >= {"unknown-attribute", "does-not-parse", "leaves-the-loop", "line-cost"}
    rules = [each["id"] for each in run["tool"]["driver"]["rules"]]
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])
    first = results["unknown-attribute"]
    assert first["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 2,
        "startColumn": 12,
        "endColumn": 16,
    }


def test_the_rules_of_all_problems_are_known():
    """What has no rule of its own could not be analysed."""
    django = {**MISTAKEN, "bad.html": "{% if %}", "none.html": "{% extends 'nothing.html' %}"}
    for each in data_of(django=django, jinja2={"a.jinja": "{{ x|nothing }}"})[1]["problems"]:
        assert each["rule"] in PROBLEM_RULES


@pytest.mark.parametrize(
    ("line", "column", "width", "shown"),
    [
        ("{{ a.b }}", 6, 1, ["    {{ a.b }}", "         ^"]),
        ("\t\t{{ a.b }}", 8, 1, ["    {{ a.b }}", "         ^"]),
        ("<p>\t{{ a.b }}", 10, 1, ["    <p>    {{ a.b }}", "                ^"]),
        ("\u65e5\u672c{{ a.b }}", 8, 1, ["    \u65e5\u672c{{ a.b }}", "             ^"]),
        ("\x1b[0m{{ a.b }}", 10, 1, ["    \\x1b[0m{{ a.b }}", "                ^"]),
    ],
)
def test_the_caret_stands_under_what_is_meant(line, column, width, shown):
    assert list(marked(line, column, width)) == shown


def test_a_long_line_is_cut_around_what_is_meant():
    line = "x" * 1000 + "{{ book.titel }}" + "y" * 1000
    text, carets = marked(line, 1009, 5)
    assert len(text) <= 130
    assert text[carets.index("^") : carets.rindex("^") + 1] == "titel"


def test_all_rules_and_fields_are_documented():
    text = (Path(__file__).resolve().parents[2] / "docs/checking.md").read_text("utf-8")
    for rule, meaning in PROBLEM_RULES.items():
        assert f"| `{rule}` | {meaning} |" in text
    _, data = data_of(django=MISTAKEN)
    for name in (*data, *data["problems"][0], *data["engines"]["django"]):
        assert f"`{name}`" in text or f"[].{name}`" in text, name
