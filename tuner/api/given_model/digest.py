"""A hash of what a function or an object is: its code, and everything of yours that it uses.

It is the same in every process, unlike a pickle, where sets have any order, classes get random
numbers, and code names the file of its cell.
"""

from __future__ import annotations

import copyreg
import dis
import functools
import hashlib
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tuner.api.given_model.importable import is_importable
from tuner.api.given_model.known_objects import array_of, config_of
from tuner.models.source import find_module, is_yours, source_digests

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
# What Python itself adds to a class, some of it when an object is pickled for the first time.
_OF_A_CLASS = frozenset(
    (
        "__dict__",
        "__weakref__",
        "__doc__",
        "__module__",
        "__firstlineno__",
        "__static_attributes__",
        "__slotnames__",
        "__annotations_cache__",
        "_abc_impl",
    )
)
# They wrap functions, and have no pickle or one of their name only.
_WRAPPERS = (
    property,
    classmethod,
    staticmethod,
    functools.cached_property,
    type(functools.lru_cache(lambda: None)),
)
_WRAPPED = ("__wrapped__", "__func__", "fget", "fset", "fdel", "func")
_LOOKS_UP = frozenset(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a value is.

    Attributes:
        text: A hash, in hexadecimal.
        modules: Names of your modules that it uses, in order.
    """

    text: str
    modules: tuple[str, ...]


def digest_of(value: Any) -> Digest:
    """What a value is, in a few letters.

    Raises:
        Exception: Of any kind, if something that it uses has no pickle, or is nested too deeply.
    """
    modules: set[str] = set()
    lines = "\n".join(_Walk(modules).lines(value))
    text = hashlib.sha256(lines.encode("utf-8", "backslashreplace")).hexdigest()
    return Digest(text=text, modules=tuple(sorted(modules)))


class _Walk:
    """Follows what a value is made of, each part once."""

    def __init__(self, modules: set[str]) -> None:
        """Take the set that names of your modules are added to."""
        self._seen: dict[int, tuple[int, Any]] = {}
        self._modules = modules

    def lines(self, value: Any) -> Iterator[str]:
        """What it is, in lines that depend on nothing else."""
        kind = type(value)
        if kind in _PLAIN:
            yield f"{kind.__name__} {value!r}"
        elif kind in (tuple, frozenset):
            # Equal ones are one object if they stand in the same cell, else two.
            yield from self._parts(value)
        elif id(value) in self._seen:
            yield f"seen {self._seen[id(value)][0]}"
        else:
            # Kept, or another object might get its number.
            self._seen[id(value)] = len(self._seen), value
            yield from self._parts(value)

    def _parts(self, value: Any) -> Iterator[str]:
        kind = type(value)
        if isinstance(value, types.ModuleType):
            yield from self._module(value.__name__)
        elif isinstance(value, types.CodeType):
            yield from self._code(value)
        elif _has_name(value):
            yield f"{value.__module__}:{value.__qualname__}"
            yield from self._module(value.__module__)
        elif isinstance(value, types.FunctionType):
            yield from self._function(value)
        elif isinstance(value, type):
            yield from self._class(value)
        elif kind in (dict, types.MappingProxyType):
            yield f"mapping {len(value)}"
            for key, one in value.items():
                yield from self.lines(key)
                yield from self.lines(one)
        elif kind in (set, frozenset):
            yield f"{kind.__name__} {len(value)}"
            yield from sorted(" ".join(_Walk(self._modules).lines(one)) for one in value)
        elif kind in (tuple, list):
            yield f"{kind.__name__} {len(value)}"
            for one in value:
                yield from self.lines(one)
        else:
            yield from self._object(value)

    def _module(self, name: str) -> Iterator[str]:
        yield f"module {name}"
        # What is installed has a version. Finding all of its modules would import packages of it.
        if is_yours(name):
            self._modules.add(name)
            yield from (f"{path} {found}" for path, found in source_digests(name).items())

    def _code(self, code: types.CodeType) -> Iterator[str]:
        yield f"{code.co_name} {code.co_code.hex()} {code.co_names} {code.co_varnames}"
        yield f"{code.co_freevars} {code.co_cellvars} {code.co_flags} {code.co_argcount}"
        for one in code.co_consts:
            yield from self.lines(one)
        # What it imports when it is called.
        module = ""
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                module = str(step.argval)
                yield from self._module(module)
            elif step.opname == "IMPORT_FROM":
                yield from self._imported_from(module, str(step.argval))

    def _imported_from(self, package: str, name: str) -> Iterator[str]:
        """A module of yours that comes from a package; what else comes is in the package's code."""
        module = f"{package}.{name}"
        if is_yours(module) and find_module(module) is not None:
            yield from self._module(module)

    def _function(self, function: types.FunctionType) -> Iterator[str]:
        yield f"function {function.__qualname__}"
        yield from self.lines(function.__code__)
        yield from self.lines(function.__defaults__)
        yield from self.lines(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            yield from self._cell(cell)
        for name in sorted(_names(function.__code__) & set(function.__globals__)):
            yield f"global {name}"
            yield from self.lines(function.__globals__[name])
        yield from self.lines(function.__dict__)

    def _cell(self, cell: types.CellType) -> Iterator[str]:
        try:
            value = cell.cell_contents
        except ValueError:
            yield "empty"
        else:
            yield from self.lines(value)

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
        if isinstance(value, _WRAPPERS):
            for name in _WRAPPED:
                yield from self.lines(getattr(value, name, None))
        elif (array := array_of(value)) is not None:
            yield f"{array.dtype.str} {array.shape}"
            whole = array.tolist() if array.dtype.hasobject else array.tobytes()
            yield from self.lines(whole)
        elif (config := config_of(value)) is not None:
            yield from self.lines(config)
        else:
            yield from self._reduced(value)

    def _reduced(self, value: Any) -> Iterator[str]:
        """What a pickle would say of it: a name, or a function and what that is called with."""
        reduce = copyreg.dispatch_table.get(type(value))
        found = reduce(value) if reduce else value.__reduce_ex__(4)
        if isinstance(found, str):
            yield f"{getattr(value, '__module__', None)}:{found}"
            return
        for part in found:
            # Items of lists and dicts come as iterators.
            yield from self.lines(list(part) if isinstance(part, Iterator) else part)


def _has_name(value: Any) -> bool:
    """Whether a function or type, of C too, is what its name says.

    Python's own types have one, though not all can be imported by it.
    """
    name = getattr(value, "__qualname__", None)
    if not callable(value) or not isinstance(name, str):
        return False
    is_pythons = isinstance(value, type) and value.__module__ in sys.stdlib_module_names
    return is_importable(value) or (is_pythons and "<" not in name)


def _names(code: types.CodeType) -> set[str]:
    """All names that code looks up among globals, in inner functions too."""
    own = {str(step.argval) for step in dis.get_instructions(code) if step.opname in _LOOKS_UP}
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return own.union(*map(_names, inner))
