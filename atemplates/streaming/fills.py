"""The markup of parts that follow out of order (stands for what is being written beside this)."""

from __future__ import annotations


def placeholder(name: str, html: str) -> str:
    """Return a placeholder."""
    return f'<?start name="{name}">{html}<?end>'


def fill(name: str, html: str) -> str:
    """Return what takes its place."""
    return f'<template for="{name}">{html}</template>'


def polyfill(nonce: str | None) -> str:
    """Return the script."""
    return f'<script nonce="{nonce}"></script>'
