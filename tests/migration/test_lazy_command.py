"""``manage.py atemplates lazy`` and ``plan`` on the views of a small site."""

import json
import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.template import engines

from atemplates.migration.recordings import AccessRecord, render_record, write_recordings
from tests.testapp.models import Animal

from . import site_views

pytestmark = pytest.mark.django_db(databases=["default", "other"])

TEMPLATES = {
    "zoo/list.html": "{% extends 'zoo/base.html' %}{% block body %}\n"
    "{% for animal in animals %}{% include 'zoo/_one.html' %}{% endfor %}{% endblock %}",
    "zoo/base.html": "<title>{{ title }}</title>{% block body %}{% endblock %}",
    "zoo/_one.html": "{{ animal.home.region.name }}{{ animal.species.name }}\n"
    "{% for food in animal.foods.all %}{{ food.name }}{% endfor %}{{ animal.home_id }}",
    "zoo/one.html": "{{ animal.label }}\n{% if animal.mother %}{{ animal.mother.name }}{% endif %}",
    "zoo/page.html": "{% for a in page %}{{ a.chip.code }}{% endfor %}"
    "{% for a in page.object_list %}{{ a.visits.latest.year }}{% endfor %}",
    "zoo/region.html": "{{ region.parent.name }}",
    "zoo/other.html": "{{ region.parent.parent.name }}{% include template_name %}",
    "zoo/generic.html": "{% regroup animals by home.region as groups %}{% for g in groups %}"
    "{{ g.grouper.name }}{% for a in g.list %}{{ a.chip.code }}{% endfor %}{% endfor %}",
}


@pytest.fixture
def site(settings):
    """Return a function that makes templates the site's own."""

    def make(templates):
        settings.ROOT_URLCONF = site_views.__name__
        settings.TEMPLATES = [
            {
                "BACKEND": "atemplates.engines.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [("django.template.loaders.locmem.Loader", templates)],
                    "libraries": {"access_tags": "tests.analysis.access_tags"},
                },
            }
        ]

    make(TEMPLATES)
    return make


