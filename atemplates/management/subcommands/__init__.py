"""The subcommands of ``manage.py atemplates``: one module each, which names its class here."""

from .base import Subcommand
from .check import Check
from .compile import CompileSubcommand
from .explain import Explain
from .lazy import Lazy
from .lsp import Lsp
from .plan import PlanSubcommand

SUBCOMMANDS: tuple[type[Subcommand], ...] = (
    Check,
    CompileSubcommand,
    Explain,
    Lazy,
    Lsp,
    PlanSubcommand,
)

__all__ = ["SUBCOMMANDS", "Subcommand"]
