"""What a page may write to its request, and when: behind Django's own middleware and stores."""

import copy
import gc
import pickle
import weakref
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth import alogin, alogout, login, logout
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.middleware.csrf import get_token, rotate_token
from django.test import AsyncClient
from django.utils.functional import SimpleLazyObject

from atemplates.errors import LateWrite
from tests.delivery.sites import SITE, install
from tests.event_loop import turns

pytestmark = pytest.mark.django_db

HEAD = "<html><head></head><body>"
ENGINES = pytest.mark.parametrize("using", ["django", "jinja2"])
STORES = pytest.mark.parametrize("store", ["db", "cached_db", "cache", "signed_cookies"])
LATE = HEAD + "{{ later }}\n{{ write_it }}"
"""A page that calls `write_it` after its headers have left, on the second line."""
EARLY = HEAD.replace("</head>", "\n{{ write_it }}</head>") + "{{ later }}"


async def get(client=None):
    """Return the page's text and its response."""
    response = await (client or AsyncClient()).get("/")
    return await read(response), response


async def read(response):
    SITE.is_read = True
    return b"".join([chunk async for chunk in response]).decode()


async def visitor(settings, store="db", **values):
    """Return a client with a session."""
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{store}"
    client = AsyncClient()
    session = await client.asession()
    await session.aupdate({"known": 1, **values})
    await session.asave()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


async def stored(settings, client):
    """What the visitor's next request would find in the session."""
    session = await client.asession()
    return dict(await session.aitems())


def assert_located(error, using):
    assert error.location.line == 2
    assert error.location.template == "page"
    if using == "django":
        assert "{{ write_it }}" in str(error)
    assert "the headers of the response have left" in str(error)
    assert "before `await astream(...)`" in str(error)


SESSION_WRITES = {
    "setting": lambda session: session.__setitem__("new", 1),
    "deleting": lambda session: session.__delitem__("known"),
    "pop": lambda session: session.pop("known"),
    "setdefault": lambda session: session.setdefault("new", 1),
    "update": lambda session: session.update({"new": 1}),
    "clear": lambda session: session.clear(),
    "flush": lambda session: session.flush(),
    "cycle_key": lambda session: session.cycle_key(),
    "create": lambda session: session.create(),
    "delete": lambda session: session.delete(),
    "save": lambda session: session.save(),
    "set_expiry": lambda session: session.set_expiry(timedelta(days=1)),
    "set_test_cookie": lambda session: session.set_test_cookie(),
    "modified": lambda session: setattr(session, "modified", True),
    "aset": lambda session: session.aset("new", 1),
    "apop": lambda session: session.apop("known"),
    "asetdefault": lambda session: session.asetdefault("new", 1),
    "aupdate": lambda session: session.aupdate({"new": 1}),
    "aflush": lambda session: session.aflush(),
    "acycle_key": lambda session: session.acycle_key(),
    "acreate": lambda session: session.acreate(),
    "adelete": lambda session: session.adelete(),
    "asave": lambda session: session.asave(),
    "aset_expiry": lambda session: session.aset_expiry(10),
    "aset_test_cookie": lambda session: session.aset_test_cookie(),
}


@ENGINES
@pytest.mark.parametrize("write", SESSION_WRITES.values(), ids=SESSION_WRITES)
async def test_a_late_write_to_the_session(settings, using, write):
    install(settings, LATE)
    SITE.using = using
    SITE.context["write_it"] = lambda request: write(request.session)
    client = await visitor(settings)
    with pytest.raises(LateWrite) as caught:
        await get(client)
    assert_located(caught.value, using)
    assert "request.session" in str(caught.value)
    assert await stored(settings, client) == {"known": 1}


@STORES
@pytest.mark.parametrize("write", ["setting", "flush", "aset", "cycle_key", "acycle_key"])
async def test_in_every_store(settings, store, write):
    install(settings, LATE)
    SITE.context["write_it"] = lambda request: SESSION_WRITES[write](request.session)
    client = await visitor(settings, store)
    with pytest.raises(LateWrite):
        await get(client)
    assert await stored(settings, client) == {"known": 1}


