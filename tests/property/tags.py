"""Drawing the tags that write something, translate, look elsewhere, or come from a third party."""

from __future__ import annotations

import django
from hypothesis import strategies as st

from .expressions import percent
from .flow import Flow, names, sizes
from .keeping import HIDERS

MESSAGES = ["Yes", "Monday", "January", "and", "<b>", "Enter a valid value.", "%"]
LANGUAGES = ['"de"', '"fr"', '"ar"', '"pt-br"', '"xx"', '""', "None", "text"]
ZONES = ['"Europe/Paris"', '"UTC"', "None", '"Nowhere"', "a", "when"]

HAS_CSP_NONCE = django.VERSION >= (6, 1)
RECURSIVE_PARTIAL = (
    "{% partialdef tree %}{% if n %}({{ n }}{% cycle 'a' 'b' %}"
    "{% with n=n|add:'-1' %}{% partial tree %}{% endwith %}{{ x }}){% endif %}{% endpartialdef %}"
    "{% for x in 'ab' %}{% with n=2 %}{% partial tree %}{% endwith %}{% endfor %}"
)

messages = st.sampled_from(MESSAGES)


class Tags(Flow):
    """Draws tags of the other families."""

    def around(self, head: str, first: str = "") -> str:
        """A tag with its end tag, and nodes between them."""
        return f"{{% {head} %}}{first}{self.nodes()}{{% end{head.split()[0]} %}}"

    # -- output ------------------------------------------------------------------------------------

    def autoescape(self) -> str:
        return self.around(f"autoescape {self.pick('off', 'on', 'off')}")

    def filter_(self) -> str:
        filters = self.filter() + (self.filter() if self.chance(30) else "")
        return f"{{% filter {filters[1:]} %}}{self.nodes()}{{% endfilter %}}"

    def spaceless(self) -> str:
        return f"{{% spaceless %}} <p> {self.nodes()} </p> {{% endspaceless %}}"

    def small(self) -> str:
        return self.pick(  # type: ignore[no-any-return]
            "{% templatetag openblock %}", "{# comment #}",
            "{% comment 'x' %}{{ a }}{% endcomment %}",
            "{% verbatim %}{{ a }}{% if %}{% endverbatim %}", "{% csrf_token %}",
            "{% load humanize %}", '{% now "Y" %}', '{% now "Y" as y %}', "{% debug %}",
            "{% lorem 3 w %}", "{% lorem %}", "{% lorem 2 w random %}", "{% lorem 1 p %}",
            "{% verbatim x %}{% endverbatim %}{% endverbatim x %}",
        )  # fmt: skip

    def widthratio(self) -> str:
        value, most, width = (
            self.pick("n", "5", "x", "0") if self.chance(70) else self.value() for _ in range(3)
        )
        return f"{{% widthratio {value} {most} {width}{self.as_target()} %}}"

    def url(self) -> str:
        view = self.pick("'property-item'", "'property-page'", "'absent'", "text", self.operand())
        return f"{{% url {view}{self.arguments()}{self.as_target()} %}}"

    def static(self) -> str:
        return self.pick(  # type: ignore[no-any-return]
            '{% static "a b.css" %}', f"{{% static {self.value()}{self.as_target()} %}}",
            "{% get_static_prefix %}", "{% get_media_prefix as y %}{{ y }}",
        )  # fmt: skip

    def querystring(self) -> str:
        arguments = self.pick("", "a=n", "b=None", "a=many x=text", self.operand())
        return f"{{% querystring {arguments} %}}"

    def cache(self) -> str:
        expire = self.pick("60", "60", "None", "n", self.operand())
        vary = " ".join(self.value(10) for _ in range(self.draw(sizes) - 1))
        using = self.pick(" using=text", ' using="default"') if self.chance(15) else ""
        return self.around(f"cache {expire} part {vary}{using}")

    def csp_nonce(self) -> str:
        return "{% csp_nonce_attr %}" if HAS_CSP_NONCE else "{% csrf_token %}"

    # -- translation, time zones, localisation -----------------------------------------------------

    def translate(self) -> str:
        tag = self.pick("translate", "trans")
        message = f'"{self.draw(messages)}"' if self.chance(60) else self.value(15)
        context = f" context {self.operand()}" if self.chance(15) else ""
        noop = " noop" if self.chance(10) else ""
        return f"{{% {tag} {message}{noop}{context}{self.as_target()} %}}"

    def blocktranslate(self) -> str:
        tag = self.pick("blocktranslate", "blocktrans")
        head, found = "", []
        if self.chance(50):
            found = [self.draw(names)]
            head += f" with {found[0]}={self.value(15)}"
        count = self.chance(40)
        if count:
            found.append(self.draw(names))
            head += f" count {found[-1]}={self.pick('n', '1', '2', self.value(10))}"
        if self.chance(15):
            head += f" context {self.operand()}"
        if self.chance(20):
            head += " trimmed"
        if self.chance(20):
            head += f" asvar {self.target()}"

        def text() -> str:
            inside = [*found, "a", "text", "n", *self.bound[-2:]]
            some = f"{{{{ {self.pick(*inside)} }}}}" if self.chance(80) else ""
            return f"{self.pick('Hello ', ' %', '<b> ', chr(10) + ' x ', 'Yes')}{some}"

        plural = f"{{% plural %}}{text()}" if count else ""
        return f"{{% {tag}{head} %}}{text()}{plural}{{% end{tag} %}}"

    def language(self) -> str:
        return self.around(f"language {self.pick(*LANGUAGES)}")

    def languages(self) -> str:
        tag, bits = self.pick(
            ("get_current_language", ""),
            ("get_current_language_bidi", ""),
            ("get_available_languages", ".0.1"),
            (f"get_language_info for {self.pick(*LANGUAGES)}", ".name_local"),
            (f"get_language_info_list for {self.pick('many', 'text', 'a')}", ""),
            ("get_current_timezone", ""),
        )
        name = self.target()
        return f"{{% {tag} as {name} %}}{{{{ {name}{bits} }}}}"

    def timezone(self) -> str:
        return self.around(f"timezone {self.pick(*ZONES)}", "{{ when }}")

    def localtime(self) -> str:
        return self.around(f"localtime {self.pick('on', 'off')}", "{{ when }}")

    def localize(self) -> str:
        return self.around(f"localize {self.pick('on', 'off')}", "{{ n }}")

    # -- other templates ---------------------------------------------------------------------------

    def include(self) -> str:
        if not self.includes:
            return self.variable()
        name = f'"{self.pick(*self.includes)}"'
        if self.chance(20):
            name = self.pick(
                '"./inc.html"', '"absent.html"', "a", "text", "many", '"rec.html"', "tpl", "tpl"
            )
            if "inc.html" not in self.includes and name != '"absent.html"':
                name = '"card.html"'
        found = [self.draw(names) for _ in range(self.draw(sizes) - 1)]
        head = " ".join(f"{given}={self.value(15)}" for given in found)
        if name == '"rec.html"':
            head += " n=2"
        head = (f" with {head}" if head else "") + (" only" if self.chance(20) else "")
        return f"{{% include {name}{head} %}}"

    def block(self) -> str:
        if not self.free_blocks or (self.loops and self.chance(50)):
            return self.include()
        name = self.free_blocks.pop(0)
        before, self.in_block = self.in_block, True
        text = self.nodes()
        if self.chance(30):
            text += self.pick(
                "{{ block.super }}", "{{ block.super|upper }}", "{{ block.name }}",
                "{% if block.super %}+{% endif %}",
                "{% filter lower %}{{ block.super }}{% endfilter %}",
            )  # fmt: skip
        self.in_block = before
        return f"{{% block {name} %}}{text}{{% endblock{' ' + name if self.chance(30) else ''} %}}"

    def partial(self) -> str:
        if self.partials and self.chance(60):
            return f"{{% partial {self.pick(*self.partials)} %}}"
        if not self.free_partials:
            return self.include()
        if self.chance(15):
            self.free_partials = []
            return RECURSIVE_PARTIAL
        name = self.free_partials.pop()
        inline = " inline" if self.chance(50) else ""
        text = f"{{% partialdef {name}{inline} %}}{self.nodes()}{{% endpartialdef %}}"
        self.partials.append(name)
        return text + (f"{{% partial {name} %}}" if self.chance(60) else "")

    # -- tags of a third party ---------------------------------------------------------------------

    def simple(self) -> str:
        tag = self.pick("joined", "wrapped", "joined", "looked", "refuse")
        if tag in ("looked", "refuse"):
            arguments = f" {self.pick('text', self.value(10))}" if self.chance(70) else ""
        else:
            arguments = self.arguments()
        return f"{{% {self.prefix()}{tag}{arguments}{self.as_target()} %}}"

    def put(self) -> str:
        return f"{{% {self.prefix()}put {self.value()} name='{self.target()}' %}}"

    def nested(self) -> str:
        if not self.includes:
            return self.variable()
        name = self.pick(*(name for name in self.includes if "#" not in name))
        return (
            f"{{% nested '{name}' how='{self.pick('same', 'new', 'other')}'{self.as_target()} %}}"
        )

    def later_upper(self) -> str:
        return self.around("later_upper")

    def inclusion(self) -> str:
        if self.chance(50):
            return f"{{% {self.prefix()}card{self.arguments()} %}}"
        return f"{{% {self.prefix()}context_card {self.value(10)} %}}"

    def boxed(self) -> str:
        tag = f"{self.prefix()}boxed"
        return f"{{% {tag}{self.arguments()}{self.as_target(20)} %}}{self.nodes()}{{% end{tag} %}}"

    def keeping(self) -> str:
        """A tag over an object that keeps state and asks the database."""
        name = self.pick("keep", "keep", "a", "x", self.name())
        return self.pick(  # type: ignore[no-any-return]
            f"{{% answer {name}{self.as_target()} %}}",
            f"{{% answer {self.value(20)} k={name} %}}",
            f"{{% answer_in '{name}'{self.as_target()} %}}",
            f"{{% answer_node {name} %}}",
            f"{{% asking '{self.pick(*HIDERS)}'{self.as_target()} %}}",
        )

    def prefix(self) -> str:
        return self.pick("later_", "later_", "") if self.asynchronous else ""  # type: ignore[no-any-return]

    def whole(self) -> str:
        """A node of a third party with contents."""
        tag = self.pick("upper", "unsafe", "attempt", "repeat", "branches", "own_for", "own_if")
        head, inside = tag, [] if tag != "repeat" else ["x"]
        if tag == "own_for":
            inside = [self.draw(names)]
            head = f"{tag} {inside[0]} in {self.pick('many', 'pairs', self.operand())}"
        elif tag in ("repeat", "own_if"):
            head = f"{tag} {self.pick('n', '2', self.operand())}"
        loop = tag == "own_for"
        self.loops += loop
        with self.binding(*inside):
            text = f"{{% {head} %}}{self.nodes()}"
        self.loops -= loop
        if tag == "branches" and self.chance(50):
            text += f"{{% or %}}{self.nodes()}"
        return f"{text}{{% end{tag} %}}"

    def single(self) -> str:
        """A node of a third party without contents."""
        roll = self.draw(percent)
        if roll < 30:
            return f"{{% set_variable {self.target()} {self.value()} %}}"
        if roll < 60:
            return f"{{% probe {self.name()} %}}"
        return self.pick("{% names %}", "{% turns %}")  # type: ignore[no-any-return]
