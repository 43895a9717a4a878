"""Frames of names, and what they hold after branches and loops: the same for both languages."""

from atemplates.analysis.scope import NameScope
from atemplates.analysis.values import (
    UNKNOWN,
    PathValue,
    RecordValue,
    RowsValue,
    Several,
    Unknown,
    groups_of,
    several,
)

A, B = PathValue("a"), PathValue("b")
MAYBE_A, MAYBE_B = A.only_maybe(), B.only_maybe()


class OfContext(NameScope):
    def find_outside(self, name):
        return PathValue(name)


def test_a_name_is_found_in_the_innermost_frame_that_has_it():
    scope = OfContext()
    scope.bind("x", A)
    with scope.frame({"x": B}):
        assert scope.find("x") == B
    assert scope.find("x") == A
    assert scope.find("y") == PathValue("y")
    scope.bind(None, A)
    assert scope.visible() == {"x": A}


def test_what_all_branches_leave_is_certain():
    scope = OfContext()
    scope.branches(lambda: scope.bind("x", A), lambda: scope.bind("x", A))
    assert scope.find("x") == A


def test_what_one_branch_sets_may_be_what_it_was_before():
    scope = OfContext()
    scope.branches(lambda: scope.bind("x", A), lambda: None)
    assert scope.find("x") == Several((MAYBE_A, PathValue("x", maybe=True)))


def test_a_branch_does_not_see_what_another_one_sets():
    scope, seen = OfContext(), []
    scope.bind("x", A)
    with scope.frame():
        scope.branches(lambda: scope.bind("x", B), lambda: seen.append(scope.find("x")))
        assert seen == [A]
        assert scope.find("x") == Several((MAYBE_B, MAYBE_A))
    assert scope.find("x") == A


def test_a_frame_is_the_same_dict_after_branches():
    scope = OfContext()
    frame = scope.frames[-1]
    scope.branches(lambda: scope.bind("x", A), lambda: None)
    assert frame is scope.frames[-1]
    assert "x" in frame


def test_a_loop_is_walked_until_its_rows_find_no_other_names():
    scope, seen = OfContext(), []
    scope.bind("x", A)

    def row():
        seen.append(scope.find("x"))
        scope.bind("x", B)

    scope.repeat(row)
    assert seen == [A, Several((MAYBE_A, MAYBE_B))]
    assert scope.find("x") == Several((MAYBE_A, MAYBE_B))


def test_a_loop_that_sets_nothing_is_walked_once():
    scope, seen = OfContext(), []
    scope.repeat(lambda: seen.append(1))
    assert seen == [1]


def test_a_loop_that_never_ends_finding_names_is_given_up():
    scope, seen = OfContext(), []

    def row():
        seen.append(1)
        scope.bind("x", scope.find("x").step("next"))

    scope.repeat(row)
    assert len(seen) == 3


def test_other_frames_alone():
    scope = OfContext()
    scope.bind("x", A)
    with scope.only_frames([{"y": B}]):
        assert scope.visible() == {"y": B}
    assert scope.visible() == {"x": A}


def test_one_of_several_records_has_for_certain_what_all_of_them_have():
    one, other = RecordValue((("x", A), ("y", A))), RecordValue((("x", A), ("y", B)))
    found = several([one, other])
    assert found.step("x") == A
    assert found.step("y") == Several((MAYBE_A, MAYBE_B))
    assert several([one, RecordValue(())]).step("x") == MAYBE_A
    assert several([one, UNKNOWN]) == one.only_maybe()


def test_a_member_that_is_set_may_still_be_what_it_was():
    record = RecordValue((("x", A),))
    assert record.with_member("x", B).step("x") == Several((MAYBE_A, MAYBE_B))
    assert record.with_member("y", B).step("x") == A
    assert several([A, record]).with_member("y", B).step("y") == Several(
        (PathValue("a", ("y",), maybe=True), MAYBE_B)
    )
    assert A.with_member("x", B) == A


def test_groups_have_a_key_and_a_list():
    groups = groups_of(A, B)
    assert groups.item().step("grouper") == B
    assert groups.item().step("list") == RowsValue(A.item(), A)
    assert groups.places() == (A,)


def test_what_somebodys_code_returns_begins_anew_at_its_name():
    scope = OfContext()
    scope.bind("x", Unknown("the result of f()"))
    assert scope.find("x").step("p") == PathValue("x", ("p",), lost="the result of f()")
