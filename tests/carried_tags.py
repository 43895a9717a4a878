"""A library with a tag that says where it runs; tests/test_carried.py asks it in a subprocess."""

import threading

from django.template import Library

register = Library()


@register.simple_tag
def where():
    return "loop" if threading.current_thread() is threading.main_thread() else "thread"
