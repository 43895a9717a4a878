"""The other engines that run Django templates: found by what is installed, never required."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from django.utils.module_loading import import_string

from ..engines import parameters


@dataclass(frozen=True)
class Peer:
    """An engine of somebody else's."""

    name: str
    """What its column is called."""
    distribution: str
    """What to install."""
    backend: str
    """The class to name in TEMPLATES."""

    @property
    def is_here(self) -> bool:
        """Whether it is installed."""
        return find_spec(self.backend.partition(".")[0]) is not None

    @property
    def version(self) -> str:
        """Which one is installed."""
        return version(self.distribution)


PEERS = (
    Peer("Rust", "django-rust-templates", "django_rust_templates.RustTemplates"),
    Peer("Rusty", "django-rusty-templates-agentic", "django_rusty_templates.RustyTemplates"),
    Peer("Oxide", "django-template-oxide", "django_template_oxide.backend.OxideTemplates"),
    Peer("dtc", "django-template-compiler", "dtc.backend.DTCTemplates"),
    Peer(
        "Cython",
        "django-templates-cythonized",
        "django_templates_cythonized.backend.CythonizedTemplates",
    ),
)


def installed_peers() -> list[Peer]:
    """Return the peers that are installed."""
    return [peer for peer in PEERS if peer.is_here]


@cache
def peer_backend(peer: Peer) -> Any:
    """Return the peer's backend, set up like Django's own."""
    return import_string(peer.backend)(parameters(peer.name))


def peer_render(peer: Peer, source: str) -> Callable[..., Any]:
    """Return the function that renders a source with a peer."""
    render: Callable[..., Any] = peer_backend(peer).from_string(source).render
    return render
