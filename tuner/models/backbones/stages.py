"""What a setting of a backbone trains, and on what; imports no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tuner.models.backbones import catalog
from tuner.models.backbones.catalog import BACKBONES
from tuner.space.vocabulary import Pooling, with_all_defaults

# Ends the name of a backbone's head, which trains on the backbone's features.
HEAD = "/head"


def is_frozen(model: str, values: Mapping[str, Any]) -> bool:
    """Whether a setting trains only a head, on features that never change."""
    return model in BACKBONES and catalog.is_frozen(with_all_defaults(model, values))


def is_fine_tuned(model: str, values: Mapping[str, Any]) -> bool:
    """Whether a setting trains blocks of a network that has learnt before, after the head."""
    return model in BACKBONES and catalog.is_fine_tuned(with_all_defaults(model, values))


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
    pooling: Pooling

    def values(self) -> dict[str, Any]:
        """As a setting."""
        return {"weights": self.weights, "input_size": self.input_size, "pooling": self.pooling}


def feature_key(model: str, values: Mapping[str, Any]) -> FeatureKey:
    """The same for settings of backbones that have the same features."""
    whole = with_all_defaults(model, values)
    side = BACKBONES[model].side(whole["input_size"])
    return FeatureKey(model, whole["weights"], side, whole["pooling"])
