"""The access mixins of ``django.contrib.auth.mixins``, which takes that app to be installed."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib.auth import get_backends, middleware
from django.contrib.auth import mixins as stock
from django.http import HttpRequest
from django.utils.functional import LazyObject, empty

from ..runtime.drivers import in_request_thread
from ..runtime.types import is_awaitable
from .answered import Answered
from .hooks import Hooks, ask, twin


async def user_of(request: HttpRequest) -> Any:
    """Return a request's user, the one that ``request.user`` gives in a thread, loaded.

    ``request.auser()`` loads it where that is sure to find the same user: where all the code that
    looks for it is Django's. A backend or a session store of the site may have a rule in its sync
    method that the async one, inherited from Django, does not know; so there the user is loaded in
    the request's thread.
    """
    user: Any = request.user
    if not isinstance(user, LazyObject) or getattr(user, "_wrapped", None) is not empty:
        return user
    if _auser_is_user(request, user):
        loaded = await request.auser()
        # So that `request.user`, which templates ask, needs no query of its own.
        request._cached_user = loaded  # type: ignore[attr-defined]
        return loaded
    return await in_request_thread(_load, user)


def _load(user: Any) -> Any:
    bool(user.is_authenticated)
    return user


def _auser_is_user(request: HttpRequest, user: Any) -> bool:
    """Whether ``request.auser()`` is sure to find what the lazy ``request.user`` would load."""
    auser = getattr(request, "auser", None)
    return (
        isinstance(auser, partial)
        and auser.func is middleware.auser
        and getattr(vars(user).get("_setupfunc"), "__module__", "") == middleware.__name__
        and type(request.session).__module__.startswith("django.contrib.sessions.backends.")
        and all(map(_has_djangos_get_user, get_backends()))
    )


def _has_djangos_get_user(backend: Any) -> bool:
    methods = (getattr(type(backend), name, None) for name in ("get_user", "aget_user"))
    return all(
        getattr(method, "__module__", "") == "django.contrib.auth.backends" for method in methods
    )


class AccessMixin(Hooks, stock.AccessMixin):
    """Django's mixin of the same name."""

    request: HttpRequest

    @twin
    async def handle_no_permission(self) -> Any:
        """Redirect to the login page.

        Raises:
            PermissionDenied: the user is logged in, or ``raise_exception`` is on.
        """
        await user_of(self.request)
        answered: Any = Answered(
            self,
            get_permission_denied_message=await ask(self.get_permission_denied_message),
            get_login_url=await ask(self.get_login_url) if self._redirects() else None,
            get_redirect_field_name=await ask(self.get_redirect_field_name),
        )
        return stock.AccessMixin.handle_no_permission(answered)

    def _redirects(self) -> bool:
        """Whether the login page is needed: it raises where there is none."""
        user: Any = self.request.user
        return not (self.raise_exception or user.is_authenticated)


class LoginRequiredMixin(AccessMixin, stock.LoginRequiredMixin):
    """Django's mixin of the same name, which loads the user without blocking the event loop."""

    @twin
    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Let those in who are logged in."""
        if not (await user_of(request)).is_authenticated:
            return await ask(self.handle_no_permission)
        return await ask(super().dispatch, request, *args, **kwargs)


class PermissionRequiredMixin(AccessMixin, stock.PermissionRequiredMixin):
    """Django's mixin of the same name.

    Authentication backends are asked in the request's thread, by the methods that a sync view asks.
    """

    @twin
    async def has_permission(self) -> Any:
        """Whether the user has all permissions that are required."""
        permissions = await ask(self.get_permission_required)
        user = await user_of(self.request)
        return await in_request_thread(user.has_perms, permissions)

    @twin
    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Let those in who have the permissions."""
        if not await ask(self.has_permission):
            return await ask(self.handle_no_permission)
        return await ask(super().dispatch, request, *args, **kwargs)


class UserPassesTestMixin(AccessMixin, stock.UserPassesTestMixin):
    """Django's mixin of the same name, whose ``test_func`` may be an ``async def``."""

    @twin
    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Let those in who pass the test."""
        verdict = await ask(await ask(self.get_test_func))
        while is_awaitable(verdict):
            verdict = await verdict
        if not verdict:
            return await ask(self.handle_no_permission)
        return await ask(super().dispatch, request, *args, **kwargs)
