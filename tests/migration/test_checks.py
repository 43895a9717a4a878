"""The system checks of TEMPLATES: each with its id and a hint."""

import re
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.template import engines

from atemplates.checks import check_templates

OURS = "atemplates.engines.django.DjangoTemplates"
JINJA2 = "atemplates.engines.jinja2.Jinja2"
STOCK = "django.template.backends.django.DjangoTemplates"


async def awaited(request):
    return {}


def entry(backend=OURS, name=None, **options):
    return {"BACKEND": backend, "OPTIONS": options, **({"NAME": name} if name else {})}


@pytest.fixture
def found(settings):
    """Return a function: entries of TEMPLATES -> the ids of the messages, with their texts."""

    def found(*entries, debug=False):
        settings.DEBUG = debug
        settings.TEMPLATES = list(entries)
        messages = check_templates()
        assert all(message.hint for message in messages)
        return {message.id.removeprefix("atemplates."): message.msg for message in messages}

    return found


def test_good_settings_are_silent(found):
    processors = ["django.template.context_processors.request"]
    assert found(entry(context_processors=processors)) == {}


def test_the_checks_are_registered(settings):
    settings.TEMPLATES = [entry(STOCK)]
    assert "atemplates.W001" in {message.id for message in run_checks()}


def test_no_backend_of_ours(found):
    assert set(found(entry(STOCK))) == {"W001"}
    assert set(found()) == {"W001"}


def test_two_entries_under_one_alias(found):
    messages = found(entry(), entry(STOCK))
    assert "'django'" in messages["W002"]
    assert STOCK in messages["W002"]
    assert found(entry(), entry(STOCK, name="old")) == {}


@pytest.mark.parametrize("path", ["no.such.processor", "tests.migration.test_checks.no", "flat"])
def test_a_context_processor_that_does_not_import(found, path):
    assert path in found(entry(context_processors=[path]))["W003"]


def test_an_async_context_processor(found):
    path = f"{__name__}.awaited"
    assert found(entry(context_processors=[path])) == {}
    messages = found(entry(), entry(STOCK, name="old", context_processors=[path]))
    assert "cannot await" in messages["W003"]


LOADER = "django.template.loaders.app_directories.Loader"


def test_no_cached_loader_in_production(found):
    assert "W004" in found(entry(loaders=[LOADER]))
    assert found(entry(loaders=[LOADER]), debug=True) == {}
    assert found(entry(loaders=[("django.template.loaders.cached.Loader", [LOADER])])) == {}


def test_raise_in_production(found):
    assert "W005" in found(entry(relations="raise"))
    assert found(entry(relations="raise"), debug=True) == {}


@pytest.mark.parametrize(
    "options",
    [
        {"async_mode": "thread", "relations": "warn"},
        {"async_mode": "thread", "sync_tags": "inline"},
        {"sync_tags": "inline", "inline_tags": ["i18n"]},
    ],
)
def test_options_without_effect(found, options):
    assert "has no effect" in found(entry(**options), debug=True)["W006"]


def test_a_recorder(found, tmp_path):
    here, nowhere = str(tmp_path / "r.jsonl"), str(tmp_path / "no" / "r.jsonl")
    assert found(entry(recorder={"file": here, "rate": 0.1})) == {}
    assert found(entry(recorder={"file": here}), debug=True) == {}
    assert "every render" in found(entry(recorder={"file": here}))["W007"]
    assert "no folder" in found(entry(recorder={"file": nowhere, "rate": 0.1}))["W007"]


@pytest.mark.parametrize("options", [{"relation": "raise"}, {"relations": "ask"}])
def test_options_that_the_backend_refuses(found, options):
    messages = found(entry(**options))
    assert "relation" in messages["E001"]


def test_options_that_are_no_dict(found):
    assert "E001" in found({"BACKEND": OURS, "OPTIONS": ["x"]})


def broken(**options):
    raise RuntimeError("no such luck")