@ENGINES
@pytest.mark.parametrize("write", SESSION_WRITES.values(), ids=SESSION_WRITES)
async def test_the_same_before_the_shell_leaves(settings, using, write):
    install(settings, EARLY)
    SITE.using = using
    done = []

    async def write_async(result):
        done.append(await result)

    def write_it(request):
        result = write(request.session)
        return write_async(result) if hasattr(result, "__await__") else done.append(result)

    SITE.context["write_it"] = write_it
    text, _ = await get(await visitor(settings))
    assert text.startswith("<html><head>")
    assert done


@STORES
async def test_what_is_written_before_is_stored(settings, store):
    install(settings, EARLY)
    SITE.context["write_it"] = lambda request: request.session.update({"new": 2})
    client = await visitor(settings, store)
    await get(client)
    assert await stored(settings, client) == {"known": 1, "new": 2}


READS = {
    "get": lambda session: session.get("known"),
    "subscript": lambda session: session["known"],
    "pop of what is not there": lambda session: session.pop("missing", 1),
    "setdefault of what is there": lambda session: session.setdefault("known", 5),
    "set_expiry to none": lambda session: session.set_expiry(None) or 1,
    "apop of what is not there": lambda session: session.apop("missing", 1),
    "asetdefault of what is there": lambda session: session.asetdefault("known", 5),
}


@ENGINES
@STORES
@pytest.mark.parametrize("read", READS.values(), ids=READS)
async def test_late_reads(settings, using, store, read):
    """Also in a session that was written before, and so says that it is modified."""
    install(settings, LATE)
    SITE.using = using
    SITE.context["write_it"] = lambda request: read(request.session)
    client = await visitor(settings, store)
    text, response = await get(client)
    assert text == HEAD + "\n1"
    assert "Cookie" in response["Vary"]
    SITE.begin = lambda request: request.session.aset("new", 2)
    text, _ = await get(client)
    assert text == HEAD + "\n1"
    assert await stored(settings, client) == {"known": 1, "new": 2}


async def test_the_view_and_middleware_write_on(settings):
    install(settings, HEAD + "{{ later }}")
    SITE.end = lambda request: request.session.aset("new", 2)
    client = await visitor(settings)
    assert (await get(client))[0] == HEAD
    assert await stored(settings, client) == {"known": 1, "new": 2}


@pytest.mark.parametrize("cookie", ["no-such-key-in-the-store", "short", "a:b:c"])
@STORES
async def test_a_session_that_is_no_more(settings, store, cookie):
    """Loading it changes it: a late read of it is no write."""
    install(settings, LATE)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{store}"
    SITE.context["write_it"] = lambda request: request.session.get("known", "none")
    client = AsyncClient()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert (await get(client))[0] == HEAD + "\nnone"


@ENGINES
@pytest.mark.parametrize("way", ["login", "logout", "alogin", "alogout"])
async def test_login_and_logout(settings, using, way):
    install(settings, LATE)
    SITE.using = using
    user = await User.objects.acreate_user("somebody")
    write = {
        "login": lambda request: login(request, user),
        "logout": logout,
        "alogin": lambda request: alogin(request, user),
        "alogout": alogout,
    }[way]
    SITE.context["write_it"] = write
    client = await visitor(settings)
    await client.aforce_login(user)
    before = await stored(settings, client)
    with pytest.raises(LateWrite) as caught:
        await get(client)
    assert_located(caught.value, using)
    assert await stored(settings, client) == before


# -- stores of others ------------------------------------------------------------------------------


class OwnStore:
    """A store that is nobody's subclass, and that a method of its own writes."""

    def __init__(self, session_key=None):
        self.values, self.modified, self.accessed = {}, False, False

    def is_empty(self):
        return not self.values

    def get_expire_at_browser_close(self):
        return True

    def save(self):
        self.session_key = "x" * 8

    def get(self, key, default=None):
        return self.values.get(key, default)

    def __setitem__(self, key, value):
        self.values[key] = value

    def note_visit(self):
        self.modified = True


