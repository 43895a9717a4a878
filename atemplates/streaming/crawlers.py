"""Who gets a page whole: programs that read it without running its scripts."""

from __future__ import annotations

import re

from django.http import HttpRequest

CRAWLERS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|archiver|facebookexternalhit|whatsapp|"
    r"mediapartners-google|google-inspectiontool|feedfetcher|lighthouse|validator",
    re.IGNORECASE,
)
"""What the ``User-Agent`` of known crawlers, of previews in chats, and of checkers contains."""


def is_crawler(request: HttpRequest | None) -> bool:
    """Whether a request comes from a program that is known to read pages without a person.

    The default of ``OPTIONS["stream"]["complete_for"]``. It tells by the ``User-Agent`` header.
    """
    agent = "" if request is None else request.headers.get("User-Agent", "")
    return CRAWLERS.search(agent) is not None
