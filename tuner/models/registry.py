"""Every model by name.

Imports no Keras, so that names and settings are checked before a framework is loaded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tuner.errors import ConfigurationError
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import HEAD
from tuner.names import is_own
from tuner.records.image import ImageSpec
from tuner.records.training import Schedule
from tuner.space.documents.validation import did_you_mean
from tuner.space.vocabulary import VOCABULARIES, with_defaults

BUILDERS: Mapping[str, str] = {
    "cnn": "tuner.models.cnn:build",
    "expression_cnn": "tuner.models.baselines:build_expression_cnn",
    "sigmoid_cnn": "tuner.models.baselines:build_sigmoid_cnn",
    **dict.fromkeys(BACKBONES, "tuner.models.backbones.classifier:build"),
    **{name + HEAD: "tuner.models.backbones.classifier:build_head" for name in BACKBONES},
}


def complete(model: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with a built-in family's default for each that is left out."""
    terms = VOCABULARIES.get(model.removesuffix(HEAD))
    return with_defaults(terms, values) if terms else dict(values)


def effective(model: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a setting comes to: the same for settings that train the same network alike.

    Of the CNN family, what may be set for each block stands for each of the blocks that there are.
    """
    whole = complete(model, values)
    terms = VOCABULARIES.get(model, {}) if model == "cnn" else {}
    per_block = [name for name, term in terms.items() if term.per_block]
    of_blocks = {
        f"{name}_{block}": whole.get(f"{name}_{block}", whole[name])
        for name in per_block
        for block in range(whole["conv_blocks"])
    }
    others = {
        name: value
        for name, value in whole.items()
        if name not in per_block and name.rpartition("_")[0] not in per_block
    }
    return {**others, **of_blocks}


def comes_to(model: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The same for settings that say the same in other words, such as block by block."""
    return model, effective(model, values)


def setting_problem(model: str, values: Mapping[str, Any], height: int, width: int) -> str | None:
    """Why a setting cannot be built for images of this size, in one line; None where it can."""
    whole = complete(model, values)
    if model in BACKBONES:
        return _backbone_problem(whole)
    if model != "cnn":
        return None
    blocks = whole["conv_blocks"]
    side = min(height, width)
    if side >> blocks >= 1:
        return None
    return (
        f"conv_blocks is {blocks}, but {blocks} poolings by 2 would shrink {height}x{width} images"
        " below 1x1"
    )


def _backbone_problem(values: Mapping[str, Any]) -> str | None:
    if values["weights"] == "none" and values["unfreeze_blocks"]:
        return (
            f"unfreeze_blocks is {values['unfreeze_blocks']}, but with weights: none the whole"
            " network trains"
        )
    return None


def check_name(model: str, where: str = "") -> None:
    """Refuse a name that is neither built in nor a `package.module:function`; nothing is imported.

    Args:
        model: The name.
        where: Begins the message.

    Raises:
        ConfigurationError: With the nearest name.
    """
    if model not in BUILDERS and not is_own(model):
        raise ConfigurationError(
            f'{where}there is no model "{model}"', did_you_mean(model, BUILDERS)
        )


def schedule_for(model: str, schedule: Schedule) -> Schedule:
    """The learning rate's schedule of a model's trainings.

    A backbone's always falls, in search and retraining.
    """
    return "cosine" if model in BACKBONES else schedule


def load_builder(model: str) -> Callable[..., Any]:
    """The function that builds a built-in model: `build(values, image_spec)`.

    Raises:
        ConfigurationError: If there is no such model.
    """
    if model not in BUILDERS:
        raise ConfigurationError(f'there is no model "{model}"', did_you_mean(model, BUILDERS))
    module_name, _, function_name = BUILDERS[model].partition(":")
    builder: Callable[..., Any] = getattr(importlib.import_module(module_name), function_name)
    backbone = BACKBONES.get(model.removesuffix(HEAD))
    return partial(builder, backbone) if backbone else builder


def build(model: str, values: Mapping[str, Any], image_spec: ImageSpec) -> Any:
    """Build a Keras model; your own `build(hp)` gets `HyperParameters` that return `values`.

    Returns:
        A `keras.Model` whose inputs are (n, height, width, channels) on the 0-255 scale; compiled
            or not.

    Raises:
        ConfigurationError: If the builder is not found, or does not return a Keras model.
    """
    import keras

    check_name(model)
    if is_own(model):
        result = _build_own(model, values, image_spec)
    else:
        result = load_builder(model)(complete(model, values), image_spec)
    if not isinstance(result, keras.Model):
        raise ConfigurationError(
            f'model "{model}" returned {type(result).__name__}', "return a keras.Model."
        )
    return result


def _build_own(model: str, values: Mapping[str, Any], image_spec: ImageSpec) -> Any:
    from tuner.models.own_builder import own_builder

    builder = own_builder(model, image_spec)
    if not builder.takes_hp:
        return builder.build(dict(values))
    from tuner.models.keras_tuner_builder import hyperparameters

    return builder.build(hyperparameters(values))
