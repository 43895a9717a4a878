"""The markup of parts that are sent out of their order: a placeholder, and later what is for it.

This is `<template for>`_ of the HTML standard, which a browser's parser follows without a script::

    <?start name="d1">Loading<?end>  …  <template for="d1">The part</template>

For other browsers `polyfill` does the same in a script. Where neither is there, the placeholder
stays, and the part, which is the content of a template, is not shown.

In a page that was sent like this:

* Scripts in a part are run when it is placed, by the parser as by the polyfill. The latter does not
  make the page wait for those with a ``src``, and runs them in any order.
* A browser that knows the standard looks for the placeholder in the element that the template is
  in, or in the whole page if that is the body (`Position.reaches` in the module `positions`). What
  it does not find it leaves where it is, and the polyfill places it.
* A part is parsed for itself. It cannot end an element that is around its placeholder: a ``<div>``
  whose placeholder is in a paragraph is in that paragraph afterwards, and in place would have ended
  it. In SVG and MathML a part would be HTML.
* Nothing in a part or placeholder reaches beyond its end (see `atemplates.streaming.parts.whole`).

.. _<template for>: https://html.spec.whatwg.org/multipage/scripting.html#attr-template-for
"""

import re
from html import escape
from importlib.resources import files

from .parts import whole

_NAME = re.compile(r"[A-Za-z0-9_-]+")
# Before what follows it has arrived, a script cannot tell whether all of a template has.
_AFTER_A_FILL = "<!---->"


def _read_polyfill() -> str:
    lines = files("atemplates.streaming").joinpath("polyfill.js").read_text("utf-8").splitlines()
    code = (line.strip() for line in lines)
    return "".join(line for line in code if not line.startswith("//"))


_POLYFILL = _read_polyfill()


def placeholder(name: str, html: str) -> str:
    """What stands in a part's place until that is there.

    Args:
        name: of the part, which no other of the page has and nobody can guess: letters, digits,
            ``_`` and ``-``.
        html: what is shown. Elements that it leaves open are closed; end tags of elements that it
            has not opened, and whatever else would reach beyond its end, are made harmless.

    Raises:
        ValueError: the name has other characters.
    """
    return f'<?start name="{_checked(name)}">{whole(html, in_place=True)}<?end>'


def fill_part(name: str, html: str) -> str:
    """What puts a part into the place of its placeholder, which was sent before.

    The empty comment behind it tells the polyfill that all of it has arrived, which then takes that
    away, too.

    Args:
        name: the placeholder's.
        html: the part, in which placeholders may be. What would reach beyond its end is made
            harmless.

    Raises:
        ValueError: the name has other characters than letters, digits, ``_`` and ``-``.
    """
    return (
        f'<template for="{_checked(name)}">{whole(html, in_place=False)}</template>{_AFTER_A_FILL}'
    )


def polyfill(nonce: str | None) -> str:
    """The script that places fills where the browser has not, to be sent once, before the first.

    It takes itself out of the page, follows it until all of it has arrived, and adds no name.

    Args:
        nonce: of the page's Content-Security-Policy, None where it has none.
    """
    allowed = "" if nonce is None else f' nonce="{escape(str(nonce))}"'
    return f"<script{allowed}>{_POLYFILL}</script>"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"A part cannot be called {name!r}: names have letters, digits, '_' and '-' only."
        )
    return name
