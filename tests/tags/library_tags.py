"""Tags and filters made with ``Library``, sync and async, as a third party writes them."""

import asyncio

from django import template
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from tests.tags.places import note

register = template.Library()


# -- simple tags -----------------------------------------------------------------------------------


@register.simple_tag
def join(*args, **kwargs):
    note("join")
    return "-".join([*map(str, args), *(f"{key}={value}" for key, value in kwargs.items())])


@register.simple_tag
async def ajoin(*args, **kwargs):
    note("ajoin")
    await asyncio.sleep(0)
    return "-".join([*map(str, args), *(f"{key}={value}" for key, value in kwargs.items())])


@register.simple_tag(takes_context=True)
def read(context, name):
    return context[name]


@register.simple_tag(takes_context=True)
async def aread(context, name):
    await asyncio.sleep(0)
    return context[name]


@register.simple_tag(takes_context=True)
def put(context, name, value):
    context[name] = value
    return ""


@register.simple_tag(takes_context=True)
async def aput(context, name, value):
    await asyncio.sleep(0)
    context[name] = value
    return ""


@register.simple_tag
def give(value):
    return value


@register.simple_tag
async def agive(value):
    return value


@register.simple_tag
def bold(text):
    return format_html("<b>{}</b>", text)


@register.simple_tag
async def abold(text):
    return format_html("<b>{}</b>", text)


@register.simple_tag
def fail():
    raise ZeroDivisionError("in a tag")


@register.simple_tag
async def afail():
    await asyncio.sleep(0)
    raise ZeroDivisionError("in a tag")


@register.simple_tag
def returns_coroutine(value):
    return agive_coroutine(value)


async def agive_coroutine(value):
    return value


@register.simple_tag
def keyword_only(*, word="default"):
    return word


# -- block tags ------------------------------------------------------------------------------------


@register.simple_block_tag
def wrapped(content, mark="*"):
    note("wrapped")
    return mark_safe(f"{mark}{content}{mark}")


@register.simple_block_tag
async def awrapped(content, mark="*"):
    await asyncio.sleep(0)
    return mark_safe(f"{mark}{content}{mark}")


@register.simple_block_tag(takes_context=True)
def named(context, content, name):
    return f"{context[name]}:{content}"


@register.simple_block_tag(takes_context=True)
async def anamed(context, content, name):
    await asyncio.sleep(0)
    return f"{context[name]}:{content}"


@register.simple_block_tag
def twice(content):
    return content + content


# -- inclusion tags --------------------------------------------------------------------------------


@register.inclusion_tag("inclusion")
def show(a, b="B"):
    note("show")
    return {"a": a, "b": b}


@register.inclusion_tag("inclusion")
async def ashow(a, b="B"):
    await asyncio.sleep(0)
    return {"a": a, "b": b}


@register.inclusion_tag("inclusion", takes_context=True)
def show_context(context, name):
    return {"a": context[name], "b": context.get("b", "none")}


@register.inclusion_tag("inclusion", takes_context=True)
async def ashow_context(context, name):
    await asyncio.sleep(0)
    return {"a": context[name], "b": context.get("b", "none")}


@register.inclusion_tag("inclusion", takes_context=True)
def show_whole(context):
    return context


@register.inclusion_tag(["nowhere", "inclusion"])
def show_list(a):
    return {"a": a}


@register.inclusion_tag("awaits")
def show_awaitable():
    return {"a": agive_coroutine("<awaited>")}


@register.inclusion_tag("token")
def show_token():
    return {}


@register.inclusion_tag("nowhere")
def show_nothing():
    return {}


@register.inclusion_tag("inclusion")
def show_fail():
    raise ZeroDivisionError("in an inclusion tag")


# -- filters ---------------------------------------------------------------------------------------


@register.filter
def exclaim(value, mark="!"):
    note("exclaim")
    return f"{value}{mark}"


@register.filter
async def aexclaim(value, mark="!"):
    await asyncio.sleep(0)
    return f"{value}{mark}"


@register.filter(is_safe=True)
def keeps(value):
    return f"{value}."


@register.filter(is_safe=True)
async def akeeps(value):
    return f"{value}."


@register.filter(needs_autoescape=True)
def escapes(value, autoescape=None):
    return f"{value}{autoescape}"


@register.filter(needs_autoescape=True)
async def aescapes(value, autoescape=None):
    return f"{value}{autoescape}"


@register.filter(expects_localtime=True)
def hour(value):
    return f"{value:%H}"


@register.filter(expects_localtime=True)
async def ahour(value):
    return f"{value:%H}"


@register.filter
def broken(value):
    raise ZeroDivisionError("in a filter")


@register.filter
async def abroken(value):
    raise ZeroDivisionError("in a filter")


@register.filter
def undecodable(value):
    b"\xff".decode()


@register.filter
async def aundecodable(value):
    b"\xff".decode()
