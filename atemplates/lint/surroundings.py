"""What a template names beside the values that it is given, checked by all rules there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.template.engine import Engine

from ..analysis.site.templates import SiteTemplates
from ..problems import Problem
from .blocks import block_problems
from .links import link_problems
from .static_files import StaticFiles
from .urls import SiteUrls


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is around the templates of a site."""

    urls: SiteUrls | None
    """None when it is not known which URLconf a request has."""
    files: StaticFiles | None
    """None when nothing is known of the static files."""
    faults: tuple[Problem, ...] = ()
    """Why something is not known."""

    @classmethod
    def of_site(cls, middleware: Iterable[str]) -> Surroundings:
        """Return those of the site.

        Args:
            middleware: the paths of its middleware.
        """
        try:
            urls = SiteUrls.of_site(middleware)
        except Exception as error:
            what = "cannot look for addresses: the URLconf cannot be read"
            text = f"{what}: {type(error).__name__}: {error}"
            return cls(None, StaticFiles.of_site(), (Problem(text, code="no-such-url"),))
        return cls(urls, StaticFiles.of_site())

    def problems(self, site: SiteTemplates, name: str, engine: Any) -> Iterator[Problem]:
        """Return the addresses, static files, blocks and arguments that are wrong in a template.

        Args:
            site: what its engine's templates say.
            name: the template.
            engine: that of a Django backend, or a Jinja2 environment.
        """
        if isinstance(engine, Engine):
            if name in site.parsed:
                yield from link_problems(site, name, self.urls, self.files)
                yield from block_problems(site, name, engine)
        elif name in site.trees:
            from .jinja2_blocks import jinja2_block_problems
            from .jinja2_calls import call_problems
            from .jinja2_links import jinja2_link_problems

            yield from jinja2_link_problems(site, name, engine, self.urls, self.files)
            yield from jinja2_block_problems(site, name, engine)
            yield from call_problems(site, name, engine)
