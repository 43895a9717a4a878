"""A tag as a library of forms has it: its template uses the token, and the page's does not mention it."""

from django.template import Library, Template

register = Library()


@register.inclusion_tag(Template("<form>{% csrf_token %}</form>"))
def form_of_others():
    return {}
