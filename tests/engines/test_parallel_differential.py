"""Pages made at random render the same, with the same queries, whatever ``parallel`` says."""

from random import Random

import django
import pytest

from tests.testapp.models import Region

from .test_parallel_option import own_querysets, page, regions

__all__ = ["regions"]

NAMES = "abcd"
SEEDS = range(25)
PAGES_FOR_A_SEED = 8


class Maker:
    """Makes templates of what is certain, what is not, and what others load."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.templates = {}

    def name(self):
        return self.random.choice([*NAMES, *NAMES, "d.rows", "other"])

    def rows(self):
        """Return an expression that can be looped over."""
        filters = [""] * 8 + ["|slice:'1'", "|dictsort:'name'", "|default_if_none:''"]
        return self.name() + self.random.choice([*filters, "|default:''"])

    def expression(self):
        """Return an expression that can be shown and tested."""
        filters = ["|length"] * 3 + ["", "|join:', '", "|first", "|yesno", "|own", "|default:'-'"]
        others = ["x", "e", "a.count", "b.total", "c.0", "d.rows.first"]
        return self.random.choice([self.rows(), self.name() + self.random.choice(filters), *others])

    def condition(self):
        first, second = self.expression(), self.expression()
        forms = [first, first, f"not {first}", f"{first} and {second}", f"{first} or {second}"]
        forms += [f"{first} == {second}", f"not {first} or {second}", f"{first} in {second}"]
        return self.random.choice(forms)

    def nodes(self, depth=3):
        count = self.random.randint(1, 3 if depth < 3 else 5)
        return "".join(self.node(depth) for _ in range(count))

    def node(self, depth):
        if depth == 0:
            return f"[{{{{ {self.expression()} }}}}]"
        inner = lambda: self.nodes(depth - 1)  # noqa: E731
        forms = {
            "show": 3,
            "loop": 5,
            "if": 3,
            "with": 2,
            "include": 2,
            "regroup": 1,
            "around": 2,
            "as": 1,
            "foreign": 0.5,
            "block": 1,
            "partial": 1 if django.VERSION >= (6, 0) else 0,
        }
        kind = self.random.choices(list(forms), forms.values())[0]
        if kind == "show":
            return f"[{{{{ {self.expression()} }}}}]"
        if kind == "loop":
            name = self.random.choice("xe")
            return (
                f"{{% for {name} in {self.rows()} %}}{{{{ {name} }}}}{inner()}"
                f"{{% empty %}}{inner()}{{% endfor %}}"
            )
        if kind == "if":
            other = self.random.choice(["", f"{{% elif {self.condition()} %}}{inner()}"])
            return (
                f"{{% if {self.condition()} %}}{inner()}{other}{{% else %}}{inner()}{{% endif %}}"
            )
        if kind == "with":
            name = self.random.choice([*NAMES, "other"])
            return f"{{% with {name}={self.rows()} %}}{inner()}{{% endwith %}}"
        if kind == "include":
            return self.include(depth)
        if kind == "regroup":
            return (
                f"{{% regroup {self.rows()} by name as other %}}"
                "{% for group in other %}{{ group.grouper }}{% endfor %}"
            )
        if kind == "as":
            return f"{{% firstof {self.name()} 1 as {self.random.choice(NAMES)} %}}"
        if kind == "foreign":
            tags = [
                "{% anything %}",
                f"{{% without_context {self.name()} %}}",
                f"{{% without_context {self.name()} as other %}}",
                f"{{% awaited {self.name()} %}}",
                f"{{% wrapped %}}{inner()}{{% endwrapped %}}",
            ]
            return self.random.choice(tags)
        if kind == "block":
            name = f"block{len(self.templates)}_{self.random.random()}".replace(".", "_")
            return f"{{% block {name} %}}{inner()}{{% endblock %}}"
        if kind == "partial":
            name = f"p{self.random.random()}".replace(".", "_")
            inline = self.random.choice(["", " inline"])
            shown = self.random.choice(["", f"{{% partial {name} %}}"])
            return f"{{% partialdef {name}{inline} %}}{inner()}{{% endpartialdef %}}{shown}"
        begin, end = self.random.choice(
            [
                ("autoescape off", "endautoescape"),
                ("spaceless", "endspaceless"),
                ("filter upper", "endfilter"),
                ("language 'de'", "endlanguage"),
                ("relations 'fetch'", "endrelations"),
                ("ifchanged", "endifchanged"),
                ("ifchanged b", "endifchanged"),
            ]
        )
        return f"{{% {begin} %}}{inner()}{{% {end} %}}"

    def include(self, depth):
        name = f"part{len(self.templates)}"
        self.templates[name] = ""  # its place is taken
        self.templates[name] = LOAD + self.nodes(depth - 1)
        given = f"'{name}'" if self.random.random() < 0.9 else f"'{name}'|add:''"
        bound = self.random.choice(["", f" with {self.random.choice(NAMES)}={self.rows()}"])
        return f"{{% include {given}{bound}{self.random.choice(['', '', ' only'])} %}}"

    def site(self):
        """Return the templates of a page."""
        if self.random.random() < 0.3:
            base = "{% block one %}" + self.nodes(2) + "{% endblock %}" + self.nodes(2)
            self.templates["base"] = LOAD + base + "{% block two %}{% endblock %}"
            one = "{% block one %}" + self.nodes(2) + "{{ block.super }}{% endblock %}"
            two = "{% block two %}" + self.nodes(2) + "{% endblock %}"
            self.templates["page"] = "{% extends 'base' %}" + LOAD + one + two
        else:
            last = "".join(f"{{{{ {name}|length }}}}" for name in NAMES)
            self.templates["page"] = LOAD + self.nodes() + last
        return self.templates


LOAD = "{% load certain_tags i18n atemplates %}"


def plain_querysets():
    return {name: Region.objects.order_by("-name") for name in NAMES}


def values_of(random):
    """Return what makes the values of a render; some of them are the same object."""
    make = random.choice([plain_querysets, lambda: own_querysets(NAMES)])
    shared = random.choice(NAMES)

    def values():
        found = make()
        return {**found, "d": {"rows": found[shared]}, "other": [Region(name="Other")]}

    return values


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", SEEDS)
async def test_pages_made_at_random(seed, regions):
    for number in range(PAGES_FOR_A_SEED):
        maker = Maker(seed * 1000 + number)
        templates, values = maker.site(), values_of(maker.random)
        one_by_one = await outcome(templates, values, parallel=1)
        assert await outcome(templates, values, parallel=4) == one_by_one, templates


async def outcome(templates, values, parallel):
    try:
        text, seen = await page(templates, values, times=2, parallel=parallel)
    except Exception as error:
        return repr(error)
    return text, sorted(seen.queries)
