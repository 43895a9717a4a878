"""Which file an error, a warning and a report name: two apps may have a template of one name."""

import pytest

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.jinja2 import Jinja2
from atemplates.errors import RenderBlocked
from atemplates.pytest_plugin import failure_text
from atemplates.relations.policy import LazyAccessError, LazyAccessWarning, reset_warnings
from atemplates.testing import record
from tests.rendering import run_async
from tests.testapp.models import Animal

pytestmark = pytest.mark.django_db(databases=["default", "other"])

ENGINES = {"django": DjangoTemplates, "jinja2": Jinja2}
LOOP = "\n{% for a in animals %}{{ a.home.name }}{% endfor %}"
TAGS = "\n{% load foreign %}{% for a in animals %}{% upper %}{{ a.home.name }}{% endupper %}{% endfor %}"


@pytest.fixture(params=["render", "render_async"])
def way(request):
    return request.param


@pytest.fixture
def folders(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name / "app").mkdir(parents=True)
    return tmp_path


def page(folders, kind, name, source=LOOP, **options):
    file = folders / name / "app" / "l.html"
    file.write_text(source)
    if kind == "django":
        options["libraries"] = {"foreign": "tests.compiler.foreign_tags"}
    backend = ENGINES[kind](
        {"NAME": name, "DIRS": [folders / name], "APP_DIRS": False, "OPTIONS": options}
    )
    return file, backend.get_template("app/l.html")


def render(template, way, values=None):
    values = {"animals": Animal.objects.order_by("pk")} if values is None else values
    if way == "render":
        return template.render(values)
    return run_async(template.render_async, values)


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("name", ["first", "second"])
def test_an_error_names_the_file(zoo, folders, way, kind, name):
    file, template = page(folders, kind, name, relations="raise")
    with pytest.raises(LazyAccessError) as caught:
        render(template, way)
    assert str(caught.value).startswith(f"{file}, line 2: 'a.home.name' reaches")
    assert f"in {file}, line 2: " in str(caught.value)
    assert caught.value.location.template == "app/l.html"
    assert caught.value.location.file == str(file)


@pytest.mark.parametrize("kind", ENGINES)
def test_a_warning_names_the_file_and_is_given_for_each(zoo, folders, way, kind):
    reset_warnings()
    pages = [page(folders, kind, name, relations="warn") for name in ("first", "second")]
    with pytest.warns(LazyAccessWarning) as caught:
        assert all(render(template, way) for _, template in pages * 2)
    texts = [str(each.message).partition(":")[0] for each in caught]
    assert texts == [f"{file}, line 2" for file, _ in pages]


def test_a_foreign_tag(zoo, folders, way):
    file, template = page(folders, "django", "first", TAGS, relations="raise")
    with pytest.raises(LazyAccessError) as caught:
        render(template, way)
    assert str(caught.value).startswith(f"{file}, line 2: ")


@pytest.mark.parametrize("kind", ENGINES)
async def test_an_error_that_gets_its_place_on_the_way(folders, kind):
    async def later():
        return 1

    file, template = page(
        folders, kind, "first", "\n\n{{ x }}" if kind == "django" else "\n\n{{ x() }}"
    )
    with pytest.raises(RenderBlocked, match=f"in {file}, line 3"):
        template.render({"x": later})


def test_a_template_from_a_string_has_no_file(zoo, way):
    template = DjangoTemplates(
        {"NAME": "x", "DIRS": [], "APP_DIRS": False, "OPTIONS": {"relations": "raise"}}
    ).from_string(LOOP)
    with pytest.raises(LazyAccessError) as caught:
        render(template, way)
    assert ", line 2: " in str(caught.value)
    assert caught.value.location.file == ""


@pytest.mark.parametrize("kind", ENGINES)
def test_events_have_the_name_and_the_file(zoo, folders, way, kind):
    file, template = page(folders, kind, "first")
    with record() as log:
        render(template, way)
    assert {(event.template, event.file) for event in log.lazy} == {("app/l.html", str(file))}


@pytest.mark.parametrize("kind", ENGINES)
def test_lazy_fail_says_the_file_and_the_call_to_add(zoo, folders, way, kind):
    """The same call as ``relations="raise"`` says."""
    file, template = page(folders, kind, "first")
    with record() as log:
        render(template, way)
    lines = failure_text(log.lazy).splitlines()
    assert lines[1] == str(file)
    assert lines[2].startswith("  line 2: {{ a.home.name }} loads animals[].home")
    assert lines[3] == "    Add .select_related(\"home\") to the queryset of 'animals'."
    _, template = page(folders, kind, "first", relations="raise")
    with pytest.raises(LazyAccessError) as caught:
        render(template, way)
    assert lines[3].strip() in str(caught.value)


def test_lazy_fail_of_python_code(zoo, folders):
    _, template = page(
        folders, "django", "first", "{% for a in animals %}{{ a.label }}{% endfor %}"
    )
    with record() as log:
        render(template, "render")
    text = failure_text(log.lazy)
    assert all(event.suggestion in text for event in log.lazy)
