"""The network of a member of an ensemble, with its temperature in its last layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tuner.backend import active
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.classifier import build_extractor
from tuner.models.backbones.stages import FeatureKey, feature_key, is_frozen
from tuner.records.image import ImageSpec
from tuner.training.finished import finished_head, finished_model


class MemberNetworks:
    """Networks on the same images; those with the same frozen backbone share it."""

    def __init__(self, spec: ImageSpec) -> None:
        """Take the images' shape and classes."""
        self._spec = spec
        self._inputs = keras.Input(spec.shape, name="images")
        self._features: dict[FeatureKey, keras.KerasTensor] = {}
        self._n = 0

    @property
    def inputs(self) -> keras.KerasTensor:
        """Images (n, height, width, channels), 0-255."""
        return self._inputs

    def add(
        self,
        model: str,
        values: Mapping[str, Any],
        checkpoint: Path,
        temperature: float | None,
        *,
        fold: int = 0,
        n_folds: int = 1,
    ) -> keras.KerasTensor:
        """Put a trained network on the images.

        Args:
            model: Family or builder.
            values: Hyperparameters.
            checkpoint: Its state.
            temperature: What its logits are divided by; None leaves them as they are.
            fold: Which of the checkpoint's networks.
            n_folds: How many it has.

        Returns:
            Its class probabilities, (n, classes).
        """
        place = {"fold": fold, "n_folds": n_folds}
        if is_frozen(model, values):
            tensor = self._of_backbone(model, values)
            network = finished_head(model, values, self._spec, checkpoint, **place)
        else:
            tensor = self._inputs
            network = finished_model(model, values, self._spec, checkpoint, **place)
        put_temperature(network, temperature)
        self._n += 1
        # Networks of the same family may bear the same name, which a model refuses.
        network.name = f"member_{self._n}"
        return self._of_each_class(network(tensor))

    def _of_backbone(self, model: str, values: Mapping[str, Any]) -> keras.KerasTensor:
        """The features of a frozen network, which is there once for all members that use it."""
        key = feature_key(model, values)
        if key not in self._features:
            with active.precision("float32"):
                extractor = build_extractor(BACKBONES[key.model], key.values(), self._spec)
            extractor.name = f"backbone_{len(self._features) + 1}"
            self._features[key] = extractor(self._inputs)
        return self._features[key]

    def _of_each_class(self, outputs: keras.KerasTensor) -> keras.KerasTensor:
        """Probabilities of both classes where one sigmoid unit gives that of the second."""
        if outputs.shape[-1] != 1:
            return outputs
        both = keras.layers.Dense(2, trainable=False, name=f"both_classes_{self._n}")
        found = both(outputs)
        both.set_weights([np.array([[-1.0, 1.0]]), np.array([1.0, 0.0])])
        return found


def takes_temperature(network: keras.Model) -> bool:
    """Whether a temperature can be put into a network's last layer."""
    return _last_dense(network) is not None


def put_temperature(network: keras.Model, temperature: float | None) -> None:
    """Divide a network's logits by a temperature, by its last layer's weights.

    Args:
        network: One that `takes_temperature`.
        temperature: None changes nothing.
    """
    if temperature is None:
        return
    dense = _last_dense(network)
    assert dense is not None
    dense.set_weights([weights / temperature for weights in dense.get_weights()])


def _last_dense(network: keras.Model) -> keras.layers.Dense | None:
    """The layer that puts out softmax or sigmoid of its own logits; None where there is none."""
    last: Any = network.layers[-1] if network.layers else None
    is_last = (
        type(last) is keras.layers.Dense
        and len(getattr(network, "outputs", None) or ()) == 1
        and network.outputs[0] is last.output
        and keras.activations.serialize(last.activation) in ("softmax", "sigmoid")
    )
    return last if is_last else None
