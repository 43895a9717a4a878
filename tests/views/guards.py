"""What a site may have of its own around logins: backends, sessions, middleware. Each refuses."""

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils.functional import SimpleLazyObject


class NobodyBackend(ModelBackend):
    """Loads nobody; ``aget_user`` is Django's and would."""

    def get_user(self, user_id):
        return None


class NoPermissionsBackend(ModelBackend):
    """Grants nothing; ``ahas_perm`` is Django's and would."""

    def has_perm(self, user_obj, perm, obj=None):
        return False


class SessionStore(DatabaseStore):
    """With this module as ``SESSION_ENGINE``: what is loaded in a thread is empty."""

    def load(self):
        return {}


class Middleware:
    """The base of those that set ``request.user``, after Django's, and leave ``request.auser``."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.user = self.user(request)
        return self.get_response(request)


class Banning(Middleware):
    def user(self, request):
        return AnonymousUser()


class BanningLazily(Middleware):
    def user(self, request):
        return SimpleLazyObject(AnonymousUser)


class BanningAfterALook(Middleware):
    """Its lazy object is made of Django's, in the thread."""

    def user(self, request):
        found = request.user
        return SimpleLazyObject(
            lambda: AnonymousUser() if found.get_username() in ("plain", "able") else found
        )


class Replacing(Middleware):
    """Everybody is the user called ``plain``."""

    def user(self, request):
        return SimpleLazyObject(lambda: get_user_model().objects.get(username="plain"))


class WithoutAuser(Middleware):
    """As before Django 5.0: there is no ``request.auser``."""

    def user(self, request):
        del request.auser
        return request.user
