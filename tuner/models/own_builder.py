"""A builder of your own: what stands behind `package.module:name`, and how it is called."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tuner.backend import active, keras_settings
from tuner.backend.keras_settings import KerasSettings
from tuner.errors import ConfigurationError
from tuner.models.kept_builder import make_findable
from tuner.names import listed
from tuner.records.error_text import reason_of
from tuner.records.image import ImageSpec
from tuner.space.documents.validation import nearest

# The name of a parameter decides what it gets, wherever the parameter stands.
_HP, _VALUES, _SPEC = "hp", "values", "image_spec"
_ROLES: Mapping[str, str] = {
    **dict.fromkeys(("hp", "hps", "hparams", "hyperparameters", "hyper_parameters"), _HP),
    "values": _VALUES,
    **dict.fromkeys(("image_spec", "spec"), _SPEC),
    "input_shape": "input_shape",
    **dict.fromkeys(("n_classes", "num_classes", "classes"), "n_classes"),
}
# Keras' settings, such as a dtype policy, once a module was imported: it may set them for all its
# models, and Keras' `clear_session` forgets that.
_AT_IMPORT: dict[str, KerasSettings] = {}

_FORMS = "write build(hp), build(values, image_spec) or a keras_tuner.HyperModel."


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBuilder:
    """A builder of your own, ready to be called.

    Attributes:
        function: Builds a model.
        arguments: What each parameter gets: `hp`, `values`, `image_spec`, `input_shape` or
            `n_classes`, in the order of the signature; parameters that keep their default are left
            out, and so are the names of those that are passed by position.
        target: What the name stands for: the function, or the instance of a HyperModel.
        image_spec: Of the images.
        settings: Keras' settings as its module has left them when it was imported; None where
            others imported it.
    """

    function: Callable[..., Any]
    arguments: tuple[tuple[str | None, str], ...]
    target: Any
    image_spec: ImageSpec
    settings: KerasSettings | None = None

    @property
    def takes_hp(self) -> bool:
        """Whether it gets Keras Tuner's `HyperParameters`.

        Else it gets a mapping of values, or nothing of the two.
        """
        return any(role == _HP for _, role in self.arguments)

    def build(self, hyperparameters: Any) -> Any:
        """Call the builder with `HyperParameters` where it `takes_hp`, else with a mapping.

        Whoever calls this restores Keras' settings: `active.precision` does.
        """
        if self.settings is not None:
            keras_settings.put(self.settings)
        spec = self.image_spec
        given = {
            _HP: hyperparameters,
            _VALUES: hyperparameters,
            _SPEC: spec,
            "input_shape": spec.shape,
            "n_classes": spec.n_classes,
        }
        positional = [given[role] for name, role in self.arguments if name is None]
        return self.function(
            *positional, **{name: given[role] for name, role in self.arguments if name is not None}
        )


def load_own(model: str) -> Any:
    """The object behind `package.module:name`, found in the working directory too.

    Raises:
        ConfigurationError: If there is no such module or name.
    """
    module_name, _, name = model.partition(":")
    make_findable(module_name)
    try:
        module = _imported(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise ConfigurationError(
            f'model "{model}": there is no module {module_name}',
            "run in the folder that holds it, or install its package.",
        ) from error
    if not hasattr(module, name):
        match = nearest(name, [known for known in vars(module) if not known.startswith("_")])
        where = getattr(module, "__file__", None) or module_name
        hint = (
            f'did you mean "{match}"?'
            if match
            else f"check the name after the colon; the module is {where}."
        )
        raise ConfigurationError(f'model "{model}": {module_name} has no function {name}', hint)
    return getattr(module, name)


def _imported(name: str) -> ModuleType:
    """Import a module; Keras' settings that it sets hold for its own models only."""
    if name in sys.modules:
        return importlib.import_module(name)
    with active.precision():
        module = importlib.import_module(name)
        # What its package has set before counts as well.
        _AT_IMPORT[name] = keras_settings.current()
    return module