class SlottedStore(OwnStore):
    __slots__ = ("more",)


class DictStore(dict):
    modified = accessed = False

    def __init__(self, session_key=None):
        super().__init__()

    is_empty = OwnStore.is_empty
    save = OwnStore.save


def set_item(request):
    request.session["a"] = 1


@pytest.mark.parametrize("kind", [OwnStore, SlottedStore, DictStore])
async def test_stores_of_others(settings, monkeypatch, kind):
    monkeypatch.setattr("tests.delivery.sites.SessionStore", kind, raising=False)
    settings.SESSION_ENGINE = "tests.delivery.sites"
    install(settings, LATE)
    SITE.context["write_it"] = set_item
    with pytest.raises(LateWrite):
        await get()
    assert isinstance(SITE.request.session, kind)
    assert SITE.request.session.get("a") is None


async def test_a_method_of_its_own(settings, monkeypatch):
    monkeypatch.setattr("tests.delivery.sites.SessionStore", OwnStore, raising=False)
    settings.SESSION_ENGINE = "tests.delivery.sites"
    install(settings, LATE)
    SITE.context["write_it"] = lambda request: request.session.note_visit()
    with pytest.raises(LateWrite, match="modified = True"):
        await get()


async def test_a_dict_that_nobody_saves(settings):
    install(settings, LATE)
    settings.MIDDLEWARE = []

    async def begin(request):
        request.session = {}

    SITE.begin = begin
    SITE.context["write_it"] = set_item
    await get()
    assert SITE.request.session == {"a": 1}


@pytest.mark.parametrize("is_made", [True, False])
async def test_a_lazy_session(settings, is_made):
    """It is not made by what is prepared on the event loop: that may ask a database."""
    install(settings, LATE)
    made = []

    async def begin(request):
        session = request.session

        def make():
            made.append(session)
            return session

        request.session = SimpleLazyObject(make)
        if is_made:
            assert request.session.session_key is None

    async def end(request):
        assert len(made) == is_made

    SITE.begin, SITE.end = begin, end
    SITE.context["write_it"] = set_item
    with pytest.raises(LateWrite):
        await get()


async def test_a_lazy_session_that_is_made_late(settings):
    install(settings, HEAD + "{{ later }}{{ request.path }}")

    async def begin(request):
        session = request.session
        request.session = SimpleLazyObject(lambda: session)

    SITE.begin = begin
    _, response = await get()
    assert response["Vary"] == "Cookie"


async def test_a_guarded_session_is_what_it_was(settings):
    install(settings, HEAD + "{{ later }}")
    client = await visitor(settings)
    await get(client)
    session = SITE.request.session
    assert isinstance(session, SessionStore)
    assert type(session) is not SessionStore
    assert session.key_salt == SessionStore().key_salt
    assert repr(type(session)) == repr(SessionStore)
    await session.aget("known")
    for twin in [
        *(pickle.loads(pickle.dumps(session, n)) for n in range(6)),
        copy.copy(session),
        copy.deepcopy(session),
    ]:
        assert type(twin) is SessionStore
        assert vars(twin).keys() == vars(SessionStore()).keys() | {"_session_cache"} | (
            vars(twin).keys() & {"model"}
        )
        assert twin.get("known") == 1
    assert type(SITE.request.META) is not dict
    assert pickle.loads(pickle.dumps(SITE.request.META["HTTP_HOST"])) == "testserver"


# -- Vary ------------------------------------------------------------------------------------------


async def test_a_page_without_anything_of_the_visitors(settings):
    install(settings, HEAD + "{{ later }}")
    _, response = await get()
    assert not response.has_header("Vary")


@ENGINES
@pytest.mark.parametrize("word", ["request.path", "user.username", "perms", "messages"])
async def test_a_page_that_may_read_the_session(settings, using, word):
    install(settings, HEAD + "{{ later }}{{ " + word + " }}")
    SITE.using = using
    _, response = await get()
    assert response["Vary"] == "Cookie"


