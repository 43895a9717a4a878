"""Tests against the released django-async-backend, on PostgreSQL.

It wants a database engine and an app of its own, so `tests/engines/test_async_backend.py` runs these
files in a process with settings of their own.
"""
