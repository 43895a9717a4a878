"""Other code of a template that was compiled: written once more, from the same text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2.exceptions import TemplateError

from ..runtime.waits import Plan
from .callables import RenderFunction
from .template_texts import parsed_again


def written_again(
    function: RenderFunction, generator: Callable[..., Any]
) -> tuple[dict[str, RenderFunction], dict[str, Callable[..., Plan]] | None]:
    """Compile a template once more, by another code generator.

    Args:
        function: one of the template's functions.
        generator: gives the code generator, made of the usual one of an environment.

    Returns:
        The template's functions: its blocks, and its root by the name ""; and the plans that the
        other code has for them, or None if the template's text does not give its usual code any
        more, or is not known.
    """
    template = function._plan.__globals__["__jinja_template__"]
    functions = {**template.blocks, "": template.root_render_func}
    return functions, _plans_of(template, generator)


def _plans_of(
    template: Any, generator: Callable[..., Any]
) -> dict[str, Callable[..., Plan]] | None:
    environment = template.environment
    names = template.root_render_func._plan.__globals__
    file = None if template.filename == "<template>" else template.filename
    if "source" not in names:
        return None
    usual = environment.code_generator_class
    codes = []
    for kind in (usual, generator(usual)):
        try:
            tree = parsed_again(environment, names["source"], template.name, file)
            code = kind(environment, template.name, file, optimized=environment.optimized)
            code.visit(tree)
        except TemplateError:
            return None
        codes.append(code)
    if codes[0].digest != names["digest"]:
        return None
    compiled = compile(codes[1].stream.getvalue(), template.filename, "exec")
    namespace = {"environment": environment, "__file__": compiled.co_filename}
    exec(compiled, namespace)  # as Jinja2 does
    made: Any = type(template)._from_namespace(environment, namespace, template.globals)
    plans = {name: block._plan for name, block in made.blocks.items()}
    # Blocks know each other by the functions of the template.
    namespace |= {f"block_{name}": block for name, block in template.blocks.items()}
    return {**plans, "": made.root_render_func._plan}