async def test_a_page_of_which_nothing_is_known(settings):
    install(settings, HEAD + "{{ later }}{% if nothing %}{% include nothing %}{% endif %}")
    _, response = await get()
    assert "Cookie" in response["Vary"]


async def test_a_visitor_with_a_session(settings):
    """Something in the context may read it, whatever its name is."""
    install(settings, HEAD + "{{ later }}")
    _, response = await get(await visitor(settings))
    assert response["Vary"] == "Cookie"


async def test_a_first_read_that_no_word_told_of(settings, caplog):
    install(settings, LATE)
    SITE.context["write_it"] = lambda request: request.session.get("a", "none")
    text, response = await get()
    assert text == HEAD + "\nnone"
    assert not response.has_header("Vary")
    (record,) = caplog.records
    assert record.name == "atemplates"
    assert '"Vary: Cookie" is missing' in record.message


# -- CSRF ------------------------------------------------------------------------------------------


@ENGINES
@pytest.mark.parametrize("in_session", [False, True])
async def test_the_token_is_made_in_time(settings, using, in_session):
    settings.CSRF_USE_SESSIONS = in_session
    install(settings, HEAD + "{{ later }}<form>{% csrf_token %}</form>")
    SITE.using = using
    client = AsyncClient(enforce_csrf_checks=True)
    text, response = await get(client)
    token = text.partition('value="')[2].partition('"')[0]
    assert token
    assert "Cookie" in response["Vary"]
    name = settings.SESSION_COOKIE_NAME if in_session else settings.CSRF_COOKIE_NAME
    assert name in response.cookies
    posted = await client.post("/", {"csrfmiddlewaretoken": token})
    assert posted.status_code == 200
    assert (await client.post("/")).status_code == 403
    for _ in range(2):  # one that the visitor has is used again
        again, response = await get(client)
        assert again.startswith(HEAD)


async def test_a_token_that_a_tag_of_others_uses(settings):
    install(settings, HEAD + "{{ later }}{% form_of_others %}")
    options = settings.TEMPLATES[0]["OPTIONS"]
    options["builtins"] = ["tests.delivery.form_tags"]
    text, response = await get()
    assert 'value="' in text
    assert settings.CSRF_COOKIE_NAME in response.cookies


@ENGINES
@pytest.mark.parametrize("has_cookie", [False, True])
@pytest.mark.parametrize("use", [get_token, rotate_token])
async def test_a_token_that_no_word_told_of(settings, using, use, has_cookie):
    install(settings, LATE)
    SITE.using = using
    SITE.context["write_it"] = use
    client = AsyncClient()
    if has_cookie:
        client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    with pytest.raises(LateWrite, match="CSRF token") as caught:
        await get(client)
    assert_located(caught.value, using)


async def test_a_token_used_before_may_be_used_again(settings):
    install(settings, LATE)
    SITE.context["write_it"] = get_token

    async def begin(request):
        get_token(request)

    SITE.begin = begin
    text, response = await get()
    assert len(text) > len(LATE)
    assert settings.CSRF_COOKIE_NAME in response.cookies


# -- CSP -------------------------------------------------------------------------------------------


def with_csp(settings):
    pytest.importorskip("django.middleware.csp")
    settings.SECURE_CSP = {"script-src": ["<CSP_NONCE_SENTINEL>"]}
    settings.MIDDLEWARE = ["django.middleware.csp.ContentSecurityPolicyMiddleware"]
    for each in settings.TEMPLATES:
        each["OPTIONS"]["context_processors"] = ["django.template.context_processors.csp"]


@ENGINES
async def test_a_nonce_is_made_in_time(settings, using):
    install(settings, HEAD + "{{ later }}<script nonce='{{ csp_nonce }}'>")
    with_csp(settings)
    SITE.using = using
    text, response = await get()
    nonce = text.partition("nonce='")[2].partition("'")[0]
    assert f"'nonce-{nonce}'" in response["Content-Security-Policy"]


