"""Wrong OPTIONS are refused when the backend is made, by name and with what is allowed."""

from inspect import signature

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import engines
from django.template.engine import Engine

from atemplates.engines.django import DjangoTemplates
from atemplates.engines.options import Option, list_of_strings, refuse_unknown, take_options

from .conftest import params


def backend(**options):
    return DjangoTemplates(params("main", **options))


def test_unknown_option_names_the_engine_the_option_and_the_allowed_ones():
    with pytest.raises(ImproperlyConfigured) as caught:
        backend(colour="red")
    message = str(caught.value)
    assert "'main'" in message
    assert "'colour'" in message
    assert "async_mode" in message
    assert "context_processors" in message
    assert "string_if_invalid" in message


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("asyncmode", "async_mode"),
        ("async-mode", "async_mode"),
        ("context_processor", "context_processors"),
        ("autoescap", "autoescape"),
    ],
)
def test_a_misspelt_option_gets_a_suggestion(wrong, right):
    with pytest.raises(ImproperlyConfigured, match=f"Did you mean '{right}'"):
        backend(**{wrong: True})


def test_an_option_unlike_any_other_gets_no_suggestion():
    with pytest.raises(ImproperlyConfigured) as caught:
        backend(xyzzy=1)
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", [1, None, b"debug", ("debug",)])
def test_an_option_name_that_is_no_string(name):
    with pytest.raises(ImproperlyConfigured, match="unknown option"):
        DjangoTemplates(params() | {"OPTIONS": {name: True}})


@pytest.mark.parametrize("value", ["threads", "NATIVE", "", None, True, 1, ["thread"], b"thread"])
def test_a_wrong_async_mode_names_both_modes(value):
    with pytest.raises(ImproperlyConfigured) as caught:
        backend(async_mode=value)
    message = str(caught.value)
    assert "'main'" in message
    assert "OPTIONS['async_mode']" in message
    assert repr(value) in message
    assert "'native', 'thread'" in message


@pytest.mark.parametrize("value", ["", 1, True, b"learned.json", ["learned.json"], {}])
def test_a_wrong_path_for_what_is_learned(value):
    with pytest.raises(ImproperlyConfigured) as caught:
        backend(learned=value)
    message = str(caught.value)
    assert f"OPTIONS['learned'] is {value!r}; expected None or the path of a file" in message


@pytest.mark.parametrize("value", ["", 1, True, b"plans", ["plans"], {}])
def test_a_wrong_folder_for_compiled_code(value):
    with pytest.raises(ImproperlyConfigured) as caught:
        backend(plan_cache=value)
    message = str(caught.value)
    assert f"OPTIONS['plan_cache'] is {value!r}; expected None or the path of a folder" in message


@pytest.mark.parametrize("options", [None, [], "debug", [("debug", True)], 1])
def test_options_that_are_no_dict(options):
    with pytest.raises(ImproperlyConfigured, match=r"OPTIONS is .* expected a dict"):
        DjangoTemplates(params() | {"OPTIONS": options})


@pytest.mark.parametrize("name", sorted(set(signature(Engine).parameters) - {"dirs", "app_dirs"}))
def test_every_option_of_djangos_engine_is_allowed(name):
    default = signature(Engine).parameters[name].default
    assert backend(**{name: [] if default is None else default}).engine is not None


@pytest.mark.parametrize("name", ["dirs", "app_dirs"])
def test_settings_beside_options_are_not_options(name):
    with pytest.raises(ImproperlyConfigured, match=f"unknown option '{name}'"):
        backend(**{name: []})


def test_options_are_not_changed(async_mode):
    given = params(async_mode=async_mode, autoescape=False)
    made = DjangoTemplates(given)
    assert given == params(async_mode=async_mode, autoescape=False)
    assert made.async_mode == async_mode
    assert made.engine.autoescape is False


def test_a_parameter_that_does_not_exist_beside_options():
    with pytest.raises(ImproperlyConfigured, match="Unknown parameters: COLOUR"):
        DjangoTemplates(params() | {"COLOUR": "red"})


def test_the_error_comes_through_settings(settings):
    settings.TEMPLATES = [
        {
            "NAME": "main",
            "BACKEND": "atemplates.engines.django.DjangoTemplates",
            "OPTIONS": {"async_mode": "fast"},
        }
    ]
    with pytest.raises(ImproperlyConfigured, match=r"'main'.*'fast'"):
        engines["main"]


class TestTakeOptions:
    known = {
        "mode": Option("a", allowed=("a", "b")),
        "names": Option((), check=list_of_strings, expected="a list of strings"),
    }

    def test_takes_out_what_is_ours_and_fills_in_defaults(self):
        options = {"mode": "b", "debug": True}
        assert take_options(options, self.known, "main") == {"mode": "b", "names": ()}
        assert options == {"debug": True}

    @pytest.mark.parametrize("value", [["a"], ("a", "b"), {"a"}, frozenset(), []])
    def test_accepts_collections_of_strings(self, value):
        assert take_options({"names": value}, self.known, "main")["names"] == value

    @pytest.mark.parametrize("value", ["a", b"a", None, 1, ["a", 1], {"a": 1}, [None]])
    def test_refuses_anything_else_than_collections_of_strings(self, value):
        with pytest.raises(ImproperlyConfigured, match=r"'main'.*'names'.*a list of strings"):
            take_options({"names": value}, self.known, "main")

    def test_refuse_unknown_lets_allowed_names_pass(self):
        refuse_unknown(["b", "a"], ["a", "b", "c"], "main")
