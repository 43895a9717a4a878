"""What views of every kind give to their templates, line by line."""

from pathlib import Path

import pytest

from atemplates.inference.views import read_views
from tests.inference import given_views

GIVEN = """
steps given/steps.html
  animals: QuerySet[Animal] + home
  first: Animal | None + home
  names: list[str]
  size: int
  user: User | AnonymousUser
helper given/helper.html
  animals: QuerySet[Animal]
  region: Region
  size: int
  title: str
rows given/constant.html
  pairs: list[tuple[int, dict]]
  rows: list[dict]
unpacked given/unpacked.html
  first: int
  request: HttpRequest
  rest: list[unknown]
  second: str | float | None
  text: str | None
  total: int
typed given/typed.html
  animals: QuerySet[Animal] + home
  count: int
data given/data.html
  animals: list[Animal]
  title: str
nothing given/nothing.html
unknown given/unknown.html ...
  a: int
loaded given/loaded.html
  page: Page
dispatched given/one_kind.html
  a: int
  b: int
dispatched given/other_kind.html
  a: int
  c: bool
prefetched given/prefetched.html
  regions: QuerySet[dict]
decorated given/decorated.html
  animal: Animal
private given/private.html
  me: User
by_default given/default.html
  a: int
loads given/loads.html
  one: Animal + home
  region: Region
  rows: QuerySet[Animal]
chosen given/chosen.html
  more: QuerySet[Species]?
  one: object
scoped given/scoped.html
  all: QuerySet[Species]?
  first: Species | None?
  species: Species?
sent given/sent.html
  animal: Animal | None
tiles given/tiles.html
  extended: unknown
  literal: list[dict]
  tiles: list[dict]
annotated given/annotated.html
  pk: int
  who: Animal | None
partial given/partial.html
  a: int
tests.inference.given_views.by_default given/extra.html
  a: int
  b: str
Rows given/list.html
  animal_list: QuerySet[Animal] + foods
  is_paginated: bool
  object_list: QuerySet[Animal] + foods
  page_obj: Page + foods
  paginator: Paginator
  regions: QuerySet[Region]
  view: Rows
Rows testapp/animal_list.html
  animal_list: QuerySet[Animal] + foods
  is_paginated: bool
  object_list: QuerySet[Animal] + foods
  page_obj: Page + foods
  paginator: Paginator
  regions: QuerySet[Region]
  view: Rows
OurRows given/our_list.html
  animals: QuerySet[Animal] + home
  is_paginated: bool
  object_list: QuerySet[Animal] + home
  page_obj: None
  paginator: None
  title: str
  view: OurRows
OurRows testapp/animal_list.html
  animals: QuerySet[Animal] + home
  is_paginated: bool
  object_list: QuerySet[Animal] + home
  page_obj: None
  paginator: None
  title: str
  view: OurRows
One given/one.html
  animal: Animal
  home: Place | None
  me: User
  object: Animal
  view: One
One testapp/animal_detail.html
  animal: Animal
  home: Place | None
  me: User
  object: Animal
  view: One
Edit given/edit.html
  animal: Animal
  form: AnimalForm
  object: Animal
  view: Edit
Edit testapp/animal_form.html
  animal: Animal
  form: AnimalForm
  object: Animal
  view: Edit
Plain given/plain.html
  region: Region
  text: str
Static given/static.html
  pk: int
  view: Static
Choice given/special.html
  a: int
  pk: int
  view: Choice
Choice given/usual.html
  a: int
  pk: int
  view: Choice
login given/login.html
  form: AuthenticationForm
  next: unknown
  site: unknown
  site_name: unknown
  view: LoginView
about given/about.html
  view: TemplateView
"""


def lines_of(rendering):
    """A rendering as text: its view and template, then each variable with its type.

    ``...`` says that it may give others, ``+`` what is loaded with rows, ``?`` that they may load
    more.
    """
    found = [f"{rendering.view} {rendering.template}{'' if rendering.is_complete else ' ...'}"]
    for name, value in sorted(rendering.variables.items()):
        data = rendering.loaded.get(name)
        loads = f" + {', '.join(data.loads)}" if data is not None and data.loads else ""
        sure = "" if data is None or data.certain else "?"
        found.append(f"  {name}: {value}{loads}{sure}")
    return found


@pytest.fixture(scope="module")
def site():
    return read_views(given_views.__name__)


def test_what_each_view_gives(site):
    assert site.problems == []
    found = [
        line
        for each in site.renderings
        if not each.view.startswith("handler")
        for line in lines_of(each)
    ]
    assert found == GIVEN.strip().splitlines()


def test_where_calls_are_appended(site):
    lines = Path(given_views.__file__).read_text(encoding="utf-8").splitlines()
    places = {}
    for each in site.renderings:
        for name, data in each.loaded.items():
            node = data.expression
            if node is not None and data.file == given_views.__file__:
                text = lines[node.lineno - 1][node.col_offset : node.end_col_offset]
                places[each.template, name] = (text, data.form, data.call is not None)
    assert places["given/steps.html", "animals"] == (
        'Animal.objects.select_related("home")',
        "queryset",
        False,
    )
    assert places["given/helper.html", "region"] == ("Region", "model", True)
    assert places["given/list.html", "object_list"] == ("Animal", "attribute", False)
    assert places["given/our_list.html", "animals"] == (
        'Animal.objects.select_related("home")',
        "queryset",
        False,
    )
    assert places["given/loads.html", "one"] == (
        'Animal.objects.select_related("home")',
        "queryset",
        True,
    )


def test_the_name_of_a_generic_view_comes_after_the_one_that_it_is_given(site):
    after = {each.template: each.after for each in site.renderings}
    assert after["given/one.html"] == ()
    assert after["testapp/animal_detail.html"] == ("given/one.html",)


def test_the_keys_of_dicts_in_a_list_that_grows_are_not_all_known(site):
    (tiles,) = [each.variables for each in site.renderings if each.template == "given/tiles.html"]
    assert tiles["literal"].item.is_complete
    assert not tiles["tiles"].item.is_complete
