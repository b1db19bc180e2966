"""Networks whose probabilities are means: over the members of an ensemble, or views of an image.

They hold no layer but Keras' own with plain settings, so that they load without this package, and
convert to other formats.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers

from tuner.backend import active
from tuner.evaluation.combined.member_network import MemberNetworks
from tuner.evaluation.image_views import places
from tuner.records.combination import View
from tuner.records.image import ImageSpec


def mixed_network(
    networks: MemberNetworks, outputs: Sequence[tuple[keras.KerasTensor, float]]
) -> keras.Model:
    """The weighted mean of several networks.

    Args:
        networks: Where their images come in.
        outputs: Class probabilities (n, classes) of each, with its weight; the weights add up to 1.
    """
    with active.precision("float32"):
        parts = [
            layers.Rescaling(weight, name=f"share_{number}")(output)
            for number, (output, weight) in enumerate(outputs, start=1)
        ]
        mean = layers.Add(name="mean")(parts) if len(parts) > 1 else parts[0]
        return keras.Model(networks.inputs, mean, name="ensemble")


def view_network(network: keras.Model, views: Sequence[View], spec: ImageSpec) -> keras.Model:
    """The mean of a network over views of each image.

    Args:
        network: From images to (n, units).
        views: As many as are averaged; a view costs a pass of the network.
        spec: Shape of the images.
    """
    with active.precision("float32"):
        inputs = keras.Input(spec.shape, name="images")
        moved = _Moved(inputs)
        outputs = [
            network(moved.columns(moved.rows(inputs, rows), columns))
            for rows, columns in (places(spec.height, spec.width, view) for view in views)
        ]
        mean = layers.Average(name="mean")(outputs) if len(outputs) > 1 else outputs[0]
        model = keras.Model(inputs, mean, name="views")
    moved.put_matrices()
    return model


class _Moved:
    """Images with their rows and columns in another order.

    Keras has no layer for that but `Lambda`, which is code in a file. A matrix of zeros and ones
    moves pixels without changing them, even in 16 bits.
    """

    def __init__(self, images: keras.KerasTensor) -> None:
        self._matrices: dict[tuple[str, bytes], tuple[keras.Layer, np.ndarray]] = {}
        _, self._height, self._width, self._channels = images.shape

    def rows(self, images: keras.KerasTensor, order: np.ndarray) -> keras.KerasTensor:
        """Rows in an order, (height,)."""
        return self._moved(images, order, (3, 2, 1), "rows")

    def columns(self, images: keras.KerasTensor, order: np.ndarray) -> keras.KerasTensor:
        """Columns in an order, (width,)."""
        return self._moved(images, order, (1, 3, 2), "columns")

    def put_matrices(self) -> None:
        """Give the layers their weights, which they have once they were called."""
        for layer, matrix in self._matrices.values():
            layer.set_weights([matrix])

    def _moved(
        self, images: keras.KerasTensor, order: np.ndarray, axes: tuple[int, ...], what: str
    ) -> keras.KerasTensor:
        if (order == np.arange(len(order))).all():
            return images
        # The layer works on the last axis. Exchanging two axes undoes itself.
        exchanged = layers.Permute(axes)(images)
        return layers.Permute(axes)(self._layer(order, what)(exchanged))

    def _layer(self, order: np.ndarray, what: str) -> keras.Layer:
        """One for each order, however many views share it."""
        found = self._matrices.get((what, order.tobytes()))
        if found is None:
            name = f"moved_{what}_{len(self._matrices) + 1}"
            layer = layers.Dense(len(order), use_bias=False, trainable=False, name=name)
            matrix = np.eye(len(order), dtype="float32")[:, order]
            found = self._matrices[what, order.tobytes()] = layer, matrix
        return found[0]