@ENGINES
async def test_a_nonce_that_no_word_told_of(settings, using):
    install(settings, LATE)
    with_csp(settings)
    SITE.using = using
    SITE.context["write_it"] = lambda request: str(request._csp_nonce)
    with pytest.raises(LateWrite, match="nonce") as caught:
        await get()
    assert_located(caught.value, using)


# -- messages --------------------------------------------------------------------------------------

STORAGES = pytest.mark.parametrize(
    "storage", ["fallback.FallbackStorage", "session.SessionStorage", "cookie.CookieStorage"]
)
SHOWN = HEAD + "{{ later }}{% for message in messages %}[{{ message }}]{% endfor %}"


def use_storage(settings, storage):
    settings.MESSAGE_STORAGE = f"django.contrib.messages.storage.{storage}"


async def with_messages(settings, *texts):
    """A visitor for whom there are messages."""
    client = AsyncClient()

    async def begin(request):
        for text in texts:
            messages.success(request, text)

    source = SITE.source
    install(settings, HEAD + "{{ later }}")
    SITE.begin = begin
    await get(client)
    install(settings, source)
    return client


@ENGINES
@STORAGES
async def test_messages_are_shown_once(settings, using, storage):
    use_storage(settings, storage)
    install(settings, SHOWN)
    client = await with_messages(settings, "one", "two")
    SITE.using = using
    assert (await get(client))[0] == HEAD + "[one][two]"
    assert (await get(client))[0] == HEAD


@ENGINES
@STORAGES
async def test_messages_of_the_view_itself(settings, using, storage):
    use_storage(settings, storage)
    install(settings, SHOWN)

    async def begin(request):
        messages.success(request, "mine")

    SITE.begin = begin
    SITE.using = using
    client = AsyncClient()
    assert (await get(client))[0] == HEAD + "[mine]"
    SITE.begin = None
    assert (await get(client))[0] == HEAD


@STORAGES
async def test_messages_that_a_page_does_not_come_to(settings, storage):
    """It mentions them, shows none, and none is lost."""
    use_storage(settings, storage)
    install(settings, HEAD + "{{ later }}{% if nothing %}{{ messages }}{% endif %}")
    client = await with_messages(settings, "one")
    assert (await get(client))[0] == HEAD
    install(settings, SHOWN)
    assert (await get(client))[0] == HEAD + "[one]"


@STORAGES
async def test_a_page_that_does_not_mention_messages(settings, storage):
    use_storage(settings, storage)
    install(settings, HEAD + "{{ later }}")
    client = await with_messages(settings, "one")
    assert (await get(client))[0] == HEAD
    install(settings, SHOWN)
    assert (await get(client))[0] == HEAD + "[one]"


@STORAGES
async def test_a_page_without_messages_leaves_at_once(settings, storage):
    use_storage(settings, storage)
    install(settings, SHOWN)
    response = await (await visitor(settings)).get("/")
    assert not SITE.has_waited
    assert not SITE.request._messages.used, "the page has not come to the messages yet"
    assert await read(response) == HEAD


@ENGINES
@STORAGES
@pytest.mark.parametrize("name", ["success", "debug"])
async def test_a_late_message(settings, using, storage, name):
    """One below the level that is recorded is nothing, late or not."""
    use_storage(settings, storage)
    install(settings, LATE)
    SITE.using = using
    SITE.context["write_it"] = lambda request: getattr(messages, name)(request, "late")
    client = AsyncClient()
    if name == "debug":
        await get(client)
    else:
        with pytest.raises(LateWrite, match="late") as caught:
            await get(client)
        assert_located(caught.value, using)
    install(settings, SHOWN)
    assert (await get(client))[0] == HEAD


@ENGINES
@STORAGES
async def test_messages_read_late_that_no_word_told_of(settings, using, storage):
    use_storage(settings, storage)
    install(settings, LATE)
    client = await with_messages(settings, "one")
    SITE.using = using
    SITE.context["write_it"] = lambda request: list(messages.get_messages(request))
    with pytest.raises(LateWrite, match="second time") as caught:
        await get(client)
    assert_located(caught.value, using)
    install(settings, SHOWN)
    assert (await get(client))[0] == HEAD + "[one]"