def test_jinja2_is_checked_as_well(found, tmp_path):
    here = str(tmp_path / "r.jsonl")
    assert found(entry(JINJA2)) == {}
    assert "colour" in found(entry(JINJA2, environment="jinja2.Environment", colour=1))["E001"]
    assert "relations" in found(entry(JINJA2, relations="ask"))["E001"]
    message = found(entry(JINJA2, environment=f"{__name__}.broken"))["E001"]
    assert "'jinja2' cannot be made: RuntimeError: no such luck" in message
    assert "W005" in found(entry(JINJA2, relations="raise"))
    assert "every render" in found(entry(JINJA2, recorder={"file": here}))["W007"]
    assert "E001" in found(entry(JINJA2, environment="no.such.environment"))


def test_every_id_is_documented():
    import atemplates.checks

    text = (Path(__file__).resolve().parents[2] / "docs/moving-a-site.md").read_text("utf-8")
    ids = set(re.findall(r"atemplates\.([EW]\d+)", atemplates.checks.__doc__))
    assert {f"W{number:03}" for number in range(1, 9)} | {"E001"} == ids
    assert "`atemplates.E001`, `W001` to `W008`" in text


# -- wrong OPTIONS, as Django runs its checks ------------------------------------------------------

WRONG = [
    (entry(relations="fast"), ["'relations'", "'batch', 'fetch', 'warn', 'raise'"]),
    (
        entry(relation="raise"),
        ["unknown option 'relation'", "Did you mean 'relations'?", "Allowed:"],
    ),
    (entry(recorder=3), ["'recorder'", "'rate'"]),
    (entry(inline_tags=["no_such"]), ["'inline_tags'", "'no_such'", "Known:"]),
    (entry(sync_tags=None), ["'sync_tags'", "'thread'"]),
    (entry(libraries={"a": "no.such.module"}), ["no.such.module"]),
    ({"BACKEND": OURS, "OPTIONS": 3}, ["OPTIONS is 3"]),
    (entry(JINJA2, relations="fast"), ["'relations'", "'batch', 'fetch', 'warn', 'raise'"]),
    (entry(JINJA2, autoescap=True), ["'autoescap'", "Did you mean 'autoescape'?"]),
    (
        entry(JINJA2, environment=f"{__name__}.failing_environment"),
        ["RuntimeError: no environment"],
    ),
]


def failing_environment(**options):
    raise RuntimeError("no environment")


@pytest.mark.parametrize(("wrong", "said"), WRONG)
@pytest.mark.parametrize("tags", [None, ["templates"]])
def test_a_wrong_option_is_one_error_of_the_system_checks(settings, wrong, said, tags):
    settings.TEMPLATES = [wrong]
    errors = [each for each in run_checks(tags=tags) if each.id == "atemplates.E001"]
    (error,) = errors
    assert error.is_serious()
    assert error.hint
    for part in said:
        assert part in error.msg


def test_a_wrong_option_is_no_other_error_as_well(settings):
    """The admin's checks look at the context processors."""
    before = {each.id for each in run_checks()}
    (first, *others) = settings.TEMPLATES
    wrong = {**first, "OPTIONS": {**first["OPTIONS"], "relations": "fast"}}
    settings.TEMPLATES = [wrong, *others]
    assert {each.id for each in run_checks()} == before | {"atemplates.E001"}


@pytest.mark.parametrize(("wrong", "said"), WRONG)
async def test_such_an_engine_gives_no_template(settings, wrong, said):
    settings.TEMPLATES = [{**wrong, "NAME": "wrong"}]
    run_checks()
    engine = engines["wrong"]
    for function in (engine.get_template, engine.from_string):
        with pytest.raises(Exception, match=re.escape(said[0].partition(": ")[2] or said[0])):
            function("page.html")
    with pytest.raises(Exception, match=re.escape(said[0].partition(": ")[2] or said[0])):
        await engine.aget_template("page.html")


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_outside_of_checks_it_is_an_exception_at_once(settings, wrong, said):
    settings.TEMPLATES = [{**wrong, "NAME": "wrong"}]
    with pytest.raises(Exception, match=re.escape(said[0].partition(": ")[2] or said[0])):
        engines["wrong"]


def test_manage_py_check_says_it_without_a_traceback(settings):
    settings.TEMPLATES = [entry(relations="fast")]
    with pytest.raises(SystemCheckError) as caught:
        call_command("check")
    text = str(caught.value)
    assert text.count("atemplates.E001") == 1
    assert "expected one of 'batch', 'fetch', 'warn', 'raise'" in text