def own_builder(model: str, image_spec: ImageSpec) -> OwnBuilder:
    """Load a builder and decide what each of its parameters gets.

    Parameters get what they are called: `hp`, `values`, `image_spec`, `input_shape`, `n_classes`.
    One required parameter of another name gets `hp`, two get `values` and `image_spec`. Of a
    HyperModel, or of any other object with a `build`, that method is called; a class is called
    first, by the same rule.

    Raises:
        ConfigurationError: If it cannot be called so.
    """
    target = load_own(model)
    refuse_models(model, target)
    if inspect.isclass(target):
        target = _instance(model, target, image_spec)
    build = getattr(target, "build", None)
    function = build if callable(build) else target
    if not callable(function):
        raise ConfigurationError(
            f'model "{model}" is {_a(type(target).__name__)}, which builds no model', _FORMS
        )
    # Keras Tuner wraps `build`; the method as it is written has the names of its parameters.
    written = getattr(target, "_build", function)
    arguments = _arguments(model, written if callable(written) else function)
    return OwnBuilder(
        function=function,
        arguments=arguments,
        target=target,
        image_spec=image_spec,
        settings=_AT_IMPORT.get(model.partition(":")[0]),
    )


def refuse_models(model: str, target: Any) -> None:
    """Refuse a model, or the class of one: each training needs a fresh model.

    Raises:
        ConfigurationError: With what it is.
    """
    import keras

    if isinstance(target, keras.layers.Layer):
        what = (
            "is a model that is built already" if isinstance(target, keras.Model) else "is a layer"
        )
    elif inspect.isclass(target) and issubclass(target, keras.layers.Layer):
        what = (
            "is the class of a model"
            if issubclass(target, keras.Model)
            else "is the class of a layer"
        )
    else:
        return
    raise ConfigurationError(
        f'model "{model}" {what}; every training needs a fresh model',
        "name a function that builds and returns one, such as build(hp).",
    )


def _instance(model: str, target: Any, image_spec: ImageSpec) -> Any:
    """An instance of a class that has a `build`.

    Raises:
        ConfigurationError: If it has none, or its constructor needs what is not known.
    """
    if not callable(getattr(target, "build", None)):
        raise ConfigurationError(f'model "{model}" is a class without a build method', _FORMS)
    arguments = _arguments(model, target, is_class=True)
    try:
        return OwnBuilder(
            function=target, arguments=arguments, target=target, image_spec=image_spec
        ).build(None)
    except Exception as error:
        raise ConfigurationError(
            f'model "{model}": its constructor raises {reason_of(error)}',
            "name an instance instead of the class, or fix the class.",
        ) from error


def _arguments(
    model: str, function: Callable[..., Any], *, is_class: bool = False
) -> tuple[tuple[str | None, str], ...]:
    """What each parameter gets; `OwnBuilder` says in which form."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        # Some callables of C have no signature.
        return ((None, _HP),)
    plain = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if not plain and not is_class:
        return ((None, _HP),) if any(p.kind == p.VAR_POSITIONAL for p in parameters) else ()
    required = [p.name for p in plain if p.default is p.empty]
    roles = {p.name: _ROLES[p.name] for p in plain if p.name in _ROLES and _is_open(p)}
    unnamed = [name for name in required if name not in roles]
    if not is_class and not {_HP, _VALUES} & set(roles.values()):
        roles |= dict(
            zip(unnamed, (_HP,) if len(required) == 1 else (_VALUES, _SPEC), strict=False)
        )
    if unknown := [name for name in required if name not in roles]:
        known = listed([*(() if is_class else (_HP, _VALUES)), _SPEC, "input_shape", "n_classes"])
        what = "its constructor's parameter" if is_class else "its parameter"
        raise ConfigurationError(
            f'model "{model}": no value is available for {what} {unknown[0]}',
            f"give it a default, or one of the names that receive a value: {known}.",
        )
    return tuple(_in_order(plain, roles))


def _is_open(parameter: inspect.Parameter) -> bool:
    """Whether a parameter may get what its name says.

    A default of another kind means something else by it.
    """
    default = parameter.default
    if default is parameter.empty or default is None:
        return True
    kinds = {"n_classes": int, "input_shape": tuple | list}
    kind = kinds.get(_ROLES[parameter.name])
    return kind is not None and isinstance(default, kind) and not isinstance(default, bool)


def _in_order(
    parameters: Sequence[inspect.Parameter], roles: Mapping[str, str]
) -> Iterator[tuple[str | None, str]]:
    """By position as long as none is left out: a decorator may call its parameters otherwise."""
    is_first = True
    for parameter in parameters:
        is_first = is_first and parameter.name in roles and parameter.kind != parameter.KEYWORD_ONLY
        if parameter.name in roles:
            yield (None if is_first else parameter.name), roles[parameter.name]


def _a(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
