"""Where in a page the sender stands (stands for what is being written beside this)."""

from __future__ import annotations


class Position:
    """Follows the HTML of a page as it is sent."""

    def feed(self, text: str) -> None:
        """Take what is sent next."""

    @property
    def takes_elements(self) -> bool:
        """Whether a ``<template>`` may be sent here."""
        return True

    def takes_placeholder(self, markup: str) -> bool:
        """Whether a placeholder may be sent here."""
        return True

    def split_before_end(self, text: str) -> tuple[str, str]:
        """Cut before the end of the body."""
        before, end, after = text.rpartition("</body>")
        return (before, end + after) if end else (text, "")