def run(*arguments):
    """Return the exit code and what was printed."""
    out = StringIO()
    try:
        call_command("atemplates", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + f"\n{error}"
    return 0, out.getvalue()


def report(*arguments):
    code, text = run("lazy", "--format", "json", *arguments)
    return code, json.loads(text.rpartition("\n}")[0] + "\n}")


def calls(data):
    return {
        (group["view"], group["template"], group["variable"]): group["call"]
        for group in data["groups"]
    }


def test_each_view_gets_its_call(site):
    code, data = report()
    assert code == 0
    name = f"{site_views.__name__}.queries"
    assert calls(data) == {
        (
            "rows",
            "zoo/list.html",
            "animals",
        ): '.select_related("home__region").prefetch_related("foods", "species")',
        ("zoo:one", "zoo/one.html", "animal"): '.select_related("mother")',
        ("animal", "zoo/one.html", "animal"): '.select_related("mother")',
        ("page", "zoo/page.html", "page"): '.select_related("chip")',
        (name, "zoo/other.html", "region"): '.select_related("parent__parent")',
        ("animals", "zoo/generic.html", "animals"): '.select_related("chip", "home__region")',
    }


def test_a_method_that_no_prefetch_helps_gets_advice(site):
    _, data = report("--view", "page")
    (unhelped,) = [each for each in data["groups"][0]["findings"] if each["kind"] == "call"]
    assert unhelped["what"] == "page.object_list[].visits.latest"
    assert 'Prefetch("visits"' in unhelped["advice"]
    assert unhelped["call"] == ""


def test_a_dynamic_include_is_said_to_be_lost(site):
    _, text = run("lazy", "--template", "zoo/other.html")
    assert "known only when it renders" in text


def test_a_view_that_loads_everything_is_no_finding(site):
    code, text = run("lazy", "--view", "loaded", "--fail-on", "any")
    assert code == 0
    assert "0 findings" in text


def test_an_unknown_view(site):
    code, text = run("lazy", "--view", "nothing")
    assert code == 1
    assert "zoo:one" in text


def test_text_names_view_template_line_call_and_place(site):
    _, text = run("lazy", "--view", "rows")
    assert "view rows, template zoo/list.html" in text
    assert (
        'add .select_related("home__region").prefetch_related("foods", "species")'
        "  # tests/migration/site_views.py:" in text
    )
    assert "zoo/_one.html:1  {{ animal.home.region.name }}" in text
    assert "home_id" not in text


ONE = "{# atemplates: animal = testapp.Animal, person = auth.User #}"


def findings_of(site, source, *arguments):
    """What is found in one template: path -> status, and the reasons why paths are lost."""
    site({"x.html": ONE + source, "other.html": "{{ animal.chip.code }}"})
    _, data = report("--template", "x.html", *arguments)
    found = {
        each["what"]: each["status"]
        for group in data["groups"]
        if group["template"] == "x.html"
        for each in group["findings"]
    }
    return found, [each["reason"] for each in data["lost"]]


@pytest.mark.parametrize(
    ("source", "found", "lost"),
    [
        ("{% url 'x' animal.home.pk k=animal.mother.name %}", ["home", "mother"], []),
        ("{{ animal.name|default:animal.home.name }}", ["home"], []),
        ("{% with m=animal.mother.chip %}{{ m.code }}{% endwith %}", ["mother", "mother.chip"], []),
        ("{% if animal.mother.chip %}x{% endif %}", ["mother", "mother.chip"], []),
        ("{% include animal.name %}", [], ["known only when it renders"]),
        ("{% include 'other.html' %}", ["chip"], []),
        ("{% include 'other.html' only %}", [], []),
        ("{% load access_tags %}{% show animal %}", [], ["passed to {% show %}"]),
        ("{% load access_tags %}{% show animal.home %}", ["home"], ["passed to {% show %}"]),
        ("{% load access_tags %}{% show animal.name %}", [], []),
        ("{% load access_tags %}{% look %}", [], ["takes the whole context"]),
        ("{{ animal.home_id }}{{ animal.label }}{{ animal.food_names }}{{ animal.pk }}", [], []),
        ("{{ person.animals.count }}", [], []),  # one query, whoever sends it
        ("{{ person.animals.all|length }}", [], []),
        ("{% for x in a %}{{ person.animals.count }}{% endfor %}", ["animals"], []),
        ("{% for a in person.animals.all %}{{ a.name }}{% endfor %}", ["animals"], []),
    ],
)
def test_where_a_path_leads(site, source, found, lost):
    makes, reasons = findings_of(site, source)
    assert {each.partition(".")[2] for each in makes} == set(found)
    assert len(reasons) == len(lost)
    for reason, said in zip(reasons, lost, strict=True):
        assert said in reason


BRANCHES = "{% if a %}{{ animal.home.name }}{% else %}{{ animal.chip.code }}{% endif %}"


def test_a_branch_that_was_not_taken_is_only_possible(site, tmp_path):
    file = tmp_path / "r.jsonl"
    home = recorded("v", template="x.html", expression="animal.home.name", path=("home",), line=1)
    write_recordings(file, [render_record("x.html", "v"), home])
    found, _ = findings_of(site, BRANCHES, "--recording", str(file))
    assert found == {"animal.home": "confirmed", "animal.chip": "possible"}
    text = run("lazy", "--template", "x.html", "--recording", str(file))[1]
    assert "possible   animal.chip" in text
    assert "confirmed  animal.home" in text


def test_a_branch_is_not_possible_when_the_view_certainly_loads_it(site, tmp_path):
    """Of a queryset that was seen whole, all that it loads is known."""
    file = tmp_path / "r.jsonl"
    rows = recorded(
        "v", template="x.html", expression="animals", root="animals", path=(), kind="rows",
        related=False, loads=("chip",), line=1,
    )  # fmt: skip
    write_recordings(file, [render_record("x.html", "v"), rows])
    site({"x.html": "{% for animal in animals %}" + BRANCHES + "{% endfor %}"})
    _, data = report("--recording", str(file))
    assert calls(data) == {("v", "x.html", "animals"): '.select_related("home")'}


# -- recordings ------------------------------------------------------------------------------------


def recorded(view, **values):
    defaults = {
        "template": "zoo/one.html",
        "line": 2,
        "expression": "animal.mother.name",
        "root": "animal",
        "path": ("mother",),
        "kind": "relation",
        "model": "testapp.Animal",
        "entry": "testapp.Animal",
        "view": view,
    }
    return AccessRecord(**{**defaults, **values})


def test_a_record_confirms_a_finding(site, tmp_path):
    file = tmp_path / "r.jsonl"
    write_recordings(file, [render_record("zoo/one.html", "zoo:one"), recorded("zoo:one", times=4)])
    _, data = report("--view", "zoo:one", "--recording", str(file))
    (finding,) = data["groups"][0]["findings"]
    assert (finding["status"], finding["times"]) == ("confirmed", 4)


def test_a_record_of_python_is_hidden_and_gets_a_call(site, tmp_path):
    file = tmp_path / "r.jsonl"
    python = recorded(
        "zoo:one",
        line=1,
        expression="animal.label",
        path=("mother", "species"),
        kind="python",
        source="models.py:233",
    )
    write_recordings(file, [python])
    _, data = report("--view", "zoo:one", "--recording", str(file))
    by_status = {each["status"]: each for each in data["groups"][0]["findings"]}
    assert by_status["hidden"]["sources"] == ["models.py:233"]
    assert by_status["hidden"]["call"] == '.prefetch_related("mother__species")'


def test_a_view_that_was_only_recorded_is_found_too(site, tmp_path):
    file = tmp_path / "r.jsonl"
    write_recordings(
        file,
        [
            render_record("zoo/region.html", "elsewhere"),
            recorded(
                "elsewhere",
                template="zoo/region.html",
                line=1,
                expression="region.parent.name",
                root="region",
                path=("parent",),
                entry="testapp.Region",
                model="testapp.Region",
            ),
        ],
    )
    _, data = report("--view", "elsewhere", "--recording", str(file))
    assert calls(data) == {("elsewhere", "zoo/region.html", "region"): '.select_related("parent")'}


def test_what_was_rendered_and_not_loaded_is_loaded_by_the_view(site, tmp_path):
    file = tmp_path / "r.jsonl"
    site(
        {
            "zoo/x.html": "{# atemplates: animal = testapp.Animal #}{{ animal.home.name }}"
            "{% if a %}{{ animal.chip.code }}{% endif %}"
        }
    )
    _, before = report()
    assert calls(before) == {("", "zoo/x.html", "animal"): '.select_related("chip", "home")'}
    write_recordings(file, [render_record("zoo/x.html", "v")])
    _, after = report("--recording", str(file))
    assert calls(after) == {("v", "zoo/x.html", "animal"): '.select_related("chip")'}


async def test_what_is_recorded_is_what_is_found(site, zoo, tmp_path, settings):
    """The whole way: render, record, report."""
    file = tmp_path / "r.jsonl"
    options = settings.TEMPLATES[0]["OPTIONS"]
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "OPTIONS": {**options, "recorder": {"file": str(file)}}}
    ]
    template = engines["django"].get_template("zoo/list.html")
    await template.render_async({"animals": Animal.objects.all()})
    from asgiref.sync import sync_to_async

    _, data = await sync_to_async(report)("--recording", str(file), "--template", "zoo/list.html")
    found = {
        each["what"]: each["status"]
        for group in data["groups"]
        if not group["view"]
        for each in group["findings"]
    }
    assert found == dict.fromkeys(
        ["animals[].foods", "animals[].home", "animals[].home.region", "animals[].species"],
        "confirmed",
    )


