"""An async-capable template engine backend for Django."""

from .parallel.batched import batched
from .parallel.loads import aload
from .shortcuts import aget_template, arender, arender_to_string, aselect_template

__all__ = [
    "aget_template",
    "aload",
    "arender",
    "arender_to_string",
    "aselect_template",
    "batched",
]
__version__ = "0.1.0"
