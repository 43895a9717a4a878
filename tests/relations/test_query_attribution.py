"""Functions that take a step of a render describe it by local variables that they have."""

from importlib import import_module
from types import CodeType

import pytest

import atemplates
from atemplates.compiler import module
from atemplates.relations import query_attribution
from atemplates.runtime import running_steps
from atemplates.runtime.running_steps import STEP_FUNCTIONS, RunningStep, running_step

FUNCTIONS = {
    "compiler.foreign.off_loop": "tag",
    "compiler.foreign.render_foreign": "tag",
    "relations.python_batches.PythonBatches.fetch_in_python": "reported",
    "runtime.answers._call": "answer",
    "runtime.answers._fill": "answer",
    "runtime.answers._waited": "answer",
    "runtime.filters.apply_filter": "filter",
    "runtime.iteration.loop_rows": "value",
    "runtime.iteration.truth_of_value": "value",
    "runtime.output.render_value": "value",
    "runtime.paths.resolve_path": "lookup",
    "runtime.usual_paths.resolve_further": "lookup",
    "tags.arguments.render_with_arguments": "tag",
    "tags.library.call_tag": "tag",
    "tags.library.tag_text": "value",
}


class Names(dict):
    """Local variables of a function that has begun; notes which are read."""

    def __init__(self, code: CodeType):
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        super().__init__({name: Variable(name) for name in names})
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.read.add(name)
        return super().get(name, default)


class Variable:
    def __init__(self, name):
        self.name = name

    def __getattr__(self, name):
        return Variable(f"{self.name}.{name}")


def function_called(path):
    room, module, *names = path.split(".")
    found = import_module(f"atemplates.{room}.{module}")
    for name in names:
        found = getattr(found, name)
    return found


def test_these_functions_take_steps():
    called = {function_called(path).__code__ for path in FUNCTIONS}  # imports what registers them
    assert called == {code for code, describe in STEP_FUNCTIONS.values()}


@pytest.mark.parametrize(("path", "kind"), FUNCTIONS.items(), ids=FUNCTIONS)
def test_a_step_is_described_by_arguments_of_its_function(path, kind):
    code = function_called(path).__code__
    values = Names(code)
    step = STEP_FUNCTIONS[id(code)][1](values)
    assert step.kind == kind
    optional = {"site", "root"} if path == "tags.library.tag_text" else set()
    assert values.read - optional <= set(values)
    fields = step._asdict()
    for name in ("value", "site", "root", "function", "node"):
        assert fields[name] is None or fields[name] is values[name]
    assert step.done == 1 or step.done is values["index"]
    if step.relations is not None:
        assert step.relations.name == "state.relations"
    if kind == "answer":
        assert step.notify.name == "wait.notify"


def test_compiled_code_is_described_by_its_module():
    values = {"state": Variable("state"), "context": Variable("context")}
    step = module._compiled_step(values)
    assert (step.kind, step.relations.name) == ("template", "state.relations")
    assert step.context is values["context"]
    assert module._compiled_step({".0": None}) == RunningStep("template")


def test_a_frame_of_something_else_is_no_step():
    import sys

    assert running_step(sys._getframe()) is None


def test_the_package_is_where_frames_are_looked_for():
    assert atemplates.__name__ == query_attribution.PACKAGE
    assert running_steps.__name__.startswith(f"{query_attribution.PACKAGE}.")
