"""Tags and filters of a third party, for traces to name."""

from django import template
from django.template.loader import render_to_string

from tests.testapp.models import Animal

register = template.Library()


@register.simple_tag
def shout(text):
    return str(text).upper() + str(len(__name__))


@register.simple_tag
def counted_animals():
    return Animal.objects.count()


@register.simple_tag
def rendered_inside():
    return render_to_string("part.html", {"text": "inner"}, using="traced")


@register.filter
def doubled(value):
    return f"{value}{value}{__name__[:0]}"


class Plain(template.Node):
    def render(self, context):
        return f"plain{__name__[:0]}"


@register.tag
def plain(parser, token):
    return Plain()


def processor(request):
    return {"from_processor": __name__}
