"""Every model by name; imports no Keras, so that names and settings are checked before a framework is loaded."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from tuner.errors import ConfigurationError
from tuner.models.backbones import catalog
from tuner.models.backbones.catalog import BACKBONES
from tuner.records.image import ImageSpec
from tuner.space.validation import did_you_mean
from tuner.space.vocabulary import VOCABULARIES, with_defaults

# Ends the name of a backbone's head, which trains on the backbone's features.
HEAD = "/head"

BUILDERS: Mapping[str, str] = {
    "cnn": "tuner.models.cnn:build",
    "expression_cnn": "tuner.models.baselines:build_expression_cnn",
    "sigmoid_cnn": "tuner.models.baselines:build_sigmoid_cnn",
    **dict.fromkeys(BACKBONES, "tuner.models.backbones.classifier:build"),
}


def is_built_in(model: str) -> bool:
    """Whether a model is one of ours, a backbone's head included."""
    return model.removesuffix(HEAD) in BUILDERS


def complete(model: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with a built-in family's default for each that is left out."""
    terms = VOCABULARIES.get(model.removesuffix(HEAD))
    return with_defaults(terms, values) if terms else dict(values)


def is_frozen(model: str, values: Mapping[str, Any]) -> bool:
    """Whether a setting trains only a head, on features that never change."""
    return model in BACKBONES and catalog.is_frozen(complete(model, values))


def is_fine_tuned(model: str, values: Mapping[str, Any]) -> bool:
    """Whether a setting trains blocks of a network that has learnt before, after the head."""
    return model in BACKBONES and catalog.is_fine_tuned(complete(model, values))


def needs_features(model: str, values: Mapping[str, Any]) -> bool:
    """Whether a setting trains a head on features, alone or before anything else."""
    return is_frozen(model, values) or is_fine_tuned(model, values)


def trained_part(model: str, values: Mapping[str, Any]) -> str:
    """The model that a setting's steps train: a frozen backbone's head, else the whole."""
    return model + HEAD if is_frozen(model, values) else model


class FeatureKey(NamedTuple):
    """What a frozen network's features depend on, beside the images."""

    model: str
    weights: str
    input_size: int
    pooling: str

    def values(self) -> dict[str, Any]:
        """As a setting."""
        return {"weights": self.weights, "input_size": self.input_size, "pooling": self.pooling}


def feature_key(model: str, values: Mapping[str, Any]) -> FeatureKey:
    """The same for settings of backbones that have the same features."""
    whole = complete(model, values)
    return FeatureKey(model, whole["weights"], whole["input_size"], whole["pooling"])


def setting_problem(model: str, values: Mapping[str, Any], height: int, width: int) -> str | None:
    """Why a setting cannot be built for images of this size, in one line; None where it can."""
    if model in BACKBONES:
        return _backbone_problem(complete(model, values))
    if model != "cnn":
        return None
    blocks = complete(model, values)["conv_blocks"]
    side = min(height, width)
    if side >> blocks >= 1:
        return None
    return f"conv_blocks is {blocks}, but {blocks} poolings by 2 would shrink {height}x{width} images below 1x1"


def _backbone_problem(values: Mapping[str, Any]) -> str | None:
    if values["weights"] == "none" and values["unfreeze_blocks"]:
        return f"unfreeze_blocks is {values['unfreeze_blocks']}, but with weights: none the whole network trains"
    return None


def check_name(model: str, where: str = "") -> None:
    """Refuse a name that is neither built in nor a `package.module:function`; nothing is imported.

    Args:
        model: The name.
        where: Begins the message.

    Raises:
        ConfigurationError: With the nearest name.
    """
    if not is_built_in(model) and ":" not in model:
        raise ConfigurationError(f'{where}there is no model "{model}"', did_you_mean(model, BUILDERS))


def load_builder(model: str) -> Callable[..., Any]:
    """The function that builds a model: `build(values, image_spec)` or a Keras Tuner `build(hp)`.

    Args:
        model: A name of `BUILDERS`, or a person's own `package.module:function`, found in the working directory too.

    Raises:
        ConfigurationError: If there is no such model, module or function.
    """
    check_name(model)
    backbone = BACKBONES.get(model.removesuffix(HEAD))
    if backbone is not None:
        from tuner.models.backbones import classifier

        return partial(classifier.build_head if model.endswith(HEAD) else classifier.build, backbone)
    target = BUILDERS.get(model)
    module_name, _, function_name = (target or model).partition(":")
    if target is None and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        raise ConfigurationError(
            f'model "{model}": there is no module {module_name}',
            "run in the folder that holds it, or install its package.",
        ) from error
    if not hasattr(module, function_name):
        raise ConfigurationError(
            f'model "{model}": {module_name} has no function {function_name}', "check the name after the colon."
        )
    builder: Callable[..., Any] = getattr(module, function_name)
    return builder


def build(model: str, values: Mapping[str, Any], image_spec: ImageSpec) -> Any:
    """Build a Keras model; a person's `build(hp)` gets a `HyperParameters` that returns `values`.

    Returns:
        A `keras.Model` whose inputs are (n, height, width, channels) on the 0-255 scale; compiled or not.

    Raises:
        ConfigurationError: If the builder is not found, or does not return a Keras model.
    """
    import keras

    builder = load_builder(model)
    if len(inspect.signature(builder).parameters) == 1:
        from tuner.models.keras_tuner_builder import hyperparameters

        result = builder(hyperparameters(values))
    else:
        result = builder(complete(model, values), image_spec)
    if not isinstance(result, keras.Model):
        raise ConfigurationError(f'model "{model}" returned {type(result).__name__}', "return a keras.Model.")
    return result
