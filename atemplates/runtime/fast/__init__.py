"""Faster versions of what Django does: dates, numbers, addresses. The rest is left to Django."""
