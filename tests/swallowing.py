"""Objects, filters and tags that keep state, ask the database, and hide that they were refused.

Each is made anew for a render: the same class, and so the same code, with a state of its own. What
they show depends on how often their code ran before, so a step that was run twice shows.
"""

import contextlib
import functools

from django.db import connection
from django.template import Library, Node
from django.utils.html import format_html


def ask():
    """Ask the database, at little cost: the laws do so thousands of times. It has one group."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM auth_group")
        return cursor.fetchone()[0]


# -- who hides what -----------------------------------------------------------------------------


def by_exception(function):
    try:
        return function()
    except Exception:
        return "hidden"


def by_base_exception(function):
    try:
        return function()
    except BaseException:
        return "hidden"


def by_bare_except(function):
    try:
        return function()
    except:  # noqa: E722
        return "hidden"


def by_suppress(function):
    with contextlib.suppress(Exception):
        return function()
    return "hidden"


def by_finally(function):
    result = "hidden"
    try:
        result = function()
    finally:
        return result  # noqa: B012


def by_decorator(function):
    def careful(inner):
        @functools.wraps(inner)
        def call():
            try:
                return inner()
            except Exception as error:
                return f"hidden {type(error).__name__}"

        return call

    return careful(function)()


def by_default(function):
    class Inner:
        @property
        def value(self):
            try:
                return function()
            except Exception as error:
                raise AttributeError from error

    return getattr(Inner(), "value", "hidden")


def by_nobody(function):
    return function()


HIDING = [
    by_exception,
    by_base_exception,
    by_bare_except,
    by_suppress,
    by_finally,
    by_decorator,
    by_default,
    by_nobody,
]


# -- what is kept -------------------------------------------------------------------------------


class Keeping:
    """An object whose answer depends on what it did before it asked."""

    def __init__(self, hide, asks=True):
        self.hide = hide
        self.asks = asks

    def ask(self):
        return self.hide(ask) if self.asks else 0

    def answer(self):
        raise NotImplementedError


class Flag(Keeping):
    done = False

    def answer(self):
        if self.done:
            return "found itself done"
        self.done = True
        return f"flag {self.ask()}"


class Counter(Keeping):
    count = 0

    def answer(self):
        self.count += 1
        return f"count {self.count} {self.ask()}"


class Memo(Keeping):
    def answer(self):
        if not hasattr(self, "memo"):
            self.memo = "unfinished"
            self.memo = f"memo {self.ask()}"
        return self.memo


class Appending(Keeping):
    def __init__(self, hide, asks=True):
        super().__init__(hide, asks)
        self.items = []

    def answer(self):
        self.items.append(len(self.items))
        return f"items {self.items} {self.ask()}"


class Deleting(Keeping):
    def __init__(self, hide, asks=True):
        super().__init__(hide, asks)
        self.fresh = "fresh"

    def answer(self):
        fresh = self.__dict__.pop("fresh", "stale")
        return f"{fresh} {self.ask()}"


class Slotted:
    __slots__ = ("asks", "count", "hide", "items")

    def __init__(self, hide, asks=True):
        self.hide = hide
        self.asks = asks
        self.items = {}

    def answer(self):
        self.count = getattr(self, "count", 0) + 1
        self.items[self.count] = self.count
        found = self.hide(ask) if self.asks else 0
        return f"slots {self.count} {self.items} {found}"


class Formlike(Keeping):
    """As Django's forms: what was found wrong is noted before it is looked for."""

    errors = None

    def answer(self):
        if self.errors is None:
            self.errors = []
            if self.ask() != 0:
                self.errors.append("wrong")
        return f"errors {self.errors}"


STATES = [Flag, Counter, Memo, Appending, Deleting, Slotted, Formlike]


# -- how a template gets there ------------------------------------------------------------------


def reaching(state):
    """The class of objects that give their answer in every way a template may ask."""

    class Reached(state):
        __slots__ = ()
        __hash__ = None

        @property
        def prop(self):
            return self.answer()

        def method(self):
            return self.answer()

        def __getattr__(self, name):
            if name.startswith("by_getattr"):
                return self.answer()
            raise AttributeError(name)

        def __str__(self):
            return self.answer()

        def __len__(self):
            return len(self.answer())

        def __bool__(self):
            return "hidden" not in self.answer()

        def __iter__(self):
            yield self.answer()
            yield self.answer()

        def __eq__(self, other):
            return self.answer() == other

        def __contains__(self, item):
            return item in self.answer()

    class Subscripted(Reached):
        __slots__ = ()

        def __getitem__(self, key):
            if key == "key":
                return self.answer()
            raise KeyError(key)

    class Html(Reached):
        __slots__ = ()

        def __html__(self):
            return format_html("<i>{}</i>", self.answer())

    return {"o": Reached, "s": Subscripted, "h": Html}


CLASSES = {state: reaching(state) for state in STATES}


def objects(state, hide, asks=True):
    """A context with one object of each kind, all of them new."""
    return {name: kind(hide, asks) for name, kind in CLASSES[state].items()}


# -- tags and filters ---------------------------------------------------------------------------

register = Library()


@register.filter
def answered(value):
    return value.answer()


@register.simple_tag
def answer(value, suffix=""):
    return value.answer() + suffix


@register.simple_tag(takes_context=True)
def answer_in(context, name):
    context["seen"] = context.get("seen", 0) + 1
    return f"{context['seen']} {context[name].answer()}"


class AnswerNode(Node):
    def __init__(self, name):
        self.name = name

    def render(self, context):
        context["rendered"] = context.get("rendered", 0) + 1
        return f"{context['rendered']} {context[self.name].answer()}"


@register.tag
def answer_node(parser, token):
    return AnswerNode(token.split_contents()[1])


def processor(request):
    """A context processor over the object that the request carries."""
    return {"processed": request.kept.answer()}
