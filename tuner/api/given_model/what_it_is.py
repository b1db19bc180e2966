"""A hash of what a function or an object is: its code, and everything of yours that it uses.

It is the same in every process, unlike a pickle, where sets have any order, classes get random
numbers, and code names the file of its cell.
"""

from __future__ import annotations

import dis
import hashlib
import types
from collections.abc import Iterator, Mapping
from typing import Any

from tuner.api.given_model.importable import is_importable
from tuner.models.source import is_yours, source_digests

_OF_A_CLASS = frozenset(
    ("__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__", "__static_attributes__")
)


def digest_of(value: Any) -> str:
    """A hash, in hexadecimal."""
    lines = _Walk().lines(value)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()


class _Walk:
    """Follows what a value is made of, each part once."""

    def __init__(self) -> None:
        self._seen: dict[int, Any] = {}

    def lines(self, value: Any) -> Iterator[str]:
        """What it is, in lines that depend on nothing else."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            yield f"{type(value).__name__} {value!r}"
        elif id(value) in self._seen:
            yield "seen before"
        else:
            # Kept, or another object might get its number.
            self._seen[id(value)] = value
            yield from self._parts(value)

    def _parts(self, value: Any) -> Iterator[str]:
        if isinstance(value, types.ModuleType):
            yield from self._module(value.__name__)
        elif isinstance(value, types.CodeType):
            yield from self._code(value)
        elif isinstance(value, types.FunctionType | type) and is_importable(value):
            yield f"{value.__module__}:{value.__qualname__}"
            yield from self._module(value.__module__)
        elif isinstance(value, types.FunctionType):
            yield from self._function(value)
        elif isinstance(value, type):
            yield from self._class(value)
        elif isinstance(value, Mapping):
            yield "mapping"
            for key, one in value.items():
                yield from self.lines(key)
                yield from self.lines(one)
        elif isinstance(value, set | frozenset):
            yield "set"
            yield from sorted(" ".join(_Walk().lines(one)) for one in value)
        elif isinstance(value, tuple | list):
            yield f"{type(value).__name__} {len(value)}"
            for one in value:
                yield from self.lines(one)
        else:
            yield from self._object(value)

    def _module(self, name: str) -> Iterator[str]:
        yield f"module {name}"
        # What is installed has a version. Finding all of its modules would import packages of it.
        if is_yours(name):
            yield from (f"{path} {found}" for path, found in source_digests(name).items())

    def _code(self, code: types.CodeType) -> Iterator[str]:
        yield f"{code.co_name} {code.co_code.hex()} {code.co_names} {code.co_varnames}"
        yield f"{code.co_freevars} {code.co_cellvars} {code.co_flags} {code.co_argcount}"
        for one in code.co_consts:
            yield from self.lines(one)
        # What it imports when it is called.
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                yield from self._module(str(step.argval))

    def _function(self, function: types.FunctionType) -> Iterator[str]:
        yield f"function {function.__qualname__}"
        yield from self.lines(function.__code__)
        yield from self.lines(function.__defaults__)
        yield from self.lines(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            yield from self.lines(cell.cell_contents)
        for name in sorted(_names(function.__code__) & set(function.__globals__)):
            yield f"global {name}"
            yield from self.lines(function.__globals__[name])

    def _class(self, kind: type) -> Iterator[str]:
        yield f"class {kind.__qualname__}"
        for base in kind.__bases__:
            yield from self.lines(base)
        for name, value in vars(kind).items():
            if name not in _OF_A_CLASS:
                yield name
                yield from self.lines(value)

    def _object(self, value: Any) -> Iterator[str]:
        yield f"object of {type(value).__qualname__}"
        yield from self.lines(type(value))
        for name in ("__func__", "__wrapped__", "fget", "func", "args", "keywords", "__self__"):
            if name != "__self__" or not isinstance(value, types.BuiltinFunctionType):
                yield from self.lines(getattr(value, name, None))
        if callable(getattr(value, "tobytes", None)):
            yield hashlib.sha256(value.tobytes()).hexdigest()
        yield from self.lines(getattr(value, "__dict__", None))


def _names(code: types.CodeType) -> set[str]:
    """All names that code may look up among globals, in inner functions too."""
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))