@STORAGES
async def test_no_messages_may_be_read_late(settings, storage):
    use_storage(settings, storage)
    install(settings, LATE)
    SITE.context["write_it"] = lambda request: list(messages.get_messages(request))
    assert (await get())[0] == HEAD + "\n[]"


@STORAGES
async def test_messages_may_be_read_again(settings, storage):
    use_storage(settings, storage)
    both = "{% for message in messages %}[{{ message }}]{% endfor %}"
    install(settings, HEAD + both + "{{ later }}" + both)
    client = await with_messages(settings, "one")
    assert (await get(client))[0] == HEAD + "[one][one]"
    assert (await get(client))[0] == HEAD


async def test_messages_are_not_kept_late(settings):
    install(settings, HEAD + SHOWN.removeprefix(HEAD).replace("{{ later }}", "") + LATE)
    client = await with_messages(settings, "one")
    SITE.context["write_it"] = lambda request: setattr(request._messages, "used", False)
    with pytest.raises(LateWrite, match="used = False"):
        await get(client)


async def test_a_broken_cookie_of_messages(settings):
    use_storage(settings, "cookie.CookieStorage")
    install(settings, SHOWN)
    client = AsyncClient()
    client.cookies["messages"] = "broken"
    text, response = await get(client)
    assert text == HEAD
    assert response.cookies["messages"].value == ""


# -- the response ----------------------------------------------------------------------------------


RESPONSE_WRITES = {
    "set_cookie": lambda response: response.set_cookie("a", "b"),
    "set_signed_cookie": lambda response: response.set_signed_cookie("a", "b"),
    "delete_cookie": lambda response: response.delete_cookie("a"),
    "cookies": lambda response: response.cookies.__setitem__("a", "b"),
    "cookies.update": lambda response: response.cookies.update({"a": "b"}),
    "headers": lambda response: response.headers.__setitem__("X-A", "b"),
    "subscript": lambda response: response.__setitem__("X-A", "b"),
    "delete": lambda response: response.__delitem__("Content-Type"),
    "headers.pop": lambda response: response.headers.pop("Content-Type"),
    "setdefault": lambda response: response.setdefault("X-A", "b"),
    "other headers": lambda response: setattr(response, "headers", {}),
    "status_code": lambda response: setattr(response, "status_code", 404),
    "reason_phrase": lambda response: setattr(response, "reason_phrase", "Gone"),
}


@pytest.mark.parametrize("write", RESPONSE_WRITES.values(), ids=RESPONSE_WRITES)
async def test_a_response_that_has_begun_takes_no_headers(settings, write):
    install(settings, HEAD + "{{ later }}x")
    await get()
    before = (SITE.response.status_code, SITE.response.headers.items(), str(SITE.response.cookies))
    with pytest.raises(LateWrite, match="the headers of the response have left"):
        write(SITE.response)
    assert before == (
        SITE.response.status_code,
        SITE.response.headers.items(),
        str(SITE.response.cookies),
    )
    assert SITE.response.headers.pop("X-None", "none") == "none"
    assert SITE.response.setdefault("Content-Type", "b") is None


@pytest.mark.parametrize("write", RESPONSE_WRITES.values(), ids=RESPONSE_WRITES)
async def test_before_it_takes_them(settings, write):
    install(settings, HEAD + "{{ later }}x")
    response = await AsyncClient().get("/")
    write(response)
    assert await read(response) == HEAD + "x"


async def test_nothing_of_a_request_is_kept(settings):
    install(settings, HEAD + "{{ later }}")
    client = await visitor(settings)
    await get(client)
    kept = weakref.ref(SITE.request.session)
    SITE.__init__()
    await sync_to_async(int)()  # the thread of the requests remembers its last call
    await turns(3)
    gc.collect()
    assert kept() is None
