"""A view for one method of Django's, with the answers of the hooks that this method calls."""

from __future__ import annotations

from functools import partial
from typing import Any


class Answered:
    """Stands for a view while a method of Django's runs that calls hooks.

    So Django's own code decides on the event loop as well, where hooks have to be awaited first.

    Args:
        view: the view; what has no answer here is the view's.
        answers: what each hook returns, whatever its arguments.
    """

    def __init__(self, view: Any, **answers: Any) -> None:
        set_here = super().__setattr__
        set_here("answering_view", view)
        for name, answer in answers.items():
            set_here(name, partial(_answer, answer))

    @property
    def __class__(self) -> Any:
        return type(self.answering_view)

    @__class__.setter
    def __class__(self, kind: type) -> None:
        raise TypeError("the class of a view cannot be changed")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.answering_view, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.answering_view, name, value)


def _answer(answer: Any, *_: Any, **__: Any) -> Any:
    return answer
