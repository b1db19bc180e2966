"""Random changes of training images.

What is drawn here in NumPy, the backend then does to the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tuner.backend.active import backend
from tuner.errors import ConfigurationError
from tuner.space.vocabulary import AUGMENTATION_TERMS

# Share of an image that random erasing covers, and the sides' ratio (Zhong et al., AAAI 2020, whose
# best areas are up to 40 %; faces lose their expression with so much).
_ERASED_AREA = (0.02, 0.2)
_ERASED_LOG_RATIO = -math.log(0.3)

Batch = tuple[Any, np.ndarray, np.ndarray]


class Augmentation:
    """The random changes of one setting."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """Take the setting.

        Terms that it leaves out are off, and others have nothing to do with it.
        """
        self._terms = {
            name: values.get(name, term.default) for name, term in AUGMENTATION_TERMS.items()
        }

    @property
    def is_off(self) -> bool:
        """Whether images stay as they are."""
        return not any(self._terms.values())

    def __call__(self, batch: Batch, generator: np.random.Generator) -> Batch:
        """Change a batch.

        Args:
            batch: Images uint8 (n, height, width, channels), targets (n, units) and weights (n,).
            generator: Decides all that is random.

        Returns:
            Images uint8 of the same shape, targets and weights; mixup mixes all three.

        Raises:
            ConfigurationError: If targets are class numbers, which cannot be mixed.
        """
        images, targets, weights = batch
        parameters = self.draw(generator, *images.shape[:3])
        if "mixup" in parameters:
            # Class numbers, alone or in a column.
            if targets.dtype.kind == "i":
                raise ConfigurationError(
                    "mixup mixes targets, but the model was compiled with a sparse loss, which"
                    " takes class numbers",
                    "compile it with categorical_crossentropy, or set mixup to 0.",
                )
            partner, share = parameters["mixup"][:, 0].astype("int32"), parameters["mixup"][:, 1]
            targets = share[:, None] * targets + (1 - share[:, None]) * targets[partner]
            weights = share * weights + (1 - share) * weights[partner]
        return backend.augment(images, parameters), targets, weights

    def draw(
        self, generator: np.random.Generator, n: int, height: int, width: int
    ) -> dict[str, np.ndarray]:
        """The parameters that `image_changes.CHANGES` take, float32 (n, ...), for n images."""
        terms, parameters = self._terms, {}
        if any(terms[name] for name in ("flip", "shift", "zoom", "rotation")):
            parameters["affine"] = self._affine(generator, n, height, width)
        if terms["contrast"]:
            parameters["contrast"] = _around(generator, n, terms["contrast"])[:, None] + 1
        if terms["random_erasing"]:
            parameters["erase"] = _boxes(generator, n, height, width, terms["random_erasing"])
        if terms["mixup"]:
            share = generator.beta(terms["mixup"], terms["mixup"], n)
            parameters["mixup"] = np.stack([generator.permutation(n), share], axis=1)
        return {name: values.astype("float32") for name, values in parameters.items()}

    def _affine(
        self, generator: np.random.Generator, n: int, height: int, width: int
    ) -> np.ndarray:
        terms = self._terms
        angle = np.deg2rad(_around(generator, n, terms["rotation"]))
        scale = _around(generator, n, terms["zoom"]) + 1
        right, down = (
            width * _around(generator, n, terms["shift"]),
            height * _around(generator, n, terms["shift"]),
        )
        mirror = np.where(generator.random(n) < 0.5, -1.0, 1.0) if terms["flip"] else np.ones(n)
        # From the result back to the image: a mirrored, turned and enlarged image is read the other
        # way round.
        cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
        return np.stack([mirror * cos, -sin, right, mirror * sin, cos, down], axis=1)


def _around(generator: np.random.Generator, n: int, largest: float) -> np.ndarray:
    """Evenly from `-largest` to `largest`, (n,)."""
    return generator.uniform(-largest, largest, n)


def _boxes(
    generator: np.random.Generator, n: int, height: int, width: int, probability: float
) -> np.ndarray:
    """Rectangles (n, 4) within the images: top, bottom, left, right.

    They have no area where an image stays whole.
    """
    area = generator.uniform(*_ERASED_AREA, n) * (generator.random(n) < probability)
    ratio = np.exp(generator.uniform(-_ERASED_LOG_RATIO, _ERASED_LOG_RATIO, n))
    # The largest side is 0.82 of the image's.
    tall, wide = height * np.sqrt(area * ratio), width * np.sqrt(area / ratio)
    top, left = generator.random(n) * (height - tall), generator.random(n) * (width - wide)
    return np.round(np.stack([top, top + tall, left, left + wide], axis=1))
