"""Drawing template text: text, variables, and the tags that decide what runs and how often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from hypothesis import strategies as st

from .expressions import Expressions, percent

HAS_PARTIALS = django.VERSION >= (6, 0)
TEXTS = [
    " ", "\n", "text ", "<p>", "</p> <p>", "a & b ", "'''", '"', "\\", "\\n", "{", "}}", "%}",
    "\x00", "😀", "\u2028", "{ {", "#}", "é", "\r\n", "\t", "<!-- -->", "{'a': 1}", "%s",
    "<b> </b>\n<i>",
]  # fmt: skip
NAMES = ["x", "y", "z", "a", "n", "k", "text", "forloop", "item"]

AROUND = [
    ("{% if 1 %}", "{% endif %}"),
    ("{% if 0 %}{% else %}{{ x }}", "{% endif %}"),
    ("{% for x in 'x' %}", "{{ forloop.counter }}{% endfor %}"),
    ("{% for x in 'x' %}{% cycle 1 2 as y %}", "{% endfor %}"),
    ("{% for x, y in pairs|slice:':1' %}", "{% endfor %}"),
    ("{% for x in '' %}{% empty %}", "{% endfor %}"),
    ("{% with y=x %}", "{{ y }}{% endwith %}"),
    ("{% ifchanged x %}", "{% endifchanged %}"),
    ("{% autoescape off %}", "{% endautoescape %}"),
    ("{% filter lower %}", "{% endfilter %}"),
    ("{% spaceless %}", "{% endspaceless %}"),
    ('{% language "de" %}', "{% endlanguage %}"),
    ("{% localize off %}", "{% endlocalize %}"),
    ('{% timezone "UTC" %}', "{% endtimezone %}"),
    ("{% cache 60 deep x %}", "{% endcache %}"),
    ("{% upper %}", "{% endupper %}"),
    ("{% attempt %}", "{% endattempt %}"),
    ("{% own_for y in 'x' %}", "{% endown_for %}"),
    ("{% boxed x %}", "{% endboxed %}"),
]

texts = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{}%#"), max_size=6),
)
names = st.sampled_from(NAMES)
sizes = st.sampled_from([1, 1, 1, 2, 2, 3])
depths = st.sampled_from([2, 5, 9, 14, 22, 30, 60])


class Flow(Expressions):
    """Draws the text of one template.

    Args:
        includes: the names of templates that may be included; none leads back here.
        blocks: the names that blocks may take; each at most once.
    """

    families: dict[str, Any]
    """Strategies for the names of methods that draw a tag."""

    def __init__(
        self, draw: Any, asynchronous: bool, includes: list[str], blocks: list[str], budget: int
    ) -> None:
        super().__init__(draw, asynchronous)
        self.includes = includes
        self.free_blocks = list(blocks)
        self.free_partials = ["part", "other"] if HAS_PARTIALS else []
        self.partials: list[str] = []
        self.cycles: list[str] = []
        self.budget = budget
        self.depth = 0
        self.in_block = False

    # -- helpers -----------------------------------------------------------------------------------

    @contextmanager
    def binding(self, *bound: str) -> Iterator[None]:
        """Names are bound in what is drawn inside."""
        count = len(self.bound)
        self.bound += bound
        yield
        del self.bound[count:]

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def target(self) -> str:
        """A name that a tag gives to its result; it is known from here on."""
        name = self.draw(names)
        self.bound.append(name)
        return name  # type: ignore[no-any-return]

    def as_target(self, of_hundred: int = 30) -> str:
        return f" as {self.target()}" if self.chance(of_hundred) else ""

    def arguments(self) -> str:
        """Positional and keyword arguments of a tag."""
        parts = [self.value(15) for _ in range(self.draw(sizes) - 1)]
        if self.chance(30):
            parts.append(f"{self.pick('k', 'y', 'name')}={self.value(15)}")
        return "".join(f" {part}" for part in parts)

    def nodes(self, most: int = 3) -> str:
        """Some nodes."""
        self.depth += 1
        parts = [self.node() for _ in range(min(self.draw(sizes), most))]
        self.depth -= 1
        return "".join(parts)

    def node(self) -> str:
        """One node, or some text."""
        if self.budget <= 0 or self.depth > 5:
            return self.variable()
        self.budget -= 1
        roll = self.draw(percent)
        if roll < 32:
            return self.variable()
        if roll < 42:
            return self.draw(texts)  # type: ignore[no-any-return]
        if roll < 73:
            family = "flow"
        elif roll < (95 if self.asynchronous else 91):
            family = "others"
        else:
            family = "later" if self.asynchronous else "foreign"
            if roll == 99 and self.asynchronous:
                # Not those that render a template as stock does, which awaits nothing.
                family = "foreign beside awaitables"
        return getattr(self, self.draw(self.families[family]))()  # type: ignore[no-any-return]

    def variable(self) -> str:
        return f"{{{{ {self.value()} }}}}" if self.chance(90) else f"{{{{{self.value()}}}}}"

    # -- flow --------------------------------------------------------------------------------------

    def if_(self) -> str:
        text = f"{{% if {self.condition()} %}}{self.nodes()}"
        while self.chance(20):
            text += f"{{% elif {self.condition()} %}}{self.nodes()}"
        if self.chance(50):
            text += f"{{% else %}}{self.nodes()}"
        return text + "{% endif %}"

    def for_(self) -> str:
        if self.chance(30):
            found = [self.draw(names), self.draw(names)]
            if self.chance(10):
                found.append("z")
            source = "pairs" if self.chance(60) else self.value(10)
        else:
            found = [self.draw(names)]
            source = (
                self.pick("many", "many", "pairs", "n", "a", "text", "x")
                if self.chance(70)
                else self.value(20)
            )
        backwards = " reversed" if self.chance(15) else ""
        text = f"{{% for {', '.join(found)} in {source}{backwards} %}}"
        self.loops += 1
        with self.binding(*found):
            text += self.nodes()
        self.loops -= 1
        if self.chance(25):
            text += f"{{% empty %}}{self.nodes(1)}"
        return text + "{% endfor %}"

    def with_(self) -> str:
        if self.chance(15):
            name = self.draw(names)
            head, found = f"{self.value()} as {name}", [name]
        else:
            found = [self.draw(names) for _ in range(self.draw(sizes))]
            head = " ".join(f"{name}={self.value()}" for name in found)
        with self.binding(*found):
            return f"{{% with {head} %}}{self.nodes()}{{% endwith %}}"

    def ifchanged(self) -> str:
        values = " ".join(self.value(15) for _ in range(self.draw(sizes) - 1))
        other = f"{{% else %}}{self.nodes(1)}" if self.chance(40) else ""
        return f"{{% ifchanged {values} %}}{self.nodes()}{other}{{% endifchanged %}}"

    def cycle(self) -> str:
        if self.cycles and self.chance(30):
            return f"{{% cycle {self.pick(*self.cycles)} %}}"
        values = " ".join(self.value(15) for _ in range(self.draw(sizes) + 1))
        named = ""
        if self.chance(50):
            named = f" as {self.target()}"
            self.cycles.append(self.bound[-1])
            if self.chance(30):
                named += " silent"
        return f"{{% cycle {values}{named} %}}"

    def resetcycle(self) -> str:
        if not self.cycles:
            return self.cycle()
        name = f" {self.pick(*self.cycles)}" if self.chance(60) else ""
        return f"{{% resetcycle{name} %}}"

    def regroup(self) -> str:
        source = self.pick("many", "many", "pairs", "a") if self.chance(80) else self.value()
        by, name = self.pick("a", "b", "0", "a.b", "a|lower", "x"), self.draw(names)
        text = f"{{% regroup {source} by {by} as {name} %}}"
        self.bound.append(name)
        if self.chance(70):
            with self.binding("z"):
                text += (
                    f"{{% for z in {name} %}}{{{{ z.grouper }}}}{self.nodes()}"
                    f"{{% for k in z.list %}}{{{{ k.a }}}}{{% endfor %}}{{% endfor %}}"
                )
        return text

    def nested_deep(self) -> str:
        """Tags in each other, deeper than Python nests blocks in some of the cases."""
        around = [self.pick(*AROUND) for _ in range(self.draw(depths))]
        heads = "".join(head for head, _ in around)
        ends = "".join(end for _, end in reversed(around))
        with self.binding("x", "y"):
            return f"{heads}{self.nodes()}{ends}"

    def firstof(self) -> str:
        values = " ".join(self.value(15) for _ in range(self.draw(sizes)))
        return f"{{% firstof {values}{self.as_target()} %}}"