# -- exit codes, baselines -------------------------------------------------------------------------


def test_fail_on_any(site):
    code, text = run("lazy", "--fail-on", "any")
    assert code == 1
    assert "any findings" in text


def test_a_baseline_lets_known_findings_pass(site, tmp_path):
    file = tmp_path / "baseline.json"
    assert run("lazy", "--baseline", str(file), "--write-baseline")[0] == 0
    assert run("lazy", "--baseline", str(file), "--fail-on", "new")[0] == 0
    site({**TEMPLATES, "zoo/one.html": TEMPLATES["zoo/one.html"] + "{{ animal.chip.code }}"})
    code, text = run("lazy", "--baseline", str(file), "--fail-on", "new")
    assert code == 1
    assert "*possible   animal.chip" in text
    lines = file.read_text().splitlines()
    assert len(lines) > 5, "one finding a line, so that a diff shows it"
    assert "2 new findings" in text


@pytest.mark.parametrize("arguments", [["--fail-on", "new"], ["--write-baseline"], ["--write"]])
def test_arguments_that_need_others(site, arguments):
    code, text = run("lazy", *arguments)
    assert code == 1
    assert "needs --" in text


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"version": 99, "findings": []}', "version 99"),
        ("{", "not a baseline"),
        ("[]", "not a baseline"),
        (None, "cannot read"),
    ],
)
def test_a_baseline_that_cannot_be_used(site, tmp_path, content, said):
    file = tmp_path / "baseline.json"
    if content is not None:
        file.write_text(content)
    code, text = run("lazy", "--baseline", str(file), "--fail-on", "new")
    assert code == 3
    assert said in text
    assert str(file) in text
    assert "view rows" in text


