"""Tags of a site as they are used in loops: functions, nodes, and nodes around others."""

from django import template
from django.contrib.contenttypes.models import ContentType
from django.template.defaultfilters import stringfilter
from django.utils.html import format_html
from django.utils.translation import activate

register = template.Library()


@register.simple_tag
def worded(value):
    return str(value)


@register.simple_tag
def give(value):
    return value


@register.simple_tag(takes_context=True)
def seen(context, *names):
    return " ".join(f"{name}={context.get(name, 'none')}" for name in names)


@register.simple_tag(takes_context=True)
def counted(context, name):
    """Count in the outermost frame, as a tag does that remembers something for the page."""
    context.dicts[0][name] = context.dicts[0].get(name, 0) + 1
    return context[name]


@register.simple_tag(takes_context=True)
def names_row(context, value):
    context["row"] = value
    return ""


@register.simple_tag(takes_context=True)
def leaves_frame(context, name, value):
    context.push(**{name: value})
    return ""


@register.simple_tag
def strong(*parts, sep="-", **named):
    return format_html("<b>{}</b>", sep.join([*map(str, parts), *map(str, named.items())]))


@register.simple_block_tag
def boxed(content, title="t"):
    return format_html("[{}:{}]", title, content)


@register.inclusion_tag("included.html")
def included(row):
    return {"row": row}


@register.inclusion_tag("included.html", takes_context=True)
def included_with(context, name):
    return {"row": context[name], "extra": context.get("extra")}


class ShowNode(template.Node):
    def __init__(self, expressions):
        self.expressions = expressions

    def render(self, context):
        return "|".join(str(expression.resolve(context, True)) for expression in self.expressions)


@register.tag
def shows(parser, token):
    return ShowNode([parser.compile_filter(bit) for bit in token.split_contents()[1:]])


class RawNode(ShowNode):
    def render(self, context):
        return self.expressions[0].resolve(context)


@register.tag
def raw(parser, token):
    return RawNode([parser.compile_filter(bit) for bit in token.split_contents()[1:]])


class PushNode(template.Node):
    def __init__(self, nodelist):
        self.nodelist = nodelist

    def render(self, context):
        with context.push(pushed="pushed"):
            return self.nodelist.render(context)


@register.tag
def pushes(parser, token):
    nodelist = parser.parse(("endpushes",))
    parser.delete_first_token()
    return PushNode(nodelist)


@register.filter
def same(value, *args):
    return args[0] if args else value


@register.filter(is_safe=True)
def same_safe(value):
    return value


@register.filter(needs_autoescape=True)
def told(value, autoescape=None):
    return f"{value}{autoescape}"


@register.filter(expects_localtime=True)
def zone(value):
    return getattr(value, "tzinfo", None) or value


@register.filter
@stringfilter
def louder(value, mark="!"):
    return f"{type(value).__name__} {value}{mark}"


@register.filter(is_safe=True)
@stringfilter
def louder_safe(value):
    return value + "<"


@register.filter(needs_autoescape=True)
@stringfilter
def louder_told(value, autoescape=None):
    return value + str(autoescape)


@register.filter
def fails_for_digits(value):
    return 1 / (not str(value).isdigit())


async def later(value):
    return value


@register.filter
def comes_later(value):
    return later(value)


@register.simple_tag
def asks_for(value, bad):
    """Ask the database for one of the values."""
    if value == bad:
        try:
            ContentType.objects.count()
        except Exception:
            return "swallowed"
    return value


@register.filter
def asking(value, bad):
    return asks_for(value, bad)


@register.simple_tag
def speaks(value, bad):
    """Change the language, and fail for one of the values."""
    activate("de" if value == bad else "en")
    return 1 / (value != bad)
