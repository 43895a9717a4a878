"""A library with a tag that says where it runs; tests/placement/test_learned_file.py asks it in a subprocess."""

import threading

from django.template import Library

register = Library()


@register.simple_tag
def where():
    return "loop" if threading.current_thread() is threading.main_thread() else "thread"
