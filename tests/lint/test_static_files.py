"""Static files that no finder has: stock Django answers their addresses with 404."""

from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import AppDirectoriesFinder, FileSystemFinder
from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage
from django.contrib.staticfiles.views import serve
from django.core.files.storage import InMemoryStorage
from django.http import Http404
from django.templatetags.static import static
from django.test import RequestFactory, override_settings

from atemplates.lint.jinja2_links import jinja2_link_problems
from atemplates.lint.links import link_problems
from atemplates.lint.static_files import StaticFiles
from tests.lint.sites import django_site, jinja2_site, said


@pytest.fixture
def files(tmp_path):
    """Static files of a site: css/site.css, css/main.scss, img/cat.png, and vendor/x.js."""
    folder = tmp_path / "static"
    for name in ("css/site.css", "css/main.scss", "img/cat.png", "js/app.ts", "a b.txt"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.js").write_text("x")
    root = tmp_path / "root"
    root.mkdir()
    (root / "put.css").write_text("x")
    with override_settings(
        STATICFILES_DIRS=[folder, ("vendor", other)], STATIC_ROOT=str(root), DEBUG=True
    ):
        storage = StaticFilesStorage(location=str(root))
        yield StaticFiles([FileSystemFinder(), AppDirectoriesFinder()], storage)


def found_in(source, files):
    site, _ = django_site({"it.html": "{% load static %}\n" + source})
    assert not site.problems
    return [said(each) for each in link_problems(site, "it.html", None, files)]


def is_served(path):
    try:
        serve(RequestFactory().get("/"), path, insecure=True).close()
    except Http404:
        return False
    return True


WRONG = {
    "css/sit.css": "(did you mean 'css/site.css'?)",
    "site.css": "(did you mean 'css/site.css'?)",
    "/css/none-at-all-of-it.css": "",
    "img/dog.png": "(did you mean 'img/cat.png'?)",
    "css/cat.png": "(did you mean 'img/cat.png'?)",
    "vendor/y.js": "(did you mean 'vendor/x.js'?)",
    "css/nothing-like-it.css?v=1": "",
    "x.js": "(did you mean 'vendor/x.js'?)",
}


@pytest.mark.parametrize("path", WRONG)
def test_a_file_that_no_finder_has_is_said(files, path):
    file = path.lstrip("/").partition("?")[0]
    hint = f" {WRONG[path]}" if WRONG[path] else ""
    line = f"it.html:2:15: no-such-static-file: no finder has the static file {file!r}{hint}"
    assert found_in(f'<a {{% static "{path}" %}}', files) == [line]
    # With a name the page shows what the tag gives later.
    assert found_in(f"   {{% static '{path}' as x %}}", files) == [line]
    assert not is_served(file)


@pytest.mark.parametrize(
    "path",
    [
        *("css/site.css", "/css/site.css", "css/site.css?v=2", "css/site.css#top", "css/", "css"),
        *("", "/", "vendor/x.js", "vendor/", "vendor", "put.css", "admin/css/base.css", "a b.txt"),
        *("https://cdn.example/x.js", "//cdn.example/x.js", "../up.css"),
    ],
)
def test_what_is_there_or_elsewhere_is_left_alone(files, path):
    assert found_in(f"{{% static '{path}' %}}", files) == []


def test_what_is_known_only_when_it_renders_is_left_alone(files):
    source = "{% static name %}{% static 'none'|add:'x' %}{% get_static_prefix %}none.css"
    assert found_in(source, files) == []


def test_what_a_build_makes_may_be_there_where_the_site_runs(files):
    for path, hint in [
        ("css/main.css", "is it made of 'main.scss' by a build?"),
        ("css/main.min.css", "is it made of 'main.scss' by a build?"),
        ("js/app.js", "is it made of 'app.ts' by a build?"),
        ("dist/app.js", "there is no folder 'dist': is it made by a build?"),
    ]:
        fault = files.fault(path)
        assert (fault.is_possible, fault.hint) == (True, hint)


def test_what_the_repository_leaves_out_may_be_there_where_the_site_runs(files, tmp_path):
    (tmp_path / ".gitignore").write_text(
        "# a comment\n*.pyc\nstatic/css/output.css\n!kept.css\n\n*\n"
    )
    fault = files.fault("css/output.css")
    hint = "the site's .gitignore names it: is it made by a build?"
    assert (fault.is_possible, fault.hint) == (True, hint)
    assert not files.fault("css/put.css").is_possible
    assert not files.fault("css/kept.css").is_possible


def test_a_storage_that_is_no_folder_is_not_asked(files):
    class Remote(InMemoryStorage):
        def exists(self, name):
            raise AssertionError

    fault = StaticFiles(files.finders, Remote()).fault("css/sit.css")
    assert fault.is_possible
    assert StaticFiles(files.finders, Remote()).fault("css/site.css") is None


def test_a_finder_that_fails_silences_the_rule(files):
    class Broken:
        def find(self, path):
            raise OSError

    assert StaticFiles([*files.finders, Broken()], files.storage).fault("css/sit.css") is None


def test_nothing_is_known_without_the_app():
    with override_settings(INSTALLED_APPS=["django.contrib.contenttypes"]):
        assert StaticFiles.of_site() is None
    assert StaticFiles.of_site().fault("admin/css/base.css") is None


# -- Jinja2 ----------------------------------------------------------------------------------------


def own_static(path):
    return static(path)


def with_version(path, version="1"):
    return f"{static(path)}?{version}"


def own_folder(path):
    return "/files/" + path


GLOBALS = {
    "static": static,
    "own_static": own_static,
    "with_version": with_version,
    "url_of_storage": staticfiles_storage.url,
    "own_folder": own_folder,
}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("{{ static('css/sit.css') }}", 1),
        ("{{ own_static('css/sit.css') }}", 1),
        ("{{ with_version('css/sit.css') }}", 1),
        ("{{ url_of_storage('css/sit.css') }}", 1),
        ("{{ own_folder('css/sit.css') }}", 0),
        ("{{ static('css/site.css') }}{{ static(name) }}{{ static('css/' ~ name) }}", 0),
        ("{% set static = f %}{{ static('css/sit.css') }}", 0),
    ],
)
def test_functions_of_jinja2_that_give_the_address_of_a_static_file(files, source, count):
    site, environment = jinja2_site({"it.html": source}, GLOBALS)
    found = [said(each) for each in jinja2_link_problems(site, "it.html", environment, None, files)]
    column = source.find("css/sit.css") + 1
    expected = (
        f"it.html:1:{column}: no-such-static-file: no finder has the static file 'css/sit.css' "
        "(did you mean 'css/site.css'?)"
    )
    assert found == [expected] * count


def test_the_files_of_the_demo_are_found():
    shop = Path(__file__).parents[2] / "example" / "shop" / "static"
    names = [each.relative_to(shop).as_posix() for each in shop.rglob("*") if each.is_file()]
    site_files = StaticFiles.of_site()
    assert names
    assert [name for name in names if site_files.fault(name)] == []
