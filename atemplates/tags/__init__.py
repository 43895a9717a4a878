"""How each Django tag is written as code, one module a family. Importing this fills the tables."""

from . import arguments, cache, flow, i18n, inheritance, library, links, output, relations

__all__ = [
    "arguments",
    "cache",
    "flow",
    "i18n",
    "inheritance",
    "library",
    "links",
    "output",
    "relations",
]
