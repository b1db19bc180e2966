"""The source of your own builder: its module, and what that imports from beside it."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path

from tuner.models.kept_builder import USUAL_FOLDER, make_findable

# Installed packages and Python's own modules have versions; what you write has none.
_INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A source file that a builder is made of.

    Attributes:
        module: Its name.
        path: Whole and without links.
        root: The folder that Python finds the module in.
        digest: A hash of what is in it.
    """

    module: str
    path: Path
    root: Path
    digest: str


def source_digests(model: str) -> dict[str, str]:
    """A hash of each source file that a builder is made of.

    Args:
        model: `package.module:name`.

    Returns:
        By path, relative to the folder that Python finds the module in; empty where there is no
            source to find.
    """
    return {one.path.relative_to(one.root).as_posix(): one.digest for one in source_files(model)}


def source_files(model: str) -> list[SourceFile]:
    """The source files that a builder is made of, in the order of their paths.

    Files elsewhere than its own do not count, except those that a kept builder names: its module
    lies in a folder by itself.

    Nothing is run but the packages that the modules are in, which Python imports to find them.

    Args:
        model: `package.module:name`.
    """
    first = model.partition(":")[0]
    if find_module(model) is None:
        return []
    found = {file.path: file for name in (first, *_of_kept(first)) for file in _files(name)}
    return [found[path] for path in sorted(found)]


def _of_kept(module: str) -> list[str]:
    """Your modules that a kept builder names; none of any other module."""
    root = _root(module)
    if root is None or root != USUAL_FOLDER.resolve():
        return []
    path = _file(module, root)
    names = _imported(path.read_bytes(), module, is_package=False) if path else ()
    return [name for name in names if is_yours(name)]


def _files(first: str) -> list[SourceFile]:
    """A module and what it imports from its own place."""
    root = _root(first)
    if root is None:
        return []
    # Beside an installed module lie other people's.
    tops = {first.partition(".")[0]} if _is_installed(root) else None
    found: dict[Path, SourceFile] = {}
    waiting = [first]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        if not name or name in seen or top == "tuner" or (tops and top not in tops):
            continue
        seen.add(name)
        path = _file(name, root)
        if path is None or path in found:
            continue
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        found[path] = SourceFile(module=name, path=path, root=root, digest=digest)
        waiting += _imported(content, name, is_package=path.name == "__init__.py")
        # Python runs the packages around a module first.
        waiting += [name.rpartition(".")[0]] if "." in name else []
    return list(found.values())


def is_yours(module: str) -> bool:
    """Whether a module is neither installed nor Python's own; only its top-level name is found."""
    top = module.partition(".")[0]
    if not top or top in ("tuner", "__main__", *sys.stdlib_module_names):
        return False
    root = _root(top)
    return root is not None and not _is_installed(root)


def find_module(model: str) -> ModuleSpec | None:
    """Where Python finds a builder's module; None where there is none."""
    module = model.partition(":")[0]
    make_findable(module)
    return _spec(module)


def _root(name: str) -> Path | None:
    """The folder that a module's top-level name is found in.

    Of an installed package, its own folder.
    """
    top = name.partition(".")[0]
    spec = _spec(top)
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    if not places and not spec.has_location:
        return None
    folder = Path(places[0]) if places else Path(str(spec.origin))
    folder = folder.resolve()
    return folder if places and _is_installed(folder) else folder.parent


def _file(name: str, root: Path) -> Path | None:
    """The source of a module below a folder; None where it lies elsewhere."""
    spec = _spec(name)
    if spec is None or not spec.has_location or not spec.origin:
        return None
    path = Path(spec.origin).resolve()
    is_own = path.suffix == ".py" and path.is_relative_to(root) and path.is_file()
    inside = path.relative_to(root) if is_own else path
    return path if is_own and not _is_installed(inside) else None


def _is_installed(path: Path) -> bool:
    return any(part in _INSTALLED for part in path.parts)


def _spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    # A package around it may raise anything; whoever imports the builder says so.
    except (Exception, SystemExit):
        return None


def _imported(content: bytes, name: str, *, is_package: bool) -> Iterator[str]:
    """Names of all modules that a source may import.

    A name that turns out to be none is found nowhere.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                above = parts[: len(parts) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
