"""The `module:name` of a builder, for which a module is written where there is none."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from keyword import iskeyword
from pathlib import Path
from typing import Any, TypeVar

from tuner.api.given_model.digest import digest_of
from tuner.api.given_model.importable import can_be_found, is_importable
from tuner.backend import environment
from tuner.errors import ConfigurationError
from tuner.models.kept_builder import CONTENT
from tuner.store.files.whole_files import write_atomically, write_text

FORMS = "give a function build(hp), a keras_tuner.HyperModel or its class, or a name."

_AS_MODULE = 'move the function to a module beside it and give its name: model="my_module:build".'

Made = TypeVar("Made")

_MODULE = '''\
"""{what}, as a notebook or script has defined it; written by tuner."""

from typing import TYPE_CHECKING

from tuner.models.kept_builder import unpickled

if TYPE_CHECKING:
    # What it uses of yours: an edit of it begins a new run.
{imports}

{name} = unpickled(__file__)
'''


def model_name(model: Any, folder: Path, executor: str = "") -> str | None:
    """The name of a model, as `--model` takes it.

    Args:
        model: A name; or a function, a class or an object that builds models.
        folder: Where a module for it is written, if Python finds it by no name.
        executor: Where it is to train.

    Raises:
        ConfigurationError: If it cannot be written, or the executor would not find it.
        OSError: If the disk takes no more.
    """
    if model is None or isinstance(model, str):
        return model
    if is_importable(model) and "." not in model.__qualname__:
        return f"{model.__module__}:{model.__qualname__}"
    what = getattr(model, "__qualname__", type(model).__qualname__)
    _refuse_models(what, model)
    if not callable(model) and not callable(getattr(model, "build", None)):
        raise ConfigurationError(f"model: {type(model).__name__} builds no model", FORMS)
    if executor == "ray":
        raise ConfigurationError(
            f"model: {what} is defined in a notebook or script, which the nodes of Ray do not have",
            _AS_MODULE,
        )
    name = _identifier(what)
    digest = _sendable(digest_of, model, what)
    content = _sendable(_pickled, model, what)
    module = f"{name}_{digest.text[:12]}"
    _refuse_names(what, digest.modules)
    imports = "\n".join(f"    import {one}" for one in digest.modules) or "    pass"
    source = _MODULE.format(what=what, name=name, imports=imports)
    # Written each time: what lies there may be damaged, and to read it would take as long.
    with write_atomically(folder / f"{module}{CONTENT}") as file:
        file.write(content)
    _write_module(folder / f"{module}.py", source)
    importlib.invalidate_caches()
    return f"{module}:{name}"


def _write_module(path: Path, source: str) -> None:
    """Write a module, unless it is there: a newer file would pass for an edited one."""
    if not path.is_file() or path.read_bytes() != source.encode():
        write_text(path, source)


def _refuse_names(what: str, modules: Sequence[str]) -> None:
    """Refuse modules that `importlib.import_module` takes, but no import statement."""
    for module in modules:
        if any(not part.isidentifier() or iskeyword(part) for part in module.split(".")):
            raise ConfigurationError(
                f"model: {what} uses the module {module}, whose name no import statement takes",
                "rename its file to letters, digits and underscores, and no keyword of Python.",
            )


def _refuse_models(what: str, model: Any) -> None:
    """Refuse a model before its weights are written; where there is no Keras yet, it is none."""
    if "keras" in sys.modules:
        environment.prepare()
        from tuner.models.own_builder import refuse_models

        refuse_models(what, model)


def _sendable(make: Callable[[Any], Made], model: Any, what: str) -> Made:
    """What is made of a builder, or an error that says what to do instead."""
    try:
        return make(model)
    except RecursionError as error:
        raise ConfigurationError(
            f"model: {what} uses values that are nested too deeply to be sent to another process",
            f"create them inside of the function; or {_AS_MODULE}",
        ) from error
    except Exception as error:
        raise ConfigurationError(
            f"model: {what} cannot be sent to another process: {type(error).__name__}: {error}",
            "it uses something that exists in this process only, such as an open file, a lock or a"
            f" dataset: create that inside of the function; or {_AS_MODULE}",
        ) from error


def _pickled(model: Any) -> bytes:
    import cloudpickle

    name = getattr(model, "__module__", None) or "__main__"
    with ExitStack() as after:
        if name in sys.modules and name != "__main__" and not can_be_found(name):
            # By its name, no worker would find it.
            cloudpickle.register_pickle_by_value(sys.modules[name])
            after.callback(cloudpickle.unregister_pickle_by_value, sys.modules[name])
        content: bytes = cloudpickle.dumps(model)
    return content


def _identifier(what: str) -> str:
    """The last part of a name, as a module may be called."""
    plain = re.sub(r"\W+", "_", what.rpartition(".")[2].strip("<>"), flags=re.ASCII).strip("_")
    return plain if plain.isidentifier() and not iskeyword(plain) else "builder"
