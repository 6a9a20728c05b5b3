"""TensorFlow that isn't there: Rasa's server imports it for components that we don't use.

Serving needs none of it, and importing it costs 2 to 10 s of start and 330 MB. What stands in its place can be imported,
subclassed and named in annotations; whoever calls it gets an error that says why. Training keeps the real one.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any, Optional

__all__ = ["leave_out_tensorflow"]

_LEFT_OUT = ("tensorflow", "keras", "tensorflow_addons", "tensorflow_hub")


def leave_out_tensorflow() -> None:
    """For this process; call it before anything of Rasa is imported."""
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Absence(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        if cls is Absent:
            raise RuntimeError("TensorFlow is left out of nlu/server.py; use `rasa run`, or leave the component out")
        return super().__call__(*arguments, **options)


class Absent(metaclass=_Absence):
    """Every class, function and decorator of it."""


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if fullname.partition(".")[0] not in _LEFT_OUT:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass
