"""Where code of others runs is learned from what it did."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.template import Library, Template

from atemplates.engines.django import DjangoTemplates
from atemplates.placement import records
from atemplates.placement.python_code import SOMEBODYS
from atemplates.placement.records import (
    FORGIVEN,
    MOST_RECORDS,
    QUICK,
    RECORDS,
    STRIKES,
    TRUSTED_AFTER,
    FunctionRecord,
    belongs_in_thread,
    function_record,
    is_trusted,
    known_record,
    learned,
    observed,
    record_name,
)
from atemplates.runtime.policy import Policy

SLOW = 1.0
FAST = 0.00001


def code():
    return "result"


def asks():
    Group.objects.exists()


def swallows():
    try:
        asks()
    except Exception:
        return None


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    """The real ones, which no other test meets."""
    monkeypatch.setattr(records, "QUICK", QUICK)


def times(record, *runs):
    for seconds in runs:
        record.note(seconds, False)
    return record


class TestRecord:
    def test_nothing_is_known_at_first(self):
        assert FunctionRecord().place == "learning"
        assert not FunctionRecord().belongs_in_thread

    def test_on_the_loop_after_some_quick_runs(self):
        record = FunctionRecord()
        places = []
        for _ in range(TRUSTED_AFTER + 1):
            record.note(FAST, False)
            places.append(record.place)
        assert places == ["learning"] * (TRUSTED_AFTER - 1) + ["loop"] * 2
        assert TRUSTED_AFTER == 3

    def test_a_slow_run_begins_the_count_again(self):
        record = times(FunctionRecord(), FAST, FAST, SLOW)
        assert (record.place, record.quick, record.slow) == ("learning", 0, 1)
        assert times(record, FAST, FAST).place == "learning"
        assert times(record, FAST).place == "loop"

    def test_one_that_runs_on_the_loop_can_lose_that(self):
        record = times(FunctionRecord(), FAST, FAST, FAST, SLOW)
        assert record.place == "loop"  # once may be the machine's fault
        assert times(record, *[SLOW] * (STRIKES - 1)).place == "thread"

    def test_a_slow_run_of_long_ago_is_forgotten(self):
        record = times(FunctionRecord(), FAST, FAST, FAST, *[SLOW] * (STRIKES - 1))
        assert record.place == "loop"
        times(record, *[FAST] * FORGIVEN)
        assert times(record, SLOW).place == "loop"

    def test_slow_too_often_is_for_good(self):
        record = times(FunctionRecord(), *[SLOW] * (STRIKES - 1))
        assert record.place == "learning"
        assert times(record, SLOW).place == "thread"
        assert times(record, *[FAST] * 100).place == "thread"
        assert record.belongs_in_thread

    def test_also_with_quick_runs_between(self):
        assert times(FunctionRecord(), *[SLOW, FAST, FAST, FAST] * STRIKES).place == "thread"

    def test_what_asked_once_belongs_to_the_thread_for_good(self):
        record = times(FunctionRecord(), FAST, FAST, FAST)
        record.note(FAST, True)
        assert record.place == "thread"
        assert times(record, *[FAST] * 100).place == "thread"

    def test_what_people_read(self):
        record = times(FunctionRecord(), FAST, SLOW, FAST)
        assert (record.runs, record.slowest, record.asked) == (3, SLOW, False)


class TestObserved:
    def test_the_result_and_the_arguments(self):
        assert observed(code, lambda a, b: (a, b), 1, b=2) == (1, 2)
        assert function_record(code).runs == 1

    def test_what_raises_was_a_run_as_well(self):
        with pytest.raises(ZeroDivisionError):
            observed(code, lambda: 1 // 0)
        assert function_record(code).runs == 1

    def test_asking_is_noticed(self, db):
        observed(code, asks)
        assert function_record(code).place == "thread"

    def test_by_whoever_swallows_it(self, db):
        observed(code, swallows)
        assert belongs_in_thread(code)

    def test_time_is_noticed(self, monkeypatch):
        monkeypatch.setattr(records, "QUICK", -1.0)
        for _ in range(STRIKES):
            observed(code, code)
        assert function_record(code).place == "thread"

    def test_what_belongs_to_the_thread_is_not_watched_any_more(self, db):
        observed(code, asks)
        for _ in range(3):
            assert observed(code, code) == "result"
        assert function_record(code).runs == 1

    @pytest.mark.parametrize("nobody", [None, SOMEBODYS])
    def test_what_cannot_be_named_is_not_noted(self, nobody):
        assert observed(nobody, code) == "result"
        assert RECORDS == {}


class TestTrust:
    def test_what_was_not_met(self):
        assert not is_trusted(code)
        assert not belongs_in_thread(code)
        assert RECORDS == {}

    def test_what_was_quick(self, monkeypatch):
        monkeypatch.setattr(records, "QUICK", float("inf"))
        for _ in range(TRUSTED_AFTER):
            assert not is_trusted(code)
            observed(code, code)
        assert is_trusted(code)

    def test_what_cannot_be_named_never_is(self):
        assert not is_trusted(SOMEBODYS)
        assert not is_trusted(SOMEBODYS, 0)

    def test_at_first_sight_if_so_wanted_but_not_at_second(self):
        assert is_trusted(code, 0)
        function_record(code).note(FAST, True)
        assert not is_trusted(code, 0)

    @pytest.mark.parametrize(
        ("policy", "places"),
        [
            # Not met, quick, asked.
            (Policy(), (False, True, False)),
            (Policy(sync_tags="thread"), (False, False, False)),
            (Policy(sync_tags="inline"), (True, True, False)),
            (Policy(inline_modules=frozenset({"site"})), (True, True, False)),
            (Policy(inline=frozenset({"tag"})), (True, True, False)),
            (Policy(inline=frozenset({"other"})), (False, True, False)),
            (Policy(sync_tags="thread", inline=frozenset({"tag"})), (True, True, False)),
            (Policy(trusted_after=0), (True, True, False)),
            (Policy(trusted_after=4), (False, False, False)),
        ],
    )
    def test_what_the_options_say(self, policy, places):
        found = [policy.may_run_here(code, "tag", "site")]
        times(function_record(code), FAST, FAST, FAST)
        found.append(policy.may_run_here(code, "tag", "site"))
        function_record(code).note(FAST, True)
        found.append(policy.may_run_here(code, "tag", "site"))
        assert tuple(found) == places


class TestWhatIsKept:
    def test_no_more_than_the_limit(self):
        for number in range(MOST_RECORDS + 10):
            function_record(number)
        assert len(RECORDS) == 10

    def test_one_record_for_a_function(self):
        assert function_record(code) is function_record(code)
        assert function_record(asks) is not function_record(code)

    def test_for_people_to_read(self, db):
        times(function_record(code), FAST, FAST, 0.25)
        observed(asks, asks)
        one, other = learned()
        assert (one.name, one.place, one.asked) == (record_name(asks), "thread", True)
        assert (other.name, other.place, other.runs) == (f"{__name__}.code", "learning", 3)
        assert other.slowest == 250

    def test_names(self):
        assert (
            record_name(FunctionRecord.note) == "atemplates.placement.records.FunctionRecord.note"
        )
        assert record_name(Group) == "django.contrib.auth.models.Group"
        assert record_name(len) == "builtins.len"


class WithoutHash:
    """A callable that no set or dict takes."""

    __name__ = "without_hash"
    __hash__ = None
    __module__ = "site"

    def __call__(self, *args):
        return f"called with {len(args)}"


class Processor(WithoutHash):
    def __call__(self, *args):
        return {"processed": "processed"}


processor_without_hash = Processor()
register = Library()
register.simple_tag(WithoutHash(), name="without_hash")
register.inclusion_tag(Template("{{ processed }}"), name="included")(processor_without_hash)
register.filter("without_hash", WithoutHash())


@pytest.mark.parametrize(
    "options",
    [{}, {"sync_tags": "inline"}, {"sync_tags": "thread"}, {"inline_tags": ["unhashed"]}],
)
async def test_a_callable_without_a_hash_is_code_like_other(options, rf):
    """It stays in the thread, unless OPTIONS say something else."""
    backend = DjangoTemplates(
        {
            "NAME": "x",
            "DIRS": [],
            "APP_DIRS": False,
            "OPTIONS": {
                "libraries": {"unhashed": __name__},
                "context_processors": [f"{__name__}.processor_without_hash"],
                **options,
            },
        }
    )
    template = backend.from_string(
        "{% load unhashed %}{% without_hash 1 2 %}|{{ 1|without_hash }}|{% included 1 %}"
        "|{{ processed }}"
    )
    wanted = "called with 2|called with 1|processed|processed"
    assert await sync_to_async(template.render)({}, rf.get("/")) == wanted
    for _ in range(TRUSTED_AFTER + 2):
        assert await template.render_async({}, rf.get("/")) == wanted
    assert not [
        known_record(each) for each in (processor_without_hash, WithoutHash()) if known_record(each)
    ]