def test_a_template_that_does_not_parse(site):
    site({**TEMPLATES, "bad.html": "a\n{% if %}", "worse.html": "{% nothing %}"})
    for name in ("lazy", "check"):
        code, text = run(name)
        assert code == 2
        places = {"lazy": ("2: does", "1: does"), "check": ("2:4: error[does", "1:4: error[")}
        bad, worse = places[name]
        assert f"bad.html:{bad}" in text
        assert f"worse.html:{worse}" in text
        assert "nothing" in text
    assert "view rows" in run("lazy")[1]


def test_a_template_whose_parent_is_missing(site):
    site({**TEMPLATES, "bad.html": "{% extends 'none.html' %}"})
    code, text = run("lazy")
    assert code == 2
    assert "bad.html:1: names the template 'none.html', which does not exist" in text


def test_a_loader_that_raises(site, settings):
    settings.TEMPLATES[0]["OPTIONS"]["loaders"].append("tests.migration.bad_loader.Loader")
    code, text = run("lazy")
    assert code == 2
    assert "tests.migration.bad_loader.Loader failed: OSError: no disk" in text
    assert "view rows" in text


def test_a_recording_that_is_cut_off(site, tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_bytes(recorded("zoo:one").as_line() + b'{"version": 1, "templ')
    code, text = run("lazy", "--recording", str(file))
    assert code == 2
    assert f"{file}:2: " in text
    assert "confirmed" in text


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ("animal = testapp.Nothing", "'testapp.Nothing', which does not exist"),
        ("animal = testapp.Keeper", "which is swapped for 'testapp.StaffKeeper'"),
        ("animal is an animal", "expected '{# atemplates: name = app.Model #}'"),
    ],
)
def test_an_annotation_that_is_wrong(site, annotation, said):
    site({**TEMPLATES, "x.html": f"a\n{{# atemplates: {annotation} #}}{{{{ animal.chip.code }}}}"})
    code, text = run("lazy")
    assert code == 2
    assert "x.html:2: " in text
    assert said in text


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("subcommand", ["lazy", "check", "plan"])
def test_progress_on_a_terminal_and_nowhere_else(site, monkeypatch, subcommand):
    for stream, shown in ((Terminal(), True), (StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        run(subcommand)
        assert (f"0/{len(TEMPLATES)} " in stream.getvalue()) is shown
        assert stream.getvalue().endswith("\r\033[K") is shown, "the line is cleared at the end"


# -- formats ---------------------------------------------------------------------------------------


def test_github_annotations(site):
    site({**TEMPLATES, "bad,name.html": "{% if %}"})
    _, text = run("lazy", "--format", "github", "--view", "rows")
    assert "::notice file=zoo/_one.html,line=1::animals[].home (testapp.Animal)" in text
    assert "::error file=bad%2Cname.html,line=1::does not parse" in text


def test_sarif_says_what_is_new(site, tmp_path):
    """That the logs are valid is the business of `test_sarif`."""
    file = tmp_path / "baseline.json"
    site({**TEMPLATES, "bad.html": "{% if %}"})
    _, text = run("lazy", "--format", "sarif")
    (first,) = json.loads(text.rpartition("\n}")[0] + "\n}")["runs"]
    assert first["results"]
    assert not any("baselineState" in each for each in first["results"])
    assert first["invocations"][0]["executionSuccessful"] is False
    run("lazy", "--baseline", str(file), "--write-baseline")
    _, text = run("lazy", "--format", "sarif", "--baseline", str(file))
    (again,) = json.loads(text.rpartition("\n}")[0] + "\n}")["runs"]
    assert {each["baselineState"] for each in again["results"]} == {"unchanged"}
    assert len(again["results"]) == len(first["results"])


def test_a_report_to_a_file(site, tmp_path):
    file = tmp_path / "report.txt"
    assert run("lazy", "--output", str(file)) == (0, "")
    assert "view rows" in file.read_text()
    assert run("lazy", "--output", str(tmp_path / "no" / "f"))[0] == 1


def test_a_file_whose_name_is_no_text(site, settings, tmp_path):
    name = b"\xff \xc3\xbc.html"
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("{% nothing %}")
    except OSError:
        pytest.skip("this file system wants names that are text")
    settings.TEMPLATES = [
        {"BACKEND": "atemplates.engines.django.DjangoTemplates", "DIRS": [tmp_path]}
    ]
    for arguments in (["lazy"], ["check"], ["lazy", "--format=github"]):
        code, text = run(*arguments)
        assert code == 2
        assert "\\udcff ü.html" in text
    _, text = run("lazy", "--format=sarif")
    assert "%FF%20%C3%BC.html" in text
    file = tmp_path / "report"
    assert run("lazy", "--output", str(file))[0] == 2
    assert "\\udcff ü.html" in file.read_text(encoding="utf-8")


COMMAND = "\n::error::owned\x1b[2J\r"


@pytest.mark.parametrize("bad", [True, False])
@pytest.mark.parametrize(
    "arguments",
    [
        ["lazy"],
        ["lazy", "--diff"],
        *(["lazy", f"--format={name}"] for name in ("github", "json", "sarif")),
        ["check"],
        ["check", "--format=json"],
        ["plan"],
    ],
    ids=" ".join,
)
def test_a_name_does_not_begin_a_line_of_its_own(site, tmp_path, monkeypatch, arguments, bad):
    """A build's log takes a line that begins with ``::error::`` for a command."""
    name = f"page{COMMAND}.html"
    tag = "{% no_tag %}" if bad else "{% load access_tags %}{% show animal.home %}"
    site({name: f"{{% for animal in animals %}}{{{{ animal.home.name }}}}{{% endfor %}}{tag}"})
    record = AccessRecord(
        name, 1, f"animal.home{COMMAND}", "animals", ("[]", "home"), "python", "testapp.Animal",
        source=f"/site{COMMAND}.py:3", view=f"view{COMMAND}", entry="testapp.Animal", entry_at=1,
    )  # fmt: skip
    write_recordings(tmp_path / "r.jsonl", [render_record(name, f"view{COMMAND}"), record])
    stderr = Terminal()
    monkeypatch.setattr("sys.stderr", stderr)
    recording = [] if arguments[0] == "check" else [f"--recording={tmp_path / 'r.jsonl'}"]
    code, text = run(*arguments, *recording)
    assert code in ((2,) if bad else (0, 1, 2))
    assert "error::owned" in text or "%0A" in text or not bad
    for each in (text, stderr.getvalue()):
        assert not [line for line in each.splitlines() if line.startswith("::error::owned")]
        assert "\x1b[2J" not in each
    if "--format=json" in arguments and bad:
        data, _ = json.JSONDecoder().raw_decode(text)
        assert COMMAND in data["problems"][0]["file"], "exactly, for machines"


# -- plan ------------------------------------------------------------------------------------------


def test_the_plan_is_what_templates_need_whatever_views_load(site, tmp_path):
    file = tmp_path / "plan.json"
    assert run("plan", "--output", str(file))[0] == 0
    plan = json.loads(file.read_text())["engines"]["django"]
    assert plan["zoo/list.html"]["animals"] == {
        "model": "testapp.Animal",
        "select": ["home__region"],
        "prefetch": ["foods", "species"],
    }
    assert run("plan", "--check", str(file))[0] == 0
    site({**TEMPLATES, "zoo/_one.html": TEMPLATES["zoo/_one.html"] + "{{ animal.chip.code }}"})
    code, text = run("plan", "--check", str(file))
    assert code == 1
    assert any(line.startswith("+") and '"chip"' in line for line in text.splitlines())


@pytest.mark.parametrize("subcommand", ["lazy", "plan"])
def test_the_exit_codes_are_in_the_help(capsys, subcommand):
    with pytest.raises(SystemExit):
        call_command("atemplates", subcommand, "--help")
    text = capsys.readouterr().out
    for code in "012":
        assert f"\n  {code}  " in text


def test_a_plan_of_what_could_be_analysed(site, tmp_path):
    file = tmp_path / "plan.json"
    site({**TEMPLATES, "bad.html": "\n{% if %}"})
    code, text = run("plan", "--output", str(file))
    assert code == 2
    assert "bad.html:2: does not parse" in text
    assert json.loads(file.read_text())["engines"]["django"]["zoo/list.html"]
    code, text = run("plan", "--check", str(tmp_path / "none.json"))
    assert code == 1
    assert "none.json" in text


def test_a_format_that_does_not_exist(site):
    code, text = run("lazy", "--format", "xml")
    assert code == 1
    assert "invalid choice: 'xml'" in text
