"""Tags and filters of a third party that change the settings of the context they are given."""

import asyncio

from django import template

register = template.Library()


class Setting(template.Node):
    """Sets an attribute of the context."""

    def __init__(self, name, value, nodelist=None):
        self.name = name
        self.value = value
        self.nodelist = nodelist

    def render(self, context):
        setattr(context, self.name, self.value.resolve(context))
        return self.nodelist.render(context) if self.nodelist is not None else ""


class SettingLater(Setting):
    def render(self, context):
        raise AssertionError("render_async() is there")

    async def render_async(self, context):
        await asyncio.sleep(0)
        setattr(context, self.name, self.value.resolve(context))
        return await self.nodelist.render_async(context) if self.nodelist is not None else ""


def arguments(parser, token):
    _, name, value = token.split_contents()
    return name, parser.compile_filter(value)


@register.tag
def setting(parser, token):
    return Setting(*arguments(parser, token))


@register.tag
def setting_around(parser, token):
    nodelist = parser.parse(["endsetting_around"])
    parser.delete_first_token()
    return Setting(*arguments(parser, token), nodelist)


@register.tag
def setting_later(parser, token):
    return SettingLater(*arguments(parser, token))


@register.tag
def setting_later_around(parser, token):
    nodelist = parser.parse(["endsetting_later_around"])
    parser.delete_first_token()
    return SettingLater(*arguments(parser, token), nodelist)


@register.simple_tag(takes_context=True)
def simple_setting(context, name, value):
    setattr(context, name, value)
    return ""


@register.simple_tag(takes_context=True)
async def simple_setting_later(context, name, value):
    await asyncio.sleep(0)
    setattr(context, name, value)
    return ""


@register.simple_block_tag(takes_context=True)
def block_setting(context, content, name, value):
    setattr(context, name, value)
    return content


@register.inclusion_tag("part", takes_context=True)
def inclusion_setting(context, name, value):
    setattr(context, name, value)
    return {"t": "<part>"}


# -- without the context in their arguments --------------------------------------------------------


class Holder:
    """A value of the context that knows the context, and can be told to change it."""

    def __init__(self):
        self.context = None
        self.pending = []

    def __str__(self):
        name, value = self.pending.pop(0)
        setattr(self.context, name, value)
        return "<holder>"

    def escaping(self):
        self.context.autoescape = True
        return "<method>"

    @property
    def raw(self):
        self.context.autoescape = False
        return "<property>"


@register.simple_tag(takes_context=True)
def hold(context, holder):
    holder.context = context
    holder.pending = [("autoescape", True), ("autoescape", False)] * 10
    return ""


@register.filter
def escaping(value, holder):
    holder.context.autoescape = True
    return value


@register.filter
def raw(value, holder):
    holder.context.autoescape = False
    return value


# -- names -----------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def new_dicts(context, **values):
    """Put other dicts in the place of the context's."""
    context.dicts = [*context.dicts[:-1], {**context.dicts[-1], **values}]
    return ""
