"""Small networks with weights set by hand, for the tests of what is drawn of a network."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

SIDE = 8


def identity_kernel(channels: int = 1) -> np.ndarray:
    """A 1x1 kernel of a convolution from one channel: channel c is the image times 1, 2, ..."""
    return np.arange(1, channels + 1, dtype="float32").reshape(1, 1, 1, channels)


def linear_network(
    head: np.ndarray, *, channels: int = 2, units_end: str = "softmax"
) -> keras.Model:
    """Two channels, the image and its double; scores are their means times `head`."""
    model = keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 1)),
            layers.Conv2D(channels, 1, use_bias=False, name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(head.shape[1], activation=units_end, use_bias=False),
        ]
    )
    model.set_weights([identity_kernel(channels), head.astype("float32")])
    return model


def bright_square(row: int, column: int, side: int = 2) -> np.ndarray:
    """A black image (1, SIDE, SIDE, 1) with a bright square."""
    image = np.zeros((1, SIDE, SIDE, 1), dtype=np.uint8)
    image[0, row : row + side, column : column + side] = 200
    return image
